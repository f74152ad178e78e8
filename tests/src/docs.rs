//! Reads doc comments back from the kit's own source, so that a rule is written once: above the code that checks it.

/// The doc comment above the line of `source` that starts with `item`, as one line of text.
///
/// # Panics
/// When there is none: a case or a liar without its sentence must not build a table.
pub(crate) fn above(source: &str, item: &str) -> String {
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    let Some(at) = lines.iter().position(|line| line.starts_with(item)) else {
        panic!("the kit's source has no line that starts with `{item}`");
    };
    let mut sentence: Vec<&str> = lines[..at]
        .iter()
        .rev()
        .skip_while(|line| line.starts_with("#["))
        .map_while(|line| line.strip_prefix("///"))
        .map(str::trim)
        .collect();
    sentence.reverse();
    assert!(!sentence.is_empty(), "`{item}` has no doc comment");
    sentence.join(" ")
}

#[cfg(test)]
mod tests {
    use super::above;

    const SOURCE: &str =
        "/// Other.\nfn other() {}\n\n/// One rule,\n/// on two lines.\n#[allow(x)]\nfn item() {}\n";

    #[test]
    fn joins_the_lines_above_the_item_only() {
        assert_eq!(above(SOURCE, "fn item("), "One rule, on two lines.");
    }

    #[test]
    #[should_panic(expected = "no line that starts with")]
    fn refuses_an_item_that_is_not_there() {
        above(SOURCE, "fn missing(");
    }
}
