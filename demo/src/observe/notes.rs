//! Collects what is reported while one request runs.
//!
//! The library calls its listeners on the task of the request they are about, so a task-local value is enough to tell
//! parallel requests apart.

use std::cell::RefCell;

use session_core::{CloseReport, Event, LazySession};

tokio::task_local! {
    static NOTES: RefCell<Notes>;
}

/// What was reported during one request.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) events: Vec<Event>,
    /// `None` if the session was not used.
    pub(crate) report: Option<CloseReport>,
    pub(crate) session: Option<LazySession>,
}

/// Runs a request and answers with what was reported meanwhile.
pub(crate) async fn listening<T>(request: impl Future<Output = T>) -> (T, Notes) {
    NOTES
        .scope(RefCell::default(), async {
            let answer = request.await;
            (answer, NOTES.with(RefCell::take))
        })
        .await
}

/// For [`ManagerBuilder::on_event`](session_core::ManagerBuilder::on_event). What happens outside of requests, in the
/// sweeping loop, is nobody's story.
pub(crate) fn note_event(event: &Event) {
    note(|notes| notes.events.push(*event));
}

/// For [`ManagerBuilder::on_close`](session_core::ManagerBuilder::on_close).
pub(crate) fn note_close(report: &CloseReport) {
    note(|notes| notes.report = Some(*report));
}

/// Keeps the session of the request, to look at it when the request is over.
pub(crate) fn note_session(session: LazySession) {
    note(|notes| notes.session = Some(session));
}

fn note(write: impl FnOnce(&mut Notes)) {
    // Outside of a request there is nobody to tell.
    let _ = NOTES.try_with(|notes| write(&mut notes.borrow_mut()));
}
