//! What is refused before anything is done, and never repeats a password.

use crate::support::*;

#[test]
fn hostile_urls_are_refused_and_not_shown() {
    let long = format!("postgres://app:hunter2@{}/x", "h".repeat(5_000));
    for url in [
        "",
        "hunter2",
        "hunter2://x",
        "memory:",
        "file:",
        "sqlite:",
        "sqlite:x?mode=hunter2",
        "sqlite:file:hunter2",
        "postgres:hunter2",
        "postgres://a:hunter2@b@c/d",
        "postgres://a:hunter2@b:99999/c",
        "mysql://a:hunter2@b",
        "postgres://a:hunter2@b/c?d=hunter2",
        "redis://",
        "redis://:hunter2@h:x",
        "redis://:hunter2@h/#insecure",
        "redis+cluster://:hunter2@h/1",
        "http://hunter2",
        "env:",
        "env:NO_SUCH_hunter",
        "sqlite:hunter2\n.db",
        "redis://:hunter2@h\u{1b}[2J:1",
        &long,
    ] {
        for json in [None, Some("--json")] {
            let ran = run(&["--store", url, "list"].into_iter().chain(json).collect::<Vec<_>>());
            assert_eq!((ran.code, &*ran.out), (2, ""), "{url}: {ran:?}");
            assert!(!ran.err.contains("hunter2") && !ran.err.contains('\u{1b}'), "{url}: {ran:?}");
            assert!(ran.err.contains("--store"), "{url}: {ran:?}");
        }
    }
}

#[test]
fn hostile_names_are_refused() {
    let lab = Lab::new(Kind::Sqlite).unwrap();
    let sqlite = |arguments: &[&str]| run(&[&["--store", &lab.url], arguments].concat());
    for name in ["", "a b", "1a", "a;DROP TABLE sessions", "a\"", "ä", "../a", &"a".repeat(60)] {
        for option in ["--table", "--prefix"] {
            let ran = sqlite(&[option, name, "env", "create"]);
            assert_eq!((ran.code, &*ran.out), (2, ""), "{option} {name}: {ran:?}");
            assert!(ran.err.contains("1 to 48 letters"), "{ran:?}");
            assert!(ran.err.contains(option) && !ran.err.contains("--store"), "{ran:?}");
        }
    }
    for name in ["", "a b", "a*", "a{b}", "ä", "a\nb", &"a".repeat(65)] {
        let ran = run(&["--store", "redis://127.0.0.1:1", "--prefix", name, "list"]);
        assert_eq!((ran.code, &*ran.out), (2, ""), "{name}: {ran:?}");
        assert!(ran.err.contains("1 to 64 ASCII letters"), "{ran:?}");
    }
    assert_eq!(run(&["--store", "redis://127.0.0.1:1", "--table", "a", "list"]).code, 2);
    assert_eq!(run(&["--store", "file:x", "--prefix", "a", "list"]).code, 2);
    assert_eq!(sqlite(&["--realm", "", "list"]).code, 2);
}

#[test]
fn hostile_handles_and_places_are_refused() {
    let lab = Lab::new(Kind::File).unwrap();
    let upper = "A".repeat(64);
    for handle in ["", "x", "../../etc/passwd", &upper, &"a".repeat(63), &"a".repeat(65), "\u{1b}[2J"] {
        for command in ["show", "end"] {
            let ran = lab.run(&[command, handle]);
            assert_eq!((ran.code, &*ran.out), (2, ""), "{handle}: {ran:?}");
        }
        let ran = lab.run(&["list", "--principal", "ann", "--after", handle]);
        assert_eq!((ran.code, &*ran.out), (2, ""), "{handle}: {ran:?}");
    }
    for arguments in [
        &["list", "--after", "xyz"][..],
        &["list", "--limit", "0"],
        &["end"],
        &["end", "--principal", "ann", &"a".repeat(64)],
        &["show"],
        &["nonsense"],
        &["--deadline", "0s", "list"],
        &["--deadline", "eternity", "list"],
        &["keygen", "--count", "0"],
        &["completions", "nonsense"],
    ] {
        let ran = lab.run(arguments);
        assert_eq!((ran.code, &*ran.out), (2, ""), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn a_store_must_be_named_and_may_be_in_a_variable() {
    let ran = run(&["list"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("SESSIONCTL_STORE"), "{ran:?}");

    let lab = Lab::new(Kind::File).unwrap();
    lab.fill(0, 0, 1);
    let listed =
        |command: &mut std::process::Command| super::support::ran(command.output().unwrap()).ok().out;
    assert!(listed(command(&["list"]).env("SESSIONCTL_STORE", &lab.url)).contains("1 listed"));
    assert!(
        listed(command(&["list", "--store", "env:ELSEWHERE"]).env("ELSEWHERE", &lab.url))
            .contains("1 listed")
    );
}

#[test]
fn help_never_shows_the_variable() {
    for arguments in [&["--help"][..], &["list", "--help"], &["list", "--nonsense"]] {
        let mut command = command(arguments);
        let ran = ran(command.env("SESSIONCTL_STORE", "redis://:hunter2@localhost").output().unwrap());
        assert!(!format!("{ran:?}").contains("hunter2"), "{ran:?}");
    }
}
