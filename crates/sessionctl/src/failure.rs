//! What went wrong, how it is said, and the code with which the program exits.

use std::{error::Error, fmt, io, process::ExitCode};

use serde_json::json;
use session_core::{SessionError, StoreError};

use crate::output::Output;

/// How a command ended that went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Outcome {
    Done,
    /// Something of what was asked for was not done, which was said.
    Partly,
}

impl Outcome {
    pub(crate) const fn done_if(done: bool) -> Self {
        if done { Self::Done } else { Self::Partly }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Partly => Self::from(FAILED),
        }
    }
}

/// A command line that is refused before anything is done.
#[derive(Debug)]
pub(crate) struct Usage(String);

impl Usage {
    pub(crate) fn error(text: impl fmt::Display) -> anyhow::Error {
        anyhow::Error::new(Self(text.to_string()))
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Usage {}

/// Says on stderr what went wrong, with all its causes.
pub(crate) fn report(error: &anyhow::Error, output: &Output) -> ExitCode {
    let is_closed_pipe =
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    if is_closed_pipe {
        return ExitCode::SUCCESS;
    }
    let (kind, code) = kind(error);
    let message = spell_out(error.as_ref());
    if output.is_json() {
        eprintln!("{}", json!({ "error": { "kind": kind, "message": message } }));
    } else {
        eprintln!("error: {message}");
        if let Some(hint) = hint(kind, &message) {
            eprintln!("{hint}");
        }
    }
    ExitCode::from(code)
}

/// An error and its causes in one line. Some repeat their cause in their own words, which is then said once.
pub(crate) fn spell_out(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name that stays as it is, for scripts, and the exit code.
fn kind(error: &anyhow::Error) -> (&'static str, u8) {
    let store = |error: &StoreError| SessionError::Store(StoreError::new(error.kind(), error.store())).kind();
    if error.is::<Usage>() {
        return ("usage", USAGE);
    }
    let of_store = error.chain().find_map(|cause| {
        let session = cause.downcast_ref::<SessionError>().map(SessionError::kind);
        session.or_else(|| cause.downcast_ref::<StoreError>().map(store))
    });
    // What opening says of a folder or a file.
    let unusable = error.chain().any(|cause| {
        cause.is::<session_store_file::OpenError>() || cause.is::<session_store_sql::OpenError>()
    });
    (of_store.unwrap_or(if unusable { "unavailable" } else { "failed" }), FAILED)
}

/// Whether it is one of the things that `env create` makes.
pub(crate) fn is_missing(message: &str) -> bool {
    ["is missing", "does not exist", "there is no environment"].iter().any(|words| message.contains(words))
}

/// Somebody is awake at night because of it: what to do next, and nothing that does not help.
fn hint(kind: &str, message: &str) -> Option<&'static str> {
    match kind {
        "unavailable" if is_missing(message) => {
            Some("`sessionctl --store URL env create` makes what is missing.")
        }
        "unavailable" => Some("`sessionctl --store URL env check` says whether the store can be used."),
        "usage" => Some("`sessionctl --help` has examples."),
        _ => None,
    }
}

const FAILED: u8 = 1;
const USAGE: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_spelt_out_once() {
        let cause = io::Error::other("connection\n refused");
        let store = StoreError::unavailable("redis")(cause);
        let error = anyhow::Error::new(SessionError::Store(store));
        assert!(spell_out(error.as_ref()).ends_with("redis store: unavailable: connection refused"));
        assert_eq!(kind(&error), ("unavailable", 1));
        assert_eq!(kind(&Usage::error("no")), ("usage", 2));
    }
}
