//! What came of a step: how many checks passed, failed and could not run.

use std::time::Duration;

/// What came of a step.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) passed: usize,
    /// What is wrong, one line each.
    pub(crate) failures: Vec<String>,
    /// What could not run, each with the reason.
    pub(crate) skips: Vec<String>,
}

impl Outcome {
    pub(crate) fn fail(&mut self, what: impl Into<String>) {
        self.failures.push(what.into());
    }

    pub(crate) fn skip(&mut self, reason: impl Into<String>) {
        self.skips.push(reason.into());
    }

    pub(crate) fn failed(&self) -> usize {
        self.failures.len()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failures.extend(other.failures);
        self.skips.extend(other.skips);
    }
}

/// A time as people say it.
pub(crate) fn spoken(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spoken() {
        let spoken = |millis| spoken(Duration::from_millis(millis));
        assert_eq!(
            [spoken(40), spoken(59_900), spoken(61_000), spoken(7_380_000)],
            ["0.0 s", "59.9 s", "1 min 01 s", "2 h 03 min"]
        );
    }
}
