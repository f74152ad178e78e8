//! What can be chosen on the command line.

use std::{net::SocketAddr, path::PathBuf, str::FromStr};

use clap::Parser;

/// A small tea shop that shows what the session library does.
///
/// It needs nothing installed. Open the address it prints in a browser: every page has a receipt that tells what the
/// library did on that request, and why.
#[derive(Debug, Parser)]
#[command(name = "demo", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where sessions are kept: `file:DIR` for one file per session in a folder, which is created if need be, or
    /// `memory` to forget them when the program ends
    #[arg(long, value_name = "STORE", default_value = "file:demo-sessions")]
    pub(crate) store: StoreChoice,

    /// The address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,
}

const EXAMPLES: &str = "\
Examples:
  cargo run -p demo                                      sessions in ./demo-sessions, http://127.0.0.1:3000
  cargo run -p demo -- --store memory                    sessions are gone when it ends
  cargo run -p demo -- --store file:/tmp/tea --listen 127.0.0.1:8080

To see that a session outlives a crash: sign in, end the program with `kill -9`, start it again, reload the page.";

/// Where sessions are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreChoice {
    /// In this process.
    Memory,
    /// In files under this folder.
    File(PathBuf),
}

impl FromStr for StoreChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "memory" => Ok(Self::Memory),
            Some(("file", folder)) if !folder.is_empty() => Ok(Self::File(folder.into())),
            _ => Err("must be `memory` or `file:DIR`".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_parsed() {
        assert_eq!("memory".parse(), Ok(StoreChoice::Memory));
        assert_eq!("file:a b".parse(), Ok(StoreChoice::File("a b".into())));
        assert_eq!("file:C:\\tea".parse(), Ok(StoreChoice::File("C:\\tea".into())));
        for wrong in ["", "file", "file:", "memory:", "redis:localhost"] {
            assert!(wrong.parse::<StoreChoice>().is_err(), "{wrong}");
        }
    }
}
