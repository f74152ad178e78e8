//! Lets tasks start together, in the order in which they came.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

/// Opens once as many tasks have come as it was made for. Unlike tokio's barrier it wakes them in a fixed order, so
/// that a race on one thread takes the same course in every run.
#[derive(Clone, Debug)]
pub(super) struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    missing: AtomicUsize,
    open: Notify,
}

impl Gate {
    pub(super) fn of(tasks: usize) -> Self {
        Self(Arc::new(Inner { missing: AtomicUsize::new(tasks), open: Notify::new() }))
    }

    pub(super) async fn pass(&self) {
        let mut opened = pin!(self.0.open.notified());
        // Before the count, so that the last task cannot come in between unheard.
        opened.as_mut().enable();
        if self.0.missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.open.notify_waiters();
        } else {
            opened.await;
        }
    }
}
