//! `list`.

use std::collections::BTreeSet;

use crate::support::*;

on_each_store! {
    fn sessions_are_listed_without_ids_values_and_principals(lab) {
        let ids = lab.fill(2, 1, 1);
        let told = lab.run(&["list"]).ok().out;
        let json = lab.run(&["list", "--json"]).ok().out;
        for shown in [&told, &json] {
            for secret in ids.iter().map(String::as_str).chain([SECRET, "\"ann\"", "ann,", "bob"]) {
                assert!(!shown.contains(secret), "{secret}: {shown}");
            }
        }
        assert_eq!(lab.handles(&[]).iter().filter(|handle| told.contains(*handle)).count(), 4);
        assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
        let named = lab.json(&["list", "--show-principals"]);
        let principals = named["sessions"].as_array().unwrap().iter().filter_map(|session| session["principal"].as_str());
        assert_eq!(principals.filter(|principal| *principal == "ann").count(), 2);
    }

    fn fields_have_stable_names(lab) {
        lab.fill(1, 0, 0);
        let listed = lab.json(&["list"]);
        // In whatever order: that depends on features of serde_json which others turn on.
        let names = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(names(&listed), ["next", "sessions", "store", "unreadable"].map(String::from).into());
        let session = &listed["sessions"][0];
        assert_eq!(
            names(session),
            ["authenticated_at", "bytes", "created", "expires_at", "handle", "last_seen", "signed_in", "state"]
                .map(String::from)
                .into()
        );
        assert_eq!((session["state"].as_str(), session["signed_in"].as_bool()), (Some("live"), Some(true)));
    }

    fn the_sessions_of_a_principal_are_listed_page_by_page(lab) {
        lab.fill(7, 2, 2);
        let mut seen = BTreeSet::new();
        let mut after: Option<String> = None;
        loop {
            let mut arguments = vec!["list", "--principal", "ann", "--limit", "3"];
            arguments.extend(after.iter().flat_map(|after| ["--after", after]));
            let page = lab.json(&arguments);
            let handles = page["sessions"].as_array().unwrap().iter().map(|session| session["handle"].to_string());
            assert!(page["sessions"].as_array().unwrap().len() <= 3);
            for handle in handles {
                assert!(seen.insert(handle), "listed twice");
            }
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 7);
        assert_eq!(lab.handles(&["--principal", "nobody"]).len(), 0);
        assert_eq!(lab.handles(&["--principal", "ann", "--realm", "another"]).len(), 0);
    }

    fn all_sessions_are_listed_page_by_page(lab) {
        lab.fill(5, 3, 4);
        let mut seen = BTreeSet::new();
        let mut after: Option<String> = None;
        loop {
            let mut arguments = vec!["list", "--limit", "5"];
            arguments.extend(after.iter().flat_map(|after| ["--after", after]));
            let page = lab.json(&arguments);
            let sessions = page["sessions"].as_array().unwrap();
            // Those of visitors and of signing in: the id of before is remembered for a minute.
            seen.extend(sessions.iter().map(|session| session["handle"].to_string()));
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 12);
    }
}

/// The application's timeouts are not known here; those of the default must not hide anybody.
#[test]
fn a_session_that_lives_for_a_year_is_listed_and_ended() {
    use std::{
        sync::Arc,
        time::{Duration, SystemTime, UNIX_EPOCH},
    };

    use session_core::{Expiry, ManualClock, SessionManager};

    let lab = Lab::new(Kind::File).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let clock = Arc::new(ManualClock::at_unix(now - 90 * 86_400));
    block_on(async {
        let year = Expiry::idle(Duration::from_secs(365 * 86_400));
        let builder = SessionManager::builder(lab.store().await).expiry(year).clock(clock);
        visit(&builder.build().unwrap(), Some("ann")).await;
    });
    let listed = lab.json(&["list", "--principal", "ann"]);
    assert_eq!(listed["sessions"][0]["state"], "live");
    assert_eq!(lab.json(&["end", "--principal", "ann", "--yes"])["ended"], 1);
    assert!(lab.handles(&["--principal", "ann"]).is_empty());
}
