//! The tables in docs/ are complete, and every test that they name exists.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The items of the five documents: their prefix and how many there are.
const FOUNDING: [(&str, usize); 5] = [("PE", 22), ("BE", 23), ("PW", 15), ("PY", 10), ("LE", 19)];

/// The rows of the standards that have plain numbers.
const STANDARDS: [(&str, usize); 6] = [("S", 24), ("N", 14), ("K", 21), ("I", 6), ("P", 6), ("H", 6)];

/// The requirements of OWASP ASVS 5.0 that concern sessions.
const ASVS: [&str; 41] = [
    "7.1.1", "7.1.2", "7.1.3", "7.2.1", "7.2.2", "7.2.3", "7.2.4", "7.3.1", "7.3.2", "7.4.1", "7.4.2",
    "7.4.3", "7.4.4", "7.4.5", "7.5.1", "7.5.2", "7.5.3", "7.6.1", "7.6.2", "3.3.1", "3.3.2", "3.3.3",
    "3.3.4", "3.3.5", "3.5.1", "14.2.1", "14.3.1", "14.3.2", "11.5.1", "11.2.2", "11.2.4", "11.2.5", "9.1.1",
    "9.1.2", "9.2.1", "9.2.2", "15.4.1", "15.4.2", "1.5.2", "5.3.2", "16.2.5",
];

#[test]
fn every_item_of_the_founding_documents_is_shown_or_refused() {
    let items =
        FOUNDING.iter().flat_map(|(prefix, last)| (1..=*last).map(move |at| format!("{prefix}-{at:02}")));
    check("founding.md", items.collect(), "**Refused.**");
}

#[test]
fn every_row_of_the_standards_is_shown_or_the_applications_part() {
    let numbered =
        STANDARDS.iter().flat_map(|(prefix, last)| (1..=*last).map(move |at| format!("{prefix}-{at:02}")));
    let rows = numbered.chain(ASVS.iter().map(|row| format!("A-{row}"))).collect();
    check("standards.md", rows, "**The application's part.**");
}

/// `| id | what is asked | how it is here | shown by |`: the last cell names tests as `file::test`, or the third one
/// begins with `or_says`, and then says what to do instead.
fn check(document: &str, expected: BTreeSet<String>, or_says: &str) {
    let text = fs::read_to_string(root().join("docs").join(document)).unwrap();
    let tests = tests();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let is_item = |cell: &str| {
            cell.split_once('-').is_some_and(|(_, at)| at.starts_with(|c: char| c.is_ascii_digit()))
        };
        if !is_item(cells[0]) {
            continue;
        }
        let [id, asked, here, shown] = cells[..] else {
            wrong.push(format!("{}: {} cells", cells[0], cells.len()));
            continue;
        };
        if !seen.insert(id.to_owned()) {
            wrong.push(format!("{id}: twice"));
        }
        let named: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        let unknown = named.iter().filter(|name| match name.split_once("::") {
            Some((file, test)) => !tests.get(test).is_some_and(|files| files.contains(file)),
            None => true,
        });
        wrong.extend(unknown.map(|name| format!("{id}: there is no test {name}")));
        if asked.is_empty() || here.is_empty() {
            wrong.push(format!("{id}: an empty cell"));
        }
        let instead = here.strip_prefix(or_says).map(str::trim);
        if instead.is_some_and(str::is_empty) || instead.is_none() && named.is_empty() {
            wrong.push(format!("{id}: neither a test nor what to do instead"));
        }
    }
    wrong.extend(expected.difference(&seen).map(|id| format!("{id}: missing")));
    wrong.extend(seen.difference(&expected).map(|id| format!("{id}: there is no such item")));
    assert!(wrong.is_empty(), "{document}:\n{}", wrong.join("\n"));
}

/// The tests of the workspace and the cases of the kit, with the stems of the files they are in.
fn tests() -> BTreeMap<String, BTreeSet<String>> {
    let mut tests: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut files = Vec::new();
    ["crates", "demo", "examples", "tests"]
        .iter()
        .for_each(|folder| sources(&root().join(folder), &mut files));
    for file in files {
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let is_case = file.components().any(|part| part.as_os_str() == "cases");
        let (mut marked, mut in_macro) = (false, false);
        for line in text.lines() {
            // The file store's tests are written once for both of its paths.
            in_macro = line.starts_with("on_both_paths! {") || in_macro && line != "}";
            let line = line.trim();
            marked |= line == "#[test]" || line.starts_with("#[tokio::test");
            let case = line.strip_prefix("pub async fn ").filter(|_| is_case);
            let test = line.strip_prefix("async fn ").or(line.strip_prefix("fn "));
            let test = test.filter(|test| marked || in_macro && test.contains("(fixture) {"));
            if let Some(name) = case.or(test) {
                let name = name.split('(').next().unwrap_or_default();
                tests.entry(name.to_owned()).or_default().insert(stem.clone());
                marked = false;
            }
        }
    }
    assert!(tests.len() > 300, "only {} tests found", tests.len());
    tests
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
