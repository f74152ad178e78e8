//! Interleaved rounds of small batches, and their medians.

use std::time::Instant;

use axum::{Router, body::Body};
use http::Request;
use tower::Service;

use crate::{contenders::Contender, rows::Row};

/// Requests in a batch: larger ones measure the cache of the machine.
const BATCH: usize = 300;

/// Nanoseconds per request of each contender, in the order of `contenders`: the median of `rounds` batches that take
/// turns, so that a machine that slows down slows all of them.
pub async fn nanoseconds(contenders: &mut [Contender], row: Row, rounds: usize) -> Vec<f64> {
    let mut samples = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..=rounds {
        for (contender, samples) in contenders.iter_mut().zip(&mut samples) {
            let requests: Vec<_> = (0..BATCH).map(|_| row.request(&contender.cookie)).collect();
            let start = Instant::now();
            for request in requests {
                send(&mut contender.router, request).await;
            }
            let elapsed = start.elapsed();
            // The first round warms up.
            if round > 0 {
                samples.push(elapsed.as_nanos() as f64 / BATCH as f64);
            }
        }
    }
    samples.into_iter().map(median).collect()
}

/// Sends one request and drops the response.
pub async fn send(router: &mut Router, request: Request<Body>) {
    drop(std::hint::black_box(router.call(request).await));
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}
