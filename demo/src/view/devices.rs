//! The sessions of whoever is signed in.

use std::time::SystemTime;

use maud::{Markup, html};
use session_core::{SessionHandle, SessionInfo};

use super::{
    format::{count, moment},
    parts::{heading, nothing, token_field},
};

const LEAD: &str =
    "Every browser in which you are signed in. End one, and its next click arrives signed out.";

/// For a visitor.
pub(crate) fn nobody() -> Markup {
    html! {
        (heading("Your devices", LEAD))
        (nothing("Who are you?", "Sign in first: devices are listed by name.", ("/sign-in", "Sign in")))
    }
}

/// The sessions, newest first.
pub(crate) fn devices(
    sessions: &[SessionInfo],
    own: Option<SessionHandle>,
    token: &str,
    now: SystemTime,
) -> Markup {
    let others = sessions.iter().filter(|session| Some(session.handle) != own).count();
    html! {
        (heading("Your devices", LEAD))
        ul.devices {
            @for session in sessions {
                @let is_own = Some(session.handle) == own;
                li.device.own[is_own] {
                    (icon())
                    div.device-name {
                        code { (short(session.handle)) }
                        @if is_own { " " span.badge { "This device" } }
                    }
                    dl.times {
                        div { dt { "Created" } dd { (moment(session.created, now)) } }
                        div { dt { "Last seen" } dd { (moment(session.last_seen, now)) } }
                        div { dt { "Ends" } dd { (moment(session.expires_at, now)) } }
                    }
                    @if !is_own {
                        form method="post" action="/devices/end" {
                            (token_field(token))
                            input type="hidden" name="handle" value=(session.handle);
                            button.button.quiet.small aria-label={ "End " (short(session.handle)) } { "End" }
                        }
                    }
                }
            }
        }
        @if others > 0 {
            form.actions method="post" action="/devices/end-others" {
                (token_field(token))
                button.button.danger { "End all others" }
                span.hint { (count(others, "other device", "other devices")) }
            }
        } @else {
            p.hint {
                "No other device. Open this page in a private window or another browser, sign in there with the "
                "same name, and it appears here."
            }
        }
        section.aside {
            p {
                "The names above are handles: digests that can be shown and logged. Nobody can use a session with "
                "one. ‘Last seen’ is exact to three minutes, so that reading a page does not write to the store each "
                "time."
            }
        }
    }
}

/// The beginning of a handle: enough to tell a few devices apart.
pub(crate) fn short(handle: SessionHandle) -> String {
    handle.to_string().chars().take(8).collect()
}

fn icon() -> Markup {
    html! {
        svg.icon viewBox="0 0 24 24" aria-hidden="true" {
            rect x="3" y="4" width="18" height="12" rx="2" {}
            path d="M8 20h8M12 16v4" {}
        }
    }
}
