//! What can be chosen on the command line.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

use clap::Parser;

/// A small tea shop that shows what the session library does.
///
/// It needs nothing installed. Open the address it prints in a browser: every page has a receipt that tells what the
/// library did on that request, and why.
#[derive(Debug, Parser)]
#[command(name = "demo", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where sessions are kept: `file:DIR` for one file per session in a folder, which is created if need be; `memory` to
    /// forget them when the program ends; `sqlite:PATH`; or the URL of a server, `redis://…`, `redis+cluster://…`,
    /// `postgres://…` or `mysql://…`
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
  cargo run -p demo -- --store redis://127.0.0.1:6379    docs/servers.md says how to run the servers

To see that a session outlives a crash: sign in, end the program with `kill -9`, start it again, reload the page.";

/// Where sessions are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreChoice {
    /// In this process.
    Memory,
    /// In files under this folder.
    File(PathBuf),
    /// In the Redis at this URL.
    Redis(Url),
    /// In the database at this URL.
    Sql(Url),
}

/// A URL, which may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Url(String);

impl Url {
    /// All of it.
    pub(crate) fn with_login(&self) -> &str {
        &self.0
    }
}

/// Without the login, and what follows the path.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.0.split(['?', '#']).next().unwrap_or_default();
        match url.split_once("://") {
            Some((scheme, rest)) => write!(f, "{scheme}://{}", rest.rsplit('@').next().unwrap_or_default()),
            None => f.write_str(url),
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for StoreChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "memory" => Ok(Self::Memory),
            Some(("file", folder)) if !folder.is_empty() => Ok(Self::File(folder.into())),
            Some(("redis" | "rediss" | "redis+cluster" | "rediss+cluster", _)) => {
                Ok(Self::Redis(Url(text.to_owned())))
            }
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sql(Url(text.to_owned()))),
            Some(("postgres" | "postgresql" | "mysql" | "mariadb", _)) => Ok(Self::Sql(Url(text.to_owned()))),
            _ => {
                Err("must be `memory`, `file:DIR`, `sqlite:PATH`, or the URL of a Redis, PostgreSQL or MySQL"
                    .to_owned())
            }
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
        for wrong in ["", "file", "file:", "memory:", "sqlite:", "http://localhost"] {
            assert!(wrong.parse::<StoreChoice>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        for (url, shown) in [
            ("redis://:hunter2@h:1/2", "redis://h:1/2"),
            ("postgres://a:hunter2%40@h/db?password=hunter2", "postgres://h/db"),
            ("mysql://a:hunter@2@h", "mysql://h"),
            ("sqlite:a b.db", "sqlite:a b.db"),
        ] {
            let (StoreChoice::Redis(url) | StoreChoice::Sql(url)) = url.parse().unwrap() else {
                panic!("{url}")
            };
            assert_eq!((url.to_string(), format!("{url:?}")), (shown.to_owned(), shown.to_owned()));
        }
    }
}
