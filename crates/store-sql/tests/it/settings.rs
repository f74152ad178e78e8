//! Settings that are refused, before anything is connected.

use std::time::Duration;

use session_store_sql::{OpenError, SqlStore, SqliteDurability};

const POSTGRES: &str = "postgres://app:s3cret@127.0.0.1:1/app";

#[test]
fn hostile_names_are_refused() {
    // Shows: A34
    for name in
        ["", "1a", "a b", "a; DROP TABLE users", "a\"", "a`", "sessions\0", "ünicode", &"a".repeat(49)]
    {
        for builder in [SqlStore::builder().table(name), SqlStore::builder().prefix(name)] {
            let error = builder.connect_lazy(POSTGRES).unwrap_err();
            assert!(matches!(error, OpenError::Table), "{name}: {error:?}");
        }
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let named = |name: &'static str, error: OpenError| {
        assert!(matches!(error, OpenError::Setting(setting) if setting == name), "{name}: {error:?}");
    };
    let builder = SqlStore::builder;
    named("deadline", builder().deadline(Duration::ZERO).connect_lazy(POSTGRES).unwrap_err());
    named("deadline", builder().deadline(Duration::MAX).connect_lazy(POSTGRES).unwrap_err());
    named("connections", builder().connections(0).connect_lazy(POSTGRES).unwrap_err());
    named("connections", builder().connections(usize::MAX).connect_lazy(POSTGRES).unwrap_err());
    let normal = builder().sqlite_durability(SqliteDurability::Normal);
    named("sqlite_durability", normal.connect_lazy(POSTGRES).unwrap_err());
    named("sqlite_max_bytes", builder().sqlite_max_bytes(1 << 20).connect_lazy(POSTGRES).unwrap_err());
}

#[test]
fn no_error_and_no_debug_shows_a_password() {
    // Shows: A17
    for url in [
        "postgres://app:s3cret@db/app?pasword=s3cret",
        "postgres://app:s3/cret@db/app",
        "postgres://app:s3cret@db:port/app",
        "mysql://app:s3cret@db",
        "oracle://app:s3cret@db",
        "postgres://app:s3cret@db/app?sslmode=s3cret",
        "postgres://app:s3cret@db/app?port=s3cret",
        "postgres://app:s3cret@[db/app",
        "mysql://app:s3cret@db/app?ssl-mode=s3cret",
    ] {
        let error = SqlStore::builder().connect_lazy(url).expect_err(url);
        assert!(!crate::common::told(&error).contains("cret"), "{url}: {error:?}");
    }
    let store = SqlStore::builder().connect_lazy(POSTGRES).unwrap();
    assert!(!format!("{store:?} {:?}", SqlStore::builder()).contains("s3cret"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_its_password() {
    for url in [POSTGRES, "mysql://app:s3cret@127.0.0.1:1/app"] {
        let error = SqlStore::connect(url).await.unwrap_err();
        assert!(matches!(error, OpenError::Environment(_)), "{error:?}");
        let told = crate::common::told(&error);
        assert!(told.contains("refused") && !told.contains("s3cret"), "{told}");
    }
}
