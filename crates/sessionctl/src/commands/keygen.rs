//! `sessionctl keygen`.

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use session_core::persist::SecretKey;

use crate::{failure::Outcome, output::Output};

/// Make secret keys for signed and sealed cookies, each 32 random bytes as base64url
///
/// What is printed is what `SecretKey::from_text` and the setting `keys` take.
/// Several have commas in between, the one in use first. To replace a key, put
/// a new one in front and keep the old one for as long as sessions live; nobody
/// is signed out.
///
///   umask 077; sessionctl keygen > session.key
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Options {
    /// How many
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    count: u16,
}

#[derive(Serialize)]
struct Answer {
    keys: Vec<String>,
}

pub(crate) fn run(options: &Options, output: Output) -> Result<Outcome> {
    let keys = (0..options.count).map(|_| SecretKey::generate().map(|key| key.expose_secret()));
    let answer = Answer { keys: keys.collect::<Result<_, _>>()? };
    output.print(&answer, |answer| answer.keys.join(","))?;
    Ok(Outcome::Done)
}
