//! Links between the files of this repository.

use anyhow::Result;

use super::{files_below, read};
use crate::workspace::Workspace;

pub(super) fn broken_by(workspace: &Workspace) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for file in files_below(&workspace.root, ".md")? {
        let folder = file.parent().unwrap_or(&workspace.root);
        for target in targets(&read(&file)?) {
            if !folder.join(&target).exists() {
                breaches.push(format!(
                    "{} links to {target}, which is not there",
                    workspace.relative(&file).display()
                ));
            }
        }
    }
    Ok(breaches)
}

/// The files that a Markdown text links to: no addresses, no places on the same page, no items for rustdoc.
fn targets(markdown: &str) -> Vec<String> {
    let mut in_code = false;
    let mut targets = Vec::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', '#', ' ']).next().unwrap_or_default();
            if !target.is_empty()
                && !target.contains("::")
                && !target.contains(':')
                && target.contains(['.', '/'])
            {
                targets.push(target.to_owned());
            }
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::targets;

    #[test]
    fn only_files_are_targets() {
        let text = "[a](docs/a.md#part) [b](https://example.org/b) [c](crate::C) [d](#d) ![e](e.svg)\n```\n[f](f.md)\n```\n[g](Store)";
        assert_eq!(targets(text), ["docs/a.md", "e.svg"]);
    }
}
