//! The README of a crate is the first page of its documentation, and shows a program before anything else; that of a
//! program shows its use.

use anyhow::Result;

use super::read;
use crate::workspace::{Package, Workspace};

const MOST_LINES: usize = 30;

pub(super) fn broken_by(workspace: &Workspace) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for package in workspace.published() {
        if let Some(breach) = breach(package)? {
            breaches.push(format!("{}: {breach}", workspace.relative(package.folder()).display()));
        }
    }
    Ok(breaches)
}

fn breach(package: &Package) -> Result<Option<String>> {
    let path = package.folder().join("README.md");
    if !path.is_file() {
        return Ok(Some("there is no README.md".to_owned()));
    }
    let file = package.first_file();
    if !read(&package.folder().join(file))?.contains("#![doc = include_str!(\"../README.md\")]") {
        return Ok(Some(format!("{file} does not include README.md as its documentation")));
    }
    if !package.is_library() {
        let session = read(&path)?.lines().any(|line| line == "```console");
        return Ok((!session).then(|| "README.md shows no use of the program".to_owned()));
    }
    Ok(match first_program(&read(&path)?) {
        None => Some("README.md shows no program".to_owned()),
        Some(lines) if lines > MOST_LINES => {
            Some(format!("the first program in README.md has {lines} lines; {MOST_LINES} are enough"))
        }
        Some(_) => None,
    })
}

/// How many lines the reader sees of the first Rust program.
fn first_program(readme: &str) -> Option<usize> {
    let mut lines = readme.lines();
    lines.by_ref().find(|line| *line == "```" || line.starts_with("```rust"))?;
    Some(
        lines
            .take_while(|line| *line != "```")
            .filter(|line| *line != "#" && !line.starts_with("# "))
            .count(),
    )
}

#[cfg(test)]
mod tests {
    use super::first_program;

    #[test]
    fn only_what_the_reader_sees_counts() {
        assert_eq!(first_program("# Title\n\n```rust\n# hidden\nfn main() {}\n#\n\n```\nmore"), Some(2));
        assert_eq!(first_program("```text\nno program\n"), None);
    }
}
