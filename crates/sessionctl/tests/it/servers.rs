//! Servers that refuse, and servers that do not answer.

use std::time::Instant;

use session_test_servers::{CuttableProxy, MariadbServer, PostgresServer, RedisRecipe};

use crate::support::*;

const EVERY_COMMAND: &[&[&str]] = &[
    &["env", "create"],
    &["env", "check"],
    &["env", "drop", "--yes"],
    &["list"],
    &["list", "--principal", "ann"],
    &["stats"],
    &["end", "--principal", "ann", "--yes"],
    &["show", "0000000000000000000000000000000000000000000000000000000000000000"],
    &["sweep", "--dry-run"],
];

/// A wrong password is a failure that says so, and is repeated nowhere.
fn refuses(url: &str) {
    for arguments in EVERY_COMMAND {
        for json in [None, Some("--json")] {
            let ran = run(&[&["--store", url, "--deadline", "5s"], *arguments, json.as_slice()].concat());
            if url.starts_with("redis") && arguments[0] == "sweep" {
                continue; // nothing is asked
            }
            assert_eq!(ran.code, 1, "{arguments:?}: {ran:?}");
            let shown = format!("{}{}", ran.out, ran.err);
            assert!(!shown.contains("hunter"), "{arguments:?}: {ran:?}");
            assert!(shown.contains("unavailable"), "{arguments:?}: {ran:?}");
        }
    }
}

#[test]
fn a_wrong_password_for_redis_is_not_shown() {
    let Some(server) = or_skip(RedisRecipe::default().password("hunter2").start()) else { return };
    refuses(&format!("redis://:hunter3@127.0.0.1:{}", server.port()));
    run(&["--store", &server.url(), "env", "create"]).ok();
}

#[test]
fn a_wrong_password_for_postgres_is_not_shown() {
    let Some(url) = or_skip(PostgresServer::shared()) else { return };
    let (_, place) = url.split_once('@').unwrap();
    refuses(&format!("postgres://guarded:hunter3@{place}"));
}

#[test]
fn a_wrong_password_for_mysql_is_not_shown() {
    let Some(url) = or_skip(MariadbServer::shared()) else { return };
    let (_, place) = url.split_once('@').unwrap();
    refuses(&format!("mysql://guarded:hunter3@{place}"));
}

/// Encryption that was asked for is never left out: the server would have to be asked to know that it has none.
#[cfg(feature = "tls")]
#[test]
fn encryption_is_built_in_and_never_left_out() {
    let nobody = run(&["--store", "rediss://127.0.0.1:1", "--deadline", "300ms", "list"]);
    assert_eq!((nobody.code, nobody.err.contains("unavailable")), (1, true), "{nobody:?}");

    let Some(url) = or_skip(PostgresServer::shared()) else { return };
    let plain = run(&["--store", &url.replace("sslmode=disable", "sslmode=require"), "list"]);
    assert_eq!((plain.code, plain.err.contains("TLS")), (1, true), "{plain:?}");
    assert!(!plain.err.contains("without TLS support enabled"), "{plain:?}");
}

/// Nobody listens, or somebody does and says nothing.
#[test]
fn a_store_that_does_not_answer_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = CuttableProxy::start(listener.local_addr().unwrap().port()).unwrap();
    silent.stall(true);
    for scheme in
        ["redis://:hunter2@", "redis+cluster://:hunter2@", "postgres://app:hunter2@", "mysql://app:hunter2@"]
    {
        for port in [1, silent.port()] {
            let database = if scheme.starts_with("redis") { "" } else { "/app" };
            let url = format!("{scheme}127.0.0.1:{port}{database}");
            let begun = Instant::now();
            let ran = run(&["--store", &url, "--deadline", "300ms", "list"]);
            // A hang would be ended by the test runner.
            println!("{scheme}…:{port}: {:?}", begun.elapsed());
            assert_eq!((ran.code, &*ran.out), (1, ""), "{ran:?}");
            assert!(ran.err.contains("unavailable") && !ran.err.contains("hunter2"), "{ran:?}");
        }
    }
}
