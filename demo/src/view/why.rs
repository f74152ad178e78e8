//! Why the library did what it did, in words.

use maud::{Markup, html};
use session_core::{Announced, CloseReport, EventKind, Expiry, Saved, Session, Status};

use super::format::span;
use crate::observe::Story;

/// Why an id was sent or not.
pub(super) fn why_cookie(story: &Story) -> Markup {
    let announced = story.report.map_or(Announced::NothingAsked, |report| report.announced);
    let (what, why) = match announced {
        Announced::NothingAsked | Announced::NothingNew if story.failure().is_some() => {
            ("not sent", "the one your browser has stays as it is")
        }
        Announced::NothingAsked => ("not sent", "this request had no use for the session"),
        Announced::NothingNew if story.leaves_session() => ("not sent", "your browser has the right one"),
        Announced::NothingNew => ("not sent", "there is no session to name"),
        Announced::New => ("sent", "the session is new"),
        Announced::Rotated => ("sent", "the id was replaced, the old one is worth nothing"),
        Announced::Refreshed => ("sent again", "your browser keeps it for a limited time"),
        Announced::Withdrawn => ("withdrawn", "the session is over"),
        _ => return html! { (announced) },
    };
    html! { b { (what) } ": " (why) }
}

/// Why something was stored or not.
pub(super) fn why_stored(story: &Story) -> Markup {
    if let Some(failure) = story.failure() {
        return html! { b { "nothing done" } ": " (failure) };
    }
    let saved = story.report.map_or(Saved::NothingAsked, |report| report.saved);
    let (what, why) = match saved {
        Saved::NothingAsked => ("not asked", "this request had no use for the session"),
        Saved::NothingChanged => ("read only", "nothing changed, so nothing was written"),
        Saved::Touched => ("written", "to note that you are active, once in three minutes"),
        Saved::Created => ("written", "the first change made a record"),
        Saved::Updated => ("written", "the changes, in one step"),
        Saved::Rotated => ("written", "everything, under a new id"),
        Saved::Ended => ("removed", "no running request can bring it back"),
        _ => return html! { (saved) },
    };
    html! { b { (what) } ": " (why) }
}

/// What caches are told.
pub(super) fn why_varies(report: Option<&CloseReport>) -> Markup {
    html! {
        @if report.is_some_and(|report| report.varies) {
            b { "Vary: Cookie" } ": the page depends on who asks"
        } @else {
            b { "no Vary" } ": the page is the same for everybody"
        }
    }
}

/// Why there is no record.
pub(super) fn why_no_record(session: Option<&Session>) -> &'static str {
    match session.map(Session::status) {
        None => "not known: the session was not read",
        Some(Status::Unknown) => "none: the id from your browser names no session, or none any more",
        Some(Status::Expired) => "none: the session was over its time, and was removed",
        Some(Status::Superseded) => "none: the id was replaced in another request",
        Some(Status::Ended) => "none: the session was ended",
        Some(_) => "none: nothing is stored for a visitor who only looks around",
    }
}

/// What the configuration says about the end of a session.
pub(super) fn timeouts(expiry: Expiry) -> String {
    let named = [(expiry.idle, "without use"), (expiry.absolute, "at most")];
    let named = named.iter().filter_map(|(limit, name)| limit.map(|limit| format!("{} {name}", span(limit))));
    named.collect::<Vec<_>>().join(", ")
}

/// What was stored, in two words.
pub(super) fn in_short(story: &Story) -> String {
    let Some(report) = &story.report else { return "session not used".to_owned() };
    let stored = match report.saved {
        Saved::NothingChanged => "only read",
        Saved::Touched => "activity noted",
        Saved::Created if story.events.contains(&EventKind::Ended) => "one session ended, another created",
        Saved::Created => "session created",
        Saved::Updated => "changes stored",
        Saved::Rotated => "new id",
        Saved::Ended => "session ended",
        _ => return report.saved.to_string(),
    };
    stored.to_owned()
}
