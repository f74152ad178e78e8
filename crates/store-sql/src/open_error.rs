//! Why a store was not opened.

use std::{error::Error, fmt};

use session_core::StoreError;

/// Why a store was not opened. Never shows a URL or a password.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The name of the table, with its prefix, must have 1 to 48 characters of `A-Z`, `a-z`, `0-9` and `_`, and not
    /// begin with a digit.
    Table,
    /// The URL breaks a rule, which the text tells.
    Url(&'static str),
    /// The URL has a parameter that nobody knows. Ignored, it would be a setting that silently does not apply.
    UrlParameter(String),
    /// The database would need a Cargo feature of this crate.
    Feature(&'static str),
    /// A setting is out of its range, or not one of this database's: its name.
    Setting(&'static str),
    /// The file of the database cannot be made.
    File(std::io::Error),
    /// The database cannot be reached, or what the store needs in it is missing and could not be made.
    Environment(Vec<StoreError>),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table => f.write_str(
                "the name of the table must be 1 to 48 letters, digits and underscores and not begin with a digit",
            ),
            Self::Url(rule) => write!(f, "the URL of the database is refused: {rule}"),
            Self::UrlParameter(name) => {
                write!(f, "the URL of the database has a parameter that is not known: {name}")
            }
            Self::Feature(feature) => {
                write!(f, "session-store-sql was built without its feature `{feature}`")
            }
            Self::Setting(name) => write!(f, "the setting `{name}` is out of range or not for this database"),
            Self::File(_) => f.write_str("the file of the database cannot be made"),
            Self::Environment(problems) => {
                f.write_str("the database is not ready to keep sessions")?;
                problems.iter().skip(1).try_for_each(|problem| write!(f, "; also: {problem}"))
            }
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File(error) => Some(error),
            Self::Environment(problems) => problems.first().map(|problem| problem as &(dyn Error + 'static)),
            _ => None,
        }
    }
}
