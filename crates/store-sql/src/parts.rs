//! The parts of the environment: what makes each, and what tells whether it is there.

use crate::driver::Sql;

/// The version of the schema that this crate makes and knows.
pub(crate) const SCHEMA: i64 = 1;

/// A table, an index, or the note of the version.
#[derive(Debug)]
pub(crate) struct Part {
    /// For people.
    pub(crate) name: String,
    /// Answers one row if it is there.
    pub(crate) find: Sql,
    pub(crate) make: Sql,
    /// Nothing if it goes with its table.
    pub(crate) unmake: Option<Sql>,
}

impl Part {
    pub(crate) fn new(name: &str, find: String, make: String, unmake: Option<String>) -> Self {
        Self { name: name.to_owned(), find: find.into(), make: make.into(), unmake: unmake.map(Sql::from) }
    }
}
