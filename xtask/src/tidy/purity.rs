//! What session-core must not touch. Its dependency list keeps crates out; this keeps the standard library's doors shut.

use anyhow::Result;

use super::{files_below, read};
use crate::workspace::Workspace;

/// What must not occur, and where it may nevertheless.
const FORBIDDEN: [(&str, Option<&str>); 8] = [
    ("std::env", None),
    ("std::fs", None),
    ("std::net::Tcp", None),
    ("std::net::Udp", None),
    ("std::process", None),
    ("std::thread", None),
    ("Instant::now", None),
    ("SystemTime::now", Some("clock.rs")),
];

pub(super) fn broken_by(workspace: &Workspace) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for file in files_below(&workspace.root.join("crates/session-core/src"), ".rs")? {
        let text = read(&file)?;
        for (number, line) in (1..).zip(code(&text)) {
            for (forbidden, home) in FORBIDDEN {
                if line.contains(forbidden) && home.is_none_or(|home| !file.ends_with(home)) {
                    let file = workspace.relative(&file).display();
                    breaches.push(format!("{file}:{number} uses {forbidden}"));
                }
            }
        }
    }
    Ok(breaches)
}

/// The lines before the tests; comments are empty lines.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .map(|line| if line.trim_start().starts_with("//") { "" } else { line })
}
