//! Which cases of the adapter suite ask a library for something that only this one has a notion of: its own settings, its
//! reports, its words. What one operation of a case asks for is noted while the case runs ([`fixture`](super::fixture));
//! here is what can be told from the case alone. Everything else is put to every library.

use session_conformance::adapter::Case;

/// What the case is about that a peer cannot know, if it is about such a thing.
pub(super) fn beyond(case: &Case) -> Option<&'static str> {
    let by_part = PARTS.iter().find(|(part, _)| *part == case.part).map(|(_, what)| *what);
    if let Some(what) = by_part.filter(|_| !ALL_THE_SAME.contains(&case.name)) {
        return Some(what);
    }
    CASES.iter().find(|(_, names)| names.contains(&case.name)).map(|(what, _)| *what)
}

/// What makes a failure none: the library has not reported what it did, which is the last thing that a case looks at; it
/// makes no call for its store at the step that the case wants to hold back; or it has documented another choice.
pub(super) fn excuse(column: &str, case: &Case, failure: &str) -> Option<&'static str> {
    if failure.contains("reported") {
        return Some("reports of what was done");
    }
    if failure.contains("and no call for the store") {
        return Some("steps of this library at which another request could come in between");
    }
    let own =
        OWN_CHOICES.iter().filter(|(library, _, _)| *library == column).map(|(_, what, names)| (what, names));
    let choices = CHOICES.iter().map(|(what, names)| (what, names)).chain(own);
    choices.into_iter().find(|(_, names)| names.contains(&case.name)).map(|(what, _)| *what)
}

/// Whether a failure says what it says, whatever else the case has asked for.
pub(super) fn is_conclusive(failure: &str) -> bool {
    failure.contains("what is stored tells an id")
}

/// Whether every name here is that of a case.
#[cfg(test)]
fn names() -> impl Iterator<Item = &'static str> {
    CASES
        .iter()
        .flat_map(|(_, names)| names.iter().copied())
        .chain(OWN_CHOICES.iter().flat_map(|(_, _, names)| names.iter().copied()))
        .chain(CHOICES.iter().flat_map(|(_, names)| names.iter().copied()))
        .chain(ALL_THE_SAME)
}

const PARTS: [(&str, &str); 12] = [
    ("config", "settings of this library"),
    ("csrf", "CSRF tokens"),
    ("devices", "the sessions of a principal"),
    ("expiry", CLOCK),
    ("flash", "flash messages"),
    ("handler", "calls of this library"),
    ("limits", "limits for keys and values"),
    ("namespaces", "namespaces"),
    ("policy", "settings of this library"),
    ("random", "a source of random numbers that a test can turn off"),
    ("rotation", "ids that are replaced while they are in use"),
    ("sequences", "operations of every kind"),
];

const ALL_THE_SAME: [&str; 1] = ["a_500_is_stored"];

const CHOICES: [(&str, &[&str]); 1] = [(
    "storing what a request has changed that ends in a 5xx",
    &["a_500_is_stored", "an_id_is_sent_with_every_status", "a_login_on_a_500_is_told"],
)];

/// The same for one library, looked up in its source.
const OWN_CHOICES: [(&str, &str, &[&str]); 3] = [
    ("warp-sessions", "the fixture of the kit itself", &["the_three_routes_are_there"]),
    ("tower-sessions", "an end that loads the session first", &["a_load_that_fails_is_503"]),
    (
        "axum_session",
        "a load in every request, instead of a copy in memory",
        &["a_load_that_fails_is_503", "the_same_id_twice_is_one_id", "an_error_response_says_nothing"],
    ),
];

const CASES: [(&str, &[&str]); 9] = [
    (
        "a cookie that is this library's byte for byte",
        &[
            "the_cookie_is_the_strictest_there_is",
            "over_plain_http_the_cookie_has_no_prefix",
            "the_removal_repeats_every_attribute",
            "every_configured_attribute_is_sent",
            "every_id_is_drawn_anew",
            "no_other_spelling_of_an_id_is_taken",
            "every_character_of_an_id_counts",
        ],
    ),
    (CLOCK, &["a_cookie_with_a_lifetime_is_sent_again", "a_replaced_id_is_forgotten_in_time"]),
    (
        "reports of what was done",
        &[
            "the_report_says_what_was_done",
            "what_happens_is_reported",
            "what_is_not_used_is_not_reported",
            "events_tell_sessions_apart",
            "logs_and_events_tell_nothing",
        ],
    ),
    (
        "calls of this library",
        &[
            "a_stored_key_is_no_id",
            "keys_tell_nothing",
            "debug_shows_nothing",
            "info_tells_what_is_known",
            "cancelled_work_behind_the_response_is_old_or_new",
        ],
    ),
    ("handles of sessions", &["whenever_two_requests_meet_nothing_is_lost_and_nothing_comes_back"]),
    (
        "steps of this library at which another request could come in between",
        &["a_saved_login_is_told_with_the_error", "a_login_that_fails_late_leaves_nothing"],
    ),
    ("the fixture of the kit itself", &["a_body_that_is_no_list_is_a_4xx"]),
    ("two applications on one store", &["one_realm_shares_its_sessions"]),
    (
        "an answer to errors of a store of the application's choice, or by their kind",
        &[
            "the_application_can_replace_the_answer",
            "what_must_be_told_stays_with_the_answer",
            "a_damaged_record_is_500",
        ],
    ),
];

const CLOCK: &str = "a clock that a test can move";

#[cfg(test)]
mod tests {
    use session_conformance::adapter::CASES as ALL;

    use super::*;

    #[test]
    fn every_name_is_one_of_a_case() {
        for name in names() {
            assert!(Case::named(name).is_some(), "{name}");
        }
        for (part, _) in PARTS {
            assert!(ALL.iter().any(|case| case.part == part), "{part}");
        }
    }
}
