//! A file has one reason to exist. One that is very long has a second, or a reason that can be written down.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{files_below, read};
use crate::workspace::Workspace;

const MOST_LINES: usize = 500;
const EXCEPTIONS: &str = "xtask/long-files.txt";

pub(super) fn broken_by(workspace: &Workspace) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    let text = read(&workspace.root.join(EXCEPTIONS))?;
    let mut excused = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.split_once(": ") {
            Some((file, reason)) if !reason.trim().is_empty() => drop(excused.insert(file, reason)),
            _ => breaches.push(format!("{EXCEPTIONS} gives no reason: {line}")),
        }
    }
    for package in &workspace.packages {
        for file in files_below(&package.folder().join("src"), ".rs")? {
            let lines = read(&file)?.lines().count();
            let file = workspace.relative(&file).display().to_string();
            if lines > MOST_LINES && excused.remove(file.as_str()).is_none() {
                breaches.push(format!("{file} has {lines} lines, and no reason in {EXCEPTIONS}"));
            }
        }
    }
    breaches
        .extend(excused.keys().map(|file| format!("{EXCEPTIONS} excuses {file}, which is not that long")));
    Ok(breaches)
}
