//! Counts the allocations of each request and the memory of a session, and prints both as JSON.
//!
//! A program of its own, because counting allocations slows every one of them down.

use bench::{
    counts::{Counts, Memory, Request},
    requests::{Contender, Framework, Row},
    rows::memory,
};
use tokio::runtime::Runtime;

const REQUESTS: usize = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let requests = Framework::ALL.map(|framework| {
        let mut contenders = framework.contenders(&runtime);
        let rows = Row::ALL.map(|row| {
            contenders.iter_mut().map(|contender| count(&runtime, contender, row)).collect::<Vec<_>>()
        });
        rows.into()
    });
    let counts = Counts { requests: requests.into(), memory: sessions(quick) };
    println!("{}", serde_json::to_string(&counts)?);
    Ok(())
}

/// One request, the average of many, without making it.
fn count(runtime: &Runtime, contender: &mut Contender, row: Row) -> Request {
    contender.batch(runtime, row, REQUESTS, &mut |work| work());
    let (mut allocations, mut bytes) = (0, 0);
    contender.batch(runtime, row, REQUESTS, &mut |work| {
        let counted = allocation_counter::measure(work);
        (allocations, bytes) = (counted.count_total, counted.bytes_total);
    });
    let each = |count: u64| count as f64 / REQUESTS as f64;
    Request { allocations: each(allocations), bytes: each(bytes) }
}

fn sessions(quick: bool) -> Vec<Memory> {
    let sessions = if quick { 100_000 } else { 1_000_000 };
    let anonymous = [
        heap(sessions, || memory::ours(sessions, false)),
        heap(sessions, || memory::tower_sessions(sessions)),
        heap(sessions, || memory::moka(sessions)),
    ];
    let signed_in = [heap(sessions, || memory::ours(sessions, true))];
    vec![
        Memory { what: "anonymous".to_owned(), sessions, bytes: anonymous.into() },
        Memory { what: "signed in, each as somebody else".to_owned(), sessions, bytes: signed_in.into() },
    ]
}

/// What the store still holds when it is filled.
fn heap<T>(sessions: u64, fill: impl FnOnce() -> T) -> f64 {
    let mut store = None;
    let counted = allocation_counter::measure(|| store = Some(fill()));
    counted.bytes_current as f64 / sessions as f64
}
