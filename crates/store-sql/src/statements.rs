//! The statements, as each database spells them.

use crate::{driver::Sql, table::Table};

/// What is sent while the store is used.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) load: Sql,
    pub(crate) create: Sql,
    /// Where `create` cannot take the place of an expired record: what does.
    pub(crate) succeed: Option<Sql>,
    pub(crate) replace: Sql,
    pub(crate) remove: Sql,
    pub(crate) remove_version: Sql,
    pub(crate) version: Sql,
    pub(crate) keys_from_start: Sql,
    pub(crate) keys_after: Sql,
    pub(crate) scan_from_start: Sql,
    pub(crate) scan_after: Sql,
    pub(crate) expired: Sql,
    pub(crate) delete_expired: Sql,
    pub(crate) schema: Sql,
    /// Statements that change nothing, and fail if the store could not be used.
    pub(crate) probes: Vec<Sql>,
}

/// How a database spells what they all can.
pub(crate) struct Spelling {
    /// Around a name.
    pub(crate) quote: char,
    /// Whether parameters are `$1`, `$2`, … instead of `?`.
    pub(crate) numbered: bool,
    /// What follows an insertion that may meet a record, with one parameter, the time; `None` if there is no such thing.
    pub(crate) on_conflict: bool,
    /// Whether one parameter can be a list.
    pub(crate) lists: bool,
}

/// Keys that are deleted by one statement of a sweep.
pub(crate) const BATCH: usize = 200;

impl Statements {
    pub(crate) fn new(table: &Table, spelling: &Spelling) -> Self {
        let quoted = |name: &str| format!("{0}{name}{0}", spelling.quote);
        let (t, schema) = (quoted(table.records()), quoted(&table.schema()));
        let sql = |text: String| spelling.numbered(&text);

        let insert = format!(
            "INSERT INTO {t} (session_key, record, expires_at, version, principal) VALUES (?, ?, ?, ?, ?)"
        );
        let (create, succeed) = if spelling.on_conflict {
            let on_conflict = format!(
                " ON CONFLICT (session_key) DO UPDATE SET record = excluded.record, expires_at = excluded.expires_at, \
                 version = excluded.version, principal = excluded.principal WHERE {t}.expires_at <= ?"
            );
            (insert + &on_conflict, None)
        } else {
            let update = format!(
                "UPDATE {t} SET record = ?, expires_at = ?, version = ?, principal = ? \
                 WHERE session_key = ? AND expires_at <= ?"
            );
            (insert, Some(update))
        };
        let list = match spelling.lists {
            true => "session_key = ANY(?)".to_owned(),
            false => format!("session_key IN ({})", vec!["?"; BATCH].join(", ")),
        };

        Self {
            load: sql(format!("SELECT record, expires_at, version FROM {t} WHERE session_key = ?")),
            create: sql(create),
            succeed: succeed.map(sql),
            replace: sql(format!(
                "UPDATE {t} SET record = ?, expires_at = ?, version = ?, principal = ? \
                 WHERE session_key = ? AND version = ?"
            )),
            remove: sql(format!("DELETE FROM {t} WHERE session_key = ?")),
            remove_version: sql(format!("DELETE FROM {t} WHERE session_key = ? AND version = ?")),
            version: sql(format!("SELECT version FROM {t} WHERE session_key = ?")),
            keys_from_start: sql(format!(
                "SELECT session_key FROM {t} WHERE principal = ? ORDER BY session_key LIMIT ?"
            )),
            keys_after: sql(format!(
                "SELECT session_key FROM {t} WHERE principal = ? AND session_key > ? ORDER BY session_key LIMIT ?"
            )),
            scan_from_start: sql(format!(
                "SELECT session_key, record, expires_at, version, principal FROM {t} ORDER BY session_key LIMIT ?"
            )),
            scan_after: sql(format!(
                "SELECT session_key, record, expires_at, version, principal FROM {t} WHERE session_key > ? \
                 ORDER BY session_key LIMIT ?"
            )),
            expired: sql(format!(
                "SELECT session_key FROM {t} WHERE expires_at >= ? AND expires_at < ? ORDER BY expires_at LIMIT ?"
            )),
            delete_expired: sql(format!(
                "DELETE FROM {t} WHERE {list} AND expires_at >= ? AND expires_at < ?"
            )),
            schema: sql(format!("SELECT version FROM {schema} ORDER BY version DESC LIMIT 1")),
            probes: [
                format!("SELECT session_key, record, expires_at, version, principal FROM {t} WHERE 1 = 0"),
                format!("UPDATE {t} SET record = record WHERE 1 = 0"),
                format!("DELETE FROM {t} WHERE 1 = 0"),
            ]
            .map(sql)
            .into(),
        }
    }
}

impl Spelling {
    /// Every statement is written with `?`; none has one in a literal.
    fn numbered(&self, text: &str) -> Sql {
        if !self.numbered {
            return text.into();
        }
        let mut pieces = text.split('?');
        let mut numbered = pieces.next().unwrap_or_default().to_owned();
        for (number, piece) in (1..).zip(pieces) {
            numbered += &format!("${number}{piece}");
        }
        numbered.into()
    }
}
