//! Listens to everything that is logged while a future runs.

use std::{
    fmt::{self, Write},
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    dispatcher::with_default,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// Runs `future` and gives everything that was logged on its thread meanwhile, at any level and with every field.
pub(super) async fn overhear<F: Future>(future: F) -> (F::Output, Vec<String>) {
    let lines = Lines::default();
    let dispatch = Dispatch::new(Listener(lines.clone()));
    let output = Overheard { future: pin!(future), dispatch }.await;
    let lines = std::mem::take(&mut *lines.0.lock().unwrap_or_else(PoisonError::into_inner));
    (output, lines)
}

struct Overheard<'a, F> {
    future: Pin<&'a mut F>,
    dispatch: Dispatch,
}

impl<F: Future> Future for Overheard<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { future, dispatch } = &mut *self;
        with_default(dispatch, || future.as_mut().poll(context))
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn push(&self, name: &str, target: &str, record: impl FnOnce(&mut Line)) {
        let mut line = Line(format!("{target} {name}"));
        record(&mut line);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.0);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

struct Listener(Lines);

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.0.push(span.metadata().name(), span.metadata().target(), |line| span.record(line));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.0.push("record", "", |line| values.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.0.push(event.metadata().name(), event.metadata().target(), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
