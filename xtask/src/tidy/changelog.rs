//! The changelog is written by hand, so somebody has to notice when it was forgotten.

use anyhow::Result;

use super::read;
use crate::workspace::Workspace;

pub(super) fn broken_by(workspace: &Workspace) -> Result<Vec<String>> {
    let path = workspace.root.join("CHANGELOG.md");
    if !path.is_file() {
        return Ok(vec!["there is no CHANGELOG.md".to_owned()]);
    }
    let changelog = read(&path)?;
    let versions = workspace.published().map(|package| package.version.as_str());
    let missing = versions.filter(|version| !has_heading(&changelog, version));
    let mut breaches: Vec<String> =
        missing.map(|version| format!("CHANGELOG.md has no heading `## [{version}]`")).collect();
    breaches.dedup();
    Ok(breaches)
}

fn has_heading(changelog: &str, version: &str) -> bool {
    changelog
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .any(|heading| heading.trim_start_matches('[').split([']', ' ']).next() == Some(version))
}

#[cfg(test)]
mod tests {
    use super::has_heading;

    #[test]
    fn a_version_is_found_in_its_heading_only() {
        assert!(has_heading("# Changes\n\n## [0.1.0] - 2026-01-31\n", "0.1.0"));
        assert!(has_heading("## 0.1.0\n", "0.1.0"));
        assert!(!has_heading("## [0.1.0-rc.1]\n- since 0.1.0\n", "0.1.0"));
    }
}
