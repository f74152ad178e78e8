//! `env create`, `env check`, `env drop`.

use crate::support::*;

on_each_store! {
    fn what_was_created_is_fit_and_creating_it_again_changes_nothing(lab) {
        lab.fill(1, 0, 0);
        let created = lab.json(&["env", "create"]);
        assert_eq!((&created["action"], &created["ok"]), (&"create".into(), &true.into()));
        let checked = lab.json(&["env", "check"]);
        assert_eq!((&checked["ok"], checked["problems"].as_array().unwrap().len()), (&true.into(), 0));
        assert_eq!(lab.handles(&[]).len(), 1);
    }

    fn what_was_dropped_is_gone(lab) {
        lab.fill(2, 0, 1);
        let unasked = lab.run(&["env", "drop"]);
        assert_eq!(unasked.code, 2, "{unasked:?}");
        assert!(unasked.err.contains("--yes"), "{unasked:?}");
        assert_eq!(lab.handles(&[]).len(), 3);

        lab.run(&["env", "drop", "--yes"]).ok();
        let checked = lab.run(&["env", "check", "--json"]);
        assert_eq!((checked.code, &checked.json()["ok"]), (1, &false.into()), "{checked:?}");
        assert!(!checked.json()["problems"].as_array().unwrap().is_empty());
        lab.run(&["env", "create"]).ok();
        assert!(lab.handles(&[]).is_empty());
    }
}

#[test]
fn a_missing_table_is_named_once() {
    let lab = Lab::new(Kind::Sqlite).unwrap();
    lab.run(&["env", "drop", "--yes"]).ok();
    let checked = lab.run(&["env", "check", "--json"]).json();
    let problems: Vec<&str> =
        checked["problems"].as_array().unwrap().iter().flat_map(|it| it.as_str()).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems.iter().all(|problem| problem.ends_with("is missing")), "{problems:?}");
}

#[test]
fn what_is_missing_is_named_and_so_is_what_makes_it() {
    for kind in [Kind::File, Kind::Sqlite, Kind::Postgres, Kind::MySql] {
        let Some(lab) = Lab::without_environment(kind) else { continue };
        let told = lab.run(&["stats"]).err;
        let named = match kind {
            Kind::File | Kind::Sqlite => lab.folder.path().display().to_string(),
            _ => lab.names[1].clone() + "_sessions_schema",
        };
        assert!(told.contains(&named) && told.contains("env create"), "{kind:?}: {told}");
        assert!(!told.contains(" line ") && !told.contains("code"), "{kind:?}: {told}");
    }
}

#[test]
fn a_server_that_is_not_there_is_not_to_be_created() {
    for command in [&["stats"][..], &["env", "check"]] {
        let ran = run(&[&["--store", "redis://127.0.0.1:1"], command].concat());
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(!format!("{ran:?}").contains("create"), "{ran:?}");
    }
}

#[test]
fn looking_makes_nothing() {
    for kind in [Kind::File, Kind::Sqlite] {
        let lab = Lab::without_environment(kind).unwrap();
        for arguments in [&["env", "check"][..], &["list"], &["stats"], &["sweep"], &["env", "drop", "--yes"]]
        {
            let ran = lab.run(arguments);
            // Dropping what is not there is done already, or an error; either way nothing was made.
            assert!(ran.code == 1 || arguments.contains(&"drop"), "{arguments:?}: {ran:?}");
        }
        let left: Vec<_> = std::fs::read_dir(lab.folder.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
        let told = lab.run(&["list"]).err;
        assert!(told.contains("env create"), "{told}");
    }
}

#[test]
fn a_folder_of_something_else_is_not_touched() {
    let lab = Lab::without_environment(Kind::File).unwrap();
    let folder = lab.folder.path().join("sessions");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    std::fs::write(folder.join("notes"), "mine").unwrap();
    assert_eq!(lab.run(&["env", "check"]).code, 1);
    assert!(lab.handles(&[]).is_empty());
    assert_eq!(lab.run(&["env", "drop", "--yes"]).code, 1);
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["notes"]);
}
