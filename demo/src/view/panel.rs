//! 'About this session': a receipt of what the library did, and why.

use std::time::SystemTime;

use maud::{Markup, html};
use session_core::{Expiry, Session, Stats};

use super::{
    devices::short,
    format::{moment, took},
    why::{in_short, timeouts, why_cookie, why_no_record, why_stored, why_varies},
};
use crate::observe::Story;

/// Groups of earlier requests that are shown.
const EARLIER: usize = 6;

/// What the receipt is made of.
#[derive(Debug)]
pub(crate) struct Receipt<'a> {
    /// The request that is told about, and those of the same session before it, newest first.
    pub(crate) stories: Option<(&'a Story, &'a [Story])>,
    pub(crate) session: Option<&'a Session>,
    /// Whether it is shown by the page that this request was for, or was put into an open page by its script.
    pub(crate) is_own: bool,
    /// What log lines call the session.
    pub(crate) log_name: Option<String>,
    pub(crate) stats: Stats,
    /// Where sessions are kept.
    pub(crate) store: &'a str,
    pub(crate) expiry: Expiry,
    pub(crate) now: SystemTime,
}

/// The receipt.
pub(crate) fn panel(receipt: &Receipt<'_>) -> Markup {
    html! {
        aside.receipt #session-panel aria-labelledby="panel-title" {
            h2 #panel-title { "About this session" }
            @if let Some((latest, earlier)) = receipt.stories {
                (request(latest, receipt.is_own))
                (session(receipt))
                (cookie(latest, receipt))
                (earlier_requests(earlier))
            } @else {
                (session(receipt))
            }
            (counters(&receipt.stats))
            p.receipt-end { "Thank you for reading" }
        }
    }
}

fn request(story: &Story, is_own: bool) -> Markup {
    let report = story.report.as_ref();
    html! {
        section.ticket {
            h3 { @if is_own { "This request" } @else { "The latest request" } }
            p.request-line { strong { (story.method) " " (story.path) } span { (story.status.as_u16()) } }
            dl {
                dt { "Cookie" } dd { (why_cookie(story)) }
                dt { "Store" } dd { (why_stored(story)) }
                dt { "Caches" } dd { (why_varies(report)) }
                @if !story.events.is_empty() {
                    dt { "Events" }
                    dd { @for event in &story.events { span.event { (event.as_str()) } " " } }
                }
                dt { "Took" } dd { (took(story.took)) }
            }
        }
    }
}

fn session(receipt: &Receipt<'_>) -> Markup {
    let now = receipt.now;
    let stored = receipt.session.and_then(|session| session.handle().map(|handle| (session, handle)));
    html! {
        section.ticket {
            h3 { "The session" }
            dl {
                @if let Some(session) = receipt.session {
                    dt { "Status" } dd { span.event { (session.status().as_str()) } }
                }
                @if let Some((session, handle)) = stored {
                    dt { "Who" } dd { (session.principal().as_deref().unwrap_or("a visitor")) }
                    dt { "Handle" } dd { code { (short(handle)) } }
                    @if let Some(name) = &receipt.log_name { dt { "In logs" } dd { code { (name) } } }
                    dt { "Created" } dd { (moment(session.created(), now)) }
                    @if let Some(instant) = session.authenticated_at() {
                        dt { "Signed in" } dd { (moment(instant, now)) }
                    }
                    dt { "Ends" } dd { (moment(session.expires_at(), now)) " if not used" }
                } @else {
                    dt { "Record" } dd { (why_no_record(receipt.session)) }
                }
                dt { "Limits" } dd { (timeouts(receipt.expiry)) }
                dt { "Kept in" } dd.path { (receipt.store) }
            }
        }
    }
}

fn cookie(latest: &Story, receipt: &Receipt<'_>) -> Markup {
    html! {
        @if let Some(cookie) = &latest.cookie {
            section.ticket {
                h3 { "The cookie" }
                p.cookie { "Set-Cookie: " (cookie) }
            }
        } @else if receipt.log_name.is_some() {
            section.ticket {
                h3 { "The cookie" }
                dl {
                    dt { "Scripts" } dd #script-cookies { "are off" }
                    dt { "Secure" } dd { "off, because this is plain http" }
                }
            }
        }
    }
}

fn earlier_requests(stories: &[Story]) -> Markup {
    let groups: Vec<_> = stories.chunk_by(Story::is_like).collect();
    html! {
        @if !groups.is_empty() {
            section.ticket {
                h3 { "Before that" }
                ol.earlier {
                    @for group in groups.iter().take(EARLIER) {
                        @let story = &group[0];
                        li {
                            p.request-line {
                                span {
                                    (story.method) " " (story.path)
                                    @if group.len() > 1 { b { " ×" (group.len()) } }
                                }
                                span { (story.status.as_u16()) }
                            }
                            small { (in_short(story)) (replays(group)) }
                        }
                    }
                }
            }
        }
    }
}

fn counters(stats: &Stats) -> Markup {
    let counters = [
        ("created", stats.created),
        ("loaded", stats.loaded),
        ("saved", stats.saved),
        ("replayed", stats.conflict_replayed),
        ("rotated", stats.rotated),
        ("ended", stats.ended),
        ("refused", stats.forgery_refused),
        ("store failed", stats.store_failed),
    ];
    html! {
        section.ticket {
            h3 { "All visitors, since the start" }
            dl.counters {
                @for (name, number) in counters { div { dt { (name) } dd { (number) } } }
            }
        }
    }
}

/// How many times a group of requests had to make its changes again.
fn replays(group: &[Story]) -> Markup {
    let replays: usize = group.iter().map(Story::replays).sum();
    html! { @if replays > 0 { ", " (replays) " replayed" } }
}
