//! Watches what the session library does, request by request, so that pages can tell.

mod journal;
mod notes;
mod story;

pub(crate) use journal::Journal;
pub(crate) use notes::{listening, note_close, note_event, note_session};
pub(crate) use story::Story;
