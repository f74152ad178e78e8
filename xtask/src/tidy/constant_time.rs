//! Secrets are compared in constant time. No test can tell: a comparison that stops at the first difference gives the
//! same answers, and how long it takes depends on the compiler and the machine.

use anyhow::Result;

use super::read;
use crate::workspace::Workspace;

/// Where a secret is compared with what a client presents, and how.
const COMPARISONS: [(&str, &str); 4] = [
    ("crates/session-core/src/csrf.rs", "presented.ct_eq(&secret)"),
    ("crates/session-core/src/id.rs", ".as_bytes().ct_eq(other.expose_secret().as_bytes())"),
    ("crates/session-core/src/persist/keys.rs", ".verify_slice(tag)"),
    ("crates/session-core/src/persist/keys.rs", ".verify_truncated_left(tag)"),
];

/// Types whose equality would have to be written by hand.
const SECRET_TYPES: [(&str, &str); 3] = [
    ("crates/session-core/src/id.rs", "pub struct SessionId("),
    ("crates/session-core/src/id.rs", "struct Drawn("),
    ("crates/session-core/src/persist/keys.rs", "pub(super) struct DerivedKey("),
];

pub(super) fn broken_by(workspace: &Workspace) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for (file, comparison) in COMPARISONS {
        if !read(&workspace.root.join(file))?.contains(comparison) {
            breaches.push(format!("{file} does not compare by {comparison}"));
        }
    }
    for (file, declaration) in SECRET_TYPES {
        let text = read(&workspace.root.join(file))?;
        match derives_equality(&text, declaration) {
            Some(false) => {}
            Some(true) => breaches.push(format!("{file} derives the equality of `{declaration}`")),
            None => breaches.push(format!("{file} has no `{declaration}`")),
        }
    }
    Ok(breaches)
}

/// `None` if it is not declared.
fn derives_equality(text: &str, declaration: &str) -> Option<bool> {
    let (before, _) = text.split_once(&format!("\n{declaration}"))?;
    let attributes =
        before.lines().rev().take_while(|line| line.starts_with("#[") || line.starts_with("///"));
    Some(attributes.filter(|line| line.starts_with("#[derive")).any(|line| line.contains("PartialEq")))
}

#[cfg(test)]
mod tests {
    use super::derives_equality;

    #[test]
    fn a_derived_equality_is_seen() {
        let text = "/// One.\n#[derive(Clone, PartialEq)]\n/// More.\nstruct A(u8);\n#[derive(Clone)]\nstruct B(u8);\n";
        assert_eq!(derives_equality(text, "struct A("), Some(true));
        assert_eq!(derives_equality(text, "struct B("), Some(false));
        assert_eq!(derives_equality(text, "struct C("), None);
    }
}
