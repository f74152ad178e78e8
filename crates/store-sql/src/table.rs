//! The names of the tables and indexes: checked once, so that nothing else ever becomes part of a statement.

use std::fmt;

use crate::open_error::OpenError;

/// The name of the table of records, from which all others are made.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Table(String);

/// Leaves room for what is appended, in PostgreSQL's 63 bytes and MySQL's 64.
const LONGEST: usize = 48;

impl Table {
    /// `name`, with `prefix` and an underscore in front.
    pub(crate) fn new(prefix: Option<&str>, name: &str) -> Result<Self, OpenError> {
        let full = prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}_{name}"));
        let parts_are_good = !name.is_empty() && prefix != Some("");
        let good = parts_are_good
            && full.len() <= LONGEST
            && full.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !full.starts_with(|first: char| first.is_ascii_digit());
        if good { Ok(Self(full)) } else { Err(OpenError::Table) }
    }

    /// Where the records are.
    pub(crate) fn records(&self) -> &str {
        &self.0
    }

    /// Where the version of the schema is.
    pub(crate) fn schema(&self) -> String {
        format!("{}_schema", self.0)
    }

    /// The index on the expiry.
    pub(crate) fn by_expiry(&self) -> String {
        format!("{}_expires", self.0)
    }

    /// The index on principal and key.
    pub(crate) fn by_principal(&self) -> String {
        format!("{}_principal", self.0)
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_taken() {
        let longest = "a".repeat(LONGEST);
        for name in ["sessions", "_s", "S9", "a", &longest] {
            assert_eq!(Table::new(None, name).unwrap().records(), name);
        }
        assert_eq!(Table::new(Some("staging"), "sessions").unwrap().records(), "staging_sessions");
    }

    #[test]
    fn hostile_names_are_refused() {
        // Shows: A34
        let longer = "a".repeat(LONGEST + 1);
        for name in [
            "", "1a", "a b", "a;b", "a\"b", "a`b", "a'b", "a.b", "a-b", "a\0", "a\n", "ä", "a--", "a/*",
            "%s", "a$", &longer,
        ] {
            assert!(Table::new(None, name).is_err(), "{name:?}");
            assert!(Table::new(Some(name), "sessions").is_err(), "{name:?}");
        }
        assert!(Table::new(Some("a"), &"b".repeat(LONGEST - 1)).is_err());
    }
}
