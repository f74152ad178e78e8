//! What needs no store: keys, completions, help.

use std::io::Read;

use session_core::persist::{KeyRing, SecretKey};

use crate::support::*;

#[test]
fn keys_are_taken_by_a_key_ring() {
    let printed = run(&["keygen", "--count", "3"]).ok().out;
    let keys: Vec<_> = printed.trim().split(',').map(|key| SecretKey::from_text(key).unwrap()).collect();
    assert_eq!(keys.len(), 3);
    KeyRing::from_keys(keys).unwrap();
    let json = run(&["keygen", "--json"]).ok().json();
    SecretKey::from_text(json["keys"][0].as_str().unwrap()).unwrap();
    assert_ne!(run(&["keygen"]).out, run(&["keygen"]).out);
}

#[test]
fn keys_are_taken_by_a_configuration() {
    let printed = run(&["keygen", "--count", "2"]).ok().out;
    let pairs = [("session.keys", printed.trim()), ("session.persist", "signed-cookie")];
    session_core::SessionConfig::from_pairs("session.", pairs).unwrap();
}

#[test]
fn shells_complete_commands_and_options() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell]).ok().out;
        for word in ["sessionctl", "sweep", "dry-run", "show-values", "copy"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        assert_eq!(run(&["completions", shell, "--json"]).ok().json()["script"], script);
    }
}

#[test]
fn help_fits_a_terminal_and_teaches() {
    let commands: &[&[&str]] = &[
        &[],
        &["env"],
        &["env", "create"],
        &["env", "check"],
        &["env", "drop"],
        &["sweep"],
        &["list"],
        &["show"],
        &["end"],
        &["stats"],
        &["keygen"],
        &["copy"],
        &["completions"],
    ];
    for command in commands {
        for option in ["-h", "--help"] {
            let help = run(&[*command, &[option]].concat()).ok().out;
            let wide: Vec<_> = help.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(wide.is_empty(), "{command:?} {option}: {wide:?}");
        }
    }
    let help = run(&["--help"]).ok().out;
    assert!(help.contains("Examples:") && help.contains("Exit codes:"));
}

/// As `sessionctl … | head -1`.
#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut command = command(&["completions", "bash"]);
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), &*said), (Some(0), ""));
}
