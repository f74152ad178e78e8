//! The README lists exactly the cases there are.

use std::{env, fs, path::Path};

use session_conformance::store::CASES;

const START: &str = "<!-- cases -->\n";
const END: &str = "<!-- end of cases -->";

#[test]
fn the_readme_lists_every_case() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).expect("the kit has a README");
    let (head, rest) = readme.split_once(START).expect("the README says where the list begins");
    let (listed, tail) = rest.split_once(END).expect("the README says where the list ends");
    let table = table();
    if env::var_os("UPDATE_README").is_some() {
        fs::write(&path, format!("{head}{START}{table}{END}{tail}")).expect("the README can be written");
        return;
    }
    assert!(listed == table, "README.md is out of date: run this test with UPDATE_README=1");
}

#[test]
fn every_rule_is_a_sentence() {
    for case in CASES.iter() {
        assert!(case.spec.starts_with(|first: char| !first.is_lowercase()), "{}: {}", case.name, case.spec);
        assert!(case.spec.ends_with('.'), "{}: {}", case.name, case.spec);
    }
}

fn table() -> String {
    let mut table = String::from("\n| part | case | rule | needs |\n|---|---|---|---|\n");
    for case in CASES.iter() {
        let needs: Vec<String> = case.needs.iter().map(|need| format!("{need:?}")).collect();
        table += &format!("| {} | `{}` | {} | {} |\n", case.part, case.name, case.spec, needs.join(", "));
    }
    table.push('\n');
    table
}
