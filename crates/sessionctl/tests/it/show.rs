//! `show`.

use crate::support::*;

on_each_store! {
    fn a_session_is_shown_without_its_id_and_its_values(lab) {
        let ids = lab.fill(1, 0, 0);
        let handle = lab.handles(&["--principal", "ann"]).remove(0);
        let told = lab.run(&["show", &handle]).ok().out;
        let json = lab.run(&["show", &handle, "--json"]).ok();
        for shown in [&told, &json.out] {
            assert!(!shown.contains(&ids[0]) && !shown.contains(SECRET) && !shown.contains("ann"), "{shown}");
            assert!(shown.contains(&handle) && shown.contains("note") && shown.contains("items"), "{shown}");
        }
        assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
        let entries = json.json()["entries"].as_array().unwrap().clone();
        let note = entries.iter().find(|entry| entry["key"] == "note").unwrap();
        assert_eq!((note["format"].as_str(), note["kind"].as_str()), (Some("postcard"), Some("text")));
        // A tag, a length, and the text.
        assert_eq!(note["bytes"], SECRET.len() + 2);
        assert!(note.get("value").is_none());
        let items = entries.iter().find(|entry| entry["key"] == "items").unwrap();
        assert_eq!(items["namespace"], "shop");
    }

    fn values_and_principal_are_shown_on_request(lab) {
        lab.fill(1, 0, 0);
        let handle = lab.handles(&["--principal", "ann"]).remove(0);
        let shown = lab.json(&["show", &handle, "--show-values", "--show-principal"]);
        assert_eq!(shown["principal"], "ann");
        let entries = shown["entries"].as_array().unwrap();
        let items = entries.iter().find(|entry| entry["key"] == "items").unwrap();
        assert_eq!(items["value"], "03");
        assert!(lab.run(&["show", &handle, "--show-values"]).ok().out.contains("03"));
    }

    fn looking_at_a_session_does_not_use_it(lab) {
        lab.fill(1, 0, 0);
        let handle = lab.handles(&["--principal", "ann"]).remove(0);
        let before = lab.json(&["show", &handle]);
        assert_eq!(lab.json(&["show", &handle]), before);
    }
}

#[test]
fn a_handle_that_names_nothing_is_a_failure() {
    let lab = Lab::new(Kind::Sqlite).unwrap();
    let ran = lab.run(&["show", &"0".repeat(64)]);
    assert_eq!((ran.code, &*ran.out), (1, ""), "{ran:?}");
    assert!(ran.err.contains("no session"), "{ran:?}");
}

#[test]
fn json_is_shown_as_json_and_moves_no_cursor() {
    use session_core::{Entry, Expect, Inspection, StoreKey};

    let lab = Lab::new(Kind::File).unwrap();
    lab.fill(0, 0, 1);
    let handle = lab.handles(&[]).remove(0);
    let hostile = "\u{1b}[2J\u{202e}";
    block_on(async {
        // The value of another program: its JSON in the place of what the manager has written.
        let store = lab.store().await;
        let key = StoreKey::from_hex(&handle).unwrap();
        let stored = store.load(&key).await.unwrap().unwrap();
        let mut bytes = stored.bytes.to_vec();
        for (key, value) in
            [(hostile, format!("{{\"a\":\"{}\"}}", "\u{9b}")), ("b", "[1,{\"c\":null}]".to_owned())]
        {
            bytes.push(0);
            bytes.extend_from_slice(&u16::try_from(key.len()).unwrap().to_le_bytes());
            bytes.extend_from_slice(&u32::try_from(value.len() + 1).unwrap().to_le_bytes());
            bytes.extend_from_slice(key.as_bytes());
            bytes.push(0b1000_0000);
            bytes.extend_from_slice(value.as_bytes());
        }
        assert!(Inspection::of(&key, bytes.clone(), stored.expires_at).is_ok());
        let _ =
            store.write(&key, Entry::new(bytes, stored.expires_at), Expect::Version(stored.version)).await;
    });
    let shown = lab.json(&["show", &handle, "--show-values"]);
    let entries = shown["entries"].as_array().unwrap();
    let b = entries.iter().find(|entry| entry["key"] == "b").unwrap();
    assert_eq!((b["format"].as_str(), &b["value"]), (Some("json"), &serde_json::json!([1, {"c": null}])));
    let told = lab.run(&["show", &handle, "--show-values"]).ok().out;
    assert!(told.contains("{\"c\":null}"), "{told}");
    assert!(!told.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{told:?}");
}
