//! `end`.

use crate::support::*;

on_each_store! {
    fn a_session_is_ended_by_its_handle(lab) {
        lab.fill(2, 0, 1);
        let handles = lab.handles(&["--principal", "ann"]);
        assert_eq!(lab.json(&["end", &handles[0]])["ended"], 1);
        assert_eq!(lab.handles(&["--principal", "ann"]), [handles[1].clone()]);

        let again = lab.run(&["end", &handles[0], &handles[1], "--json"]);
        assert_eq!(again.code, 1, "{again:?}");
        let again = again.json();
        assert_eq!((&again["ended"], &again["not_found"][0]), (&1.into(), &handles[0].clone().into()));
        assert!(lab.handles(&["--principal", "ann"]).is_empty());
    }

    fn all_sessions_of_a_principal_are_ended_once_it_is_confirmed(lab) {
        lab.fill(4, 2, 1);
        let unasked = lab.run(&["end", "--principal", "ann"]);
        assert_eq!(unasked.code, 2, "{unasked:?}");
        assert!(unasked.err.contains("--yes"), "{unasked:?}");
        assert_eq!(lab.handles(&["--principal", "ann"]).len(), 4);

        assert_eq!(lab.json(&["end", "--principal", "ann", "--yes", "--realm", "another"])["ended"], 0);
        assert_eq!(lab.json(&["end", "--principal", "ann", "--yes"])["ended"], 4);
        assert!(lab.handles(&["--principal", "ann"]).is_empty());
        assert_eq!(lab.handles(&["--principal", "bob"]).len(), 2);
        // Whoever mistypes the realm must not take this for done.
        let told = lab.run(&["end", "--principal", "ann", "-y", "--realm", "shop"]).ok().out;
        assert_eq!(told, "0 sessions of ann in the realm `shop` ended\n");
        let told = lab.run(&["list", "--principal", "ann"]).ok().out;
        assert_eq!(told, "no sessions of ann in the realm `default`\n");
    }
}
