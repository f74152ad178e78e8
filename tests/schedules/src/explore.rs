//! Plays a test through many schedules.

use std::env;

use shuttle::{
    Config, Runner,
    scheduler::{PctScheduler, RandomScheduler, Scheduler},
};

/// Plays `test` through `schedules` schedules, times `SESSION_CONFORMANCE_SCALE`; which follow from
/// `SESSION_CONFORMANCE_SEED`.
///
/// # Panics
/// If the test panics, or hangs, in one of them, with the schedule.
pub fn explore(schedules: u64, test: impl Fn() + Send + Sync + Clone + 'static) {
    let schedules = schedules.saturating_mul(number("SESSION_CONFORMANCE_SCALE", 1));
    let half = usize::try_from(schedules.div_ceil(2)).unwrap_or(usize::MAX);
    let seed = number("SESSION_CONFORMANCE_SEED", 2_107);
    let explored = run(RandomScheduler::new_from_seed(seed, half), test.clone())
        + run(PctScheduler::new_from_seed(seed, DEPTH, half), test);
    println!("FIGURE schedules: {explored}");
}

fn run(scheduler: impl Scheduler + 'static, test: impl Fn() + Send + Sync + 'static) -> usize {
    let mut config = Config::new();
    config.stack_size = STACK;
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(test)
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// How many times in one schedule somebody is interrupted at the worst moment. Most bugs need one or two.
const DEPTH: usize = 4;
const STACK: usize = 256 << 10;
