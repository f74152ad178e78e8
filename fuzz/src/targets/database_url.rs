//! URLs of databases, and names of tables.

use crate::{sql_table::Table, sql_url};

/// The first line is a URL, the second a prefix, the third the name of a table.
pub(super) fn run(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (url, prefix, name) = (line(), line(), line());
    let mut accepted = false;
    match sql_url::parse(url) {
        Ok(_) => {
            assert!(url.len() <= 2_048 && !url.bytes().any(|byte| byte.is_ascii_control()));
            accepted = true;
        }
        Err(error) => {
            let shown = format!("{error} {error:?}");
            assert!(shown.len() < 400, "an error is long");
            assert!(!password(url).is_some_and(|password| shown.contains(password)), "a password is shown");
        }
    }
    for prefix in [None, Some(prefix)] {
        let Ok(table) = Table::new(prefix, name) else { continue };
        let expected = prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}_{name}"));
        assert_eq!(table.records(), expected);
        for name in [table.records(), &table.schema(), &table.by_expiry(), &table.by_principal()] {
            // What every database takes unquoted, in the 63 bytes of PostgreSQL.
            assert!(name.len() <= 63 && !name.starts_with(|first: char| first.is_ascii_digit()));
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
        }
        accepted = true;
    }
    accepted
}

/// What stands where a password belongs and nowhere else, if it is long enough not to be a part of our own words by
/// chance.
pub(super) fn password(url: &str) -> Option<&str> {
    let (login, rest) = url.split_once("://")?.1.split_once('@')?;
    let (_, password) = login.split_once(':')?;
    if rest.contains(password) {
        return None;
    }
    let distinct = password.len() >= 8 && password.bytes().any(|byte| byte.is_ascii_digit());
    distinct.then_some(password)
}
