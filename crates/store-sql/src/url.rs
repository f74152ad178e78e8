//! What a URL may say. Everything else is refused before anything is connected, and nothing of it is shown.

use crate::open_error::OpenError;

/// A database, by the scheme of its URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
    MySql,
}

/// The database that `url` means, once the URL is what it seems to be.
pub(crate) fn parse(url: &str) -> Result<Database, OpenError> {
    let (scheme, rest) =
        url.split_once(':').ok_or(OpenError::Url("it begins with the name of a database and `:`"))?;
    let database = match scheme {
        "sqlite" => Database::Sqlite,
        "postgres" | "postgresql" => Database::Postgres,
        "mysql" | "mariadb" => Database::MySql,
        _ => return Err(OpenError::Url("the database is sqlite, postgres, mysql or mariadb")),
    };
    if url.len() > LONGEST {
        return Err(OpenError::Url("it has at most 2,048 bytes"));
    }
    if url.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(OpenError::Url("it has no control characters"));
    }
    match database {
        Database::Sqlite => path(rest)?,
        Database::Postgres => server(rest, POSTGRES, false)?,
        Database::MySql => server(rest, MYSQL, true)?,
    }
    Ok(database)
}

const LONGEST: usize = 2_048;

/// Parameters that sqlx understands. It skips others.
const POSTGRES: &[&str] = &[
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];
const MYSQL: &[&str] = &[
    "sslmode",
    "ssl-mode",
    "sslca",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "charset",
    "collation",
    "statement-cache-capacity",
    "socket",
    "timezone",
    "time-zone",
];

/// `sqlite:PATH`, `sqlite://PATH` or `sqlite::memory:`.
fn path(rest: &str) -> Result<(), OpenError> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() {
        // A database without a name is one that SQLite deletes with the connection.
        return Err(OpenError::Url("sqlite: is followed by a path or by :memory:"));
    }
    if path.contains('?') {
        return Err(OpenError::Url("a path to a SQLite database takes no parameters; write ? as %3F"));
    }
    if path.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("file:")) {
        return Err(OpenError::Url("the path of a SQLite database is no URI"));
    }
    if path != ":memory:" && path.starts_with(':') {
        return Err(OpenError::Url("the only database with a name in colons is :memory:"));
    }
    if path.to_ascii_lowercase().contains("%00") {
        return Err(OpenError::Url("a path has no byte of zero"));
    }
    Ok(())
}

/// `//USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS`. A password with `/`, `?`, `#` or `@` in it that was not
/// percent-encoded would end up as a host, a database or a parameter, and so in errors and logs.
fn server(rest: &str, parameters: &[&str], needs_database: bool) -> Result<(), OpenError> {
    let rest = rest.strip_prefix("//").ok_or(OpenError::Url("the name of the server follows ://"))?;
    if rest.contains(['#', ' ', '\\', '"', '<', '>', '`']) {
        return Err(OpenError::Url("special characters are percent-encoded"));
    }
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = before.split_once('/').unwrap_or((before, ""));
    let misplaced = |text: &str| text.contains('@');
    if misplaced(query) || misplaced(database) || authority.matches('@').count() > 1 {
        return Err(OpenError::Url("in a password, @ is written %40, / is %2F, ? is %3F"));
    }
    if database.contains(['/', ':']) {
        return Err(OpenError::Url("the name of the database follows the server, and nothing follows it"));
    }
    if needs_database && database.is_empty() {
        return Err(OpenError::Url("the name of the database follows the server"));
    }
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let port = host.rsplit_once(':').filter(|_| !host.ends_with(']')).map(|(_, port)| port);
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(OpenError::Url("a port is a number up to 65535"));
    }
    for (name, _) in form_urlencoded::parse(query.as_bytes()) {
        let known = parameters.contains(&&*name)
            || parameters.contains(&"options") && name.starts_with("options[") && name.ends_with(']');
        if !known {
            return Err(OpenError::UrlParameter(
                name.chars().filter(|c| c.is_ascii_graphic()).take(40).collect(),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_each_database_are_taken() {
        for (url, database) in [
            ("sqlite:sessions.db", Database::Sqlite),
            ("sqlite:///var/lib/app/sessions.db", Database::Sqlite),
            ("sqlite::memory:", Database::Sqlite),
            ("sqlite:a%3Fb.db", Database::Sqlite),
            ("postgres://app:s%40cret@db:5432/app?sslmode=require", Database::Postgres),
            ("postgresql://db/app?options[search_path]=sessions", Database::Postgres),
            ("postgres://app@[::1]/app", Database::Postgres),
            ("postgres://%2Frun%2Fpostgresql/app", Database::Postgres),
            ("postgres:///app?host=/run/postgresql", Database::Postgres),
            ("mysql://app:secret@db/app", Database::MySql),
            ("mariadb://app@localhost:3307/app?socket=/run/mysqld/mysqld.sock", Database::MySql),
        ] {
            assert_eq!(parse(url).unwrap(), database, "{url}");
        }
    }

    #[test]
    fn hostile_urls_are_refused_and_not_shown() {
        // Shows: A34
        let long = format!("postgres://db/{}", "s3cret".repeat(500));
        for url in [
            "",
            "s3cret",
            "s3cret://db",
            "file:s3cret",
            "sqlite:",
            "sqlite://",
            "sqlite:s3cret.db?mode=memory",
            "sqlite:file:s3cret?vfs=unix-none",
            "sqlite:FILE:s3cret",
            "sqlite::s3cret:",
            "sqlite:s3cret%00.db",
            "sqlite:s3cret\n.db",
            "postgres:s3cret",
            "postgres://app:s3cret@x@db/app",
            "postgres://app:s3/cret@db/app",
            "postgres://app:s3?cret@db/app",
            "postgres://app:s3#cret@db/app",
            "postgres://app:s3 cret@db/app",
            "postgres://app:s3cret@db:99999/app",
            "postgres://app:s3cret@db:x/app",
            "postgres://app:s3cret@db/app/more",
            "postgres://app:s3cret@db/app?pasword=s3cret",
            "postgres://app:s3cret@db/app?sslmode=require&nonsense=s3cret",
            "mysql://app:s3cret@db",
            "mysql://app:s3cret@db/",
            "mysql://app:s3cret@db/app?options=s3cret",
            "mysql://app:s3cret\0@db/app",
            &long,
        ] {
            let refused = parse(url).expect_err(url);
            assert!(!format!("{refused} {refused:?}").contains("cret"), "{url}: {refused:?}");
        }
    }
}
