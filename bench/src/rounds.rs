//! Interleaved rounds, and their medians.

use std::time::Instant;

/// Calls of `work` take turns, so that a machine that slows down slows all of them; gives the median of what each has
/// measured. `work` is told who is measured; the first round warms up.
pub fn interleaved(subjects: usize, rounds: usize, mut work: impl FnMut(usize) -> f64) -> Vec<f64> {
    let mut samples = vec![Vec::with_capacity(rounds); subjects];
    for round in 0..=rounds {
        for (subject, samples) in samples.iter_mut().enumerate() {
            let sample = work(subject);
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    samples.into_iter().map(median).collect()
}

/// Nanoseconds of each of so many calls.
pub fn nanoseconds(calls: usize, work: impl FnOnce()) -> f64 {
    seconds(work) * 1e9 / calls as f64
}

/// Seconds of a call.
pub fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// The middle one.
#[must_use]
pub fn median(samples: Vec<f64>) -> f64 {
    quantile(samples, 0.5)
}

/// The one below which this share of the others lies.
#[must_use]
pub fn quantile(mut samples: Vec<f64>, share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let at = (samples.len() as f64 * share) as usize;
    samples.get(at.min(samples.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert!(median(Vec::new()).is_nan());
        assert_eq!(quantile((0..100).map(f64::from).collect(), 0.99), 99.0);
    }

    #[test]
    fn the_first_round_does_not_count() {
        let mut calls = 0.0;
        let medians = interleaved(1, 3, |_| {
            calls += 1.0;
            calls
        });
        assert_eq!(medians, [3.0]);
    }
}
