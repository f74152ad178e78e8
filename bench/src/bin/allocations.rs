//! Counts the allocations of each request of row P1, and prints them as JSON: one list of numbers for each row.
//!
//! A program of its own, because counting allocations slows every one of them down.

use bench::{contenders::Contender, rows::Row, timing::send};

const REQUESTS: u64 = 100;

fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let mut contenders = runtime.block_on(Contender::all());
    let rows: Vec<Vec<f64>> = Row::ALL
        .into_iter()
        .map(|row| contenders.iter_mut().map(|contender| count(&runtime, contender, row)).collect())
        .collect();
    println!("{}", serde_json::json!(rows));
    Ok(())
}

/// Allocations of one request, the average of many, without the request itself.
fn count(runtime: &tokio::runtime::Runtime, contender: &mut Contender, row: Row) -> f64 {
    let requests: Vec<_> = (0..=REQUESTS).map(|_| row.request(&contender.cookie)).collect();
    let mut total = 0;
    for (request, number) in requests.into_iter().zip(0..) {
        let counted = allocation_counter::measure(|| runtime.block_on(send(&mut contender.router, request)));
        // The first request warms up.
        if number > 0 {
            total += counted.count_total;
        }
    }
    total as f64 / REQUESTS as f64
}
