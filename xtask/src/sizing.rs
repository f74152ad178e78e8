//! `cargo xtask sizing`: what a number of live sessions asks of a store.

use anyhow::{Result, ensure};
use clap::Args;
use console::style;

/// Estimate what a number of live sessions asks of a store
///
/// Simulates the lives of many single sessions by the rules of the core: a first write, a login that replaces the id
/// and leaves a marker behind, a load for each request, a write for each change, a touch where a tenth of the idle time
/// has passed since the last write, and a logout or the idle timeout at the end. What one live session causes on
/// average is then multiplied (Little's law: live = arrivals × time in the store).
///
/// What one server carries is told by --server-loads, --server-writes and --server-bytes; the defaults are what
/// docs/scale.md measures for one Redis on two processors. The same seed gives the same table.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Sessions to simulate
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    sample: u32,

    /// Requests in a session, on average
    #[arg(long, value_name = "N", default_value_t = 20.0)]
    requests: f64,

    /// Seconds between requests of a session, on average
    #[arg(long, value_name = "SECS", default_value_t = 45.0)]
    gap: f64,

    /// Share of the requests that change the session
    #[arg(long, value_name = "0..1", default_value_t = 0.1)]
    changing: f64,

    /// Share of the sessions that are signed in to
    #[arg(long, value_name = "0..1", default_value_t = 0.5)]
    signed_in: f64,

    /// Share of those that are signed out of, instead of left to expire
    #[arg(long, value_name = "0..1", default_value_t = 0.3)]
    signed_out: f64,

    /// Idle timeout in seconds
    #[arg(long, value_name = "SECS", default_value_t = 1_800.0)]
    idle: f64,

    /// Seconds for which a replaced id leaves a marker
    #[arg(long, value_name = "SECS", default_value_t = 60.0)]
    marker: f64,

    /// Loads a second that one server carries
    #[arg(long, value_name = "N", default_value_t = 150_000.0)]
    server_loads: f64,

    /// Writes a second that one server carries
    #[arg(long, value_name = "N", default_value_t = 30_000.0)]
    server_writes: f64,

    /// Bytes of a signed-in session in the store
    #[arg(long, value_name = "BYTES", default_value_t = 641.0)]
    server_bytes: f64,

    /// How much of what it carries a server is to be used, so that it also lives through a peak
    #[arg(long, value_name = "0..1", default_value_t = 0.5)]
    utilization: f64,

    /// Memory of a server, in GB
    #[arg(long, value_name = "GB", default_value_t = 16.0)]
    server_memory: f64,

    /// Where the random numbers begin
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What sessions did, summed up.
#[derive(Clone, Copy, Debug, Default)]
struct Lives {
    sessions: f64,
    loads: f64,
    writes: f64,
    removals: f64,
    /// Seconds that records, and markers, were in the store.
    seconds: f64,
    marker_seconds: f64,
}

/// Prints the table.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let shares = [options.changing, options.signed_in, options.signed_out, options.utilization];
    ensure!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "a share is a number from 0 to 1");
    let positive = [
        options.requests - 1.0,
        options.gap,
        options.idle,
        options.server_loads,
        options.server_writes,
        options.server_bytes,
        options.server_memory,
        options.utilization,
    ];
    ensure!(
        positive.iter().all(|number| *number > 0.0) && options.marker >= 0.0 && options.sample > 0,
        "times, rates and sizes are positive, and a session has more than one request"
    );
    let lives = simulate(options);
    println!(
        "A session: {:.1} loads, {:.1} writes, {:.2} removals, {:.0} s in the store, and its marker {:.0} s.\n",
        lives.loads / lives.sessions,
        lives.writes / lives.sessions,
        lives.removals / lives.sessions,
        lives.seconds / lives.sessions,
        lives.marker_seconds / lives.sessions
    );
    let heading = format!(
        "{:>14} {:>12} {:>12} {:>12} {:>12} {:>10} {:>9}",
        "live sessions", "new a second", "loads/s", "writes/s", "removals/s", "memory", "servers"
    );
    println!("{}", style(heading).bold());
    for live in [1e5, 1e6, 1e7, 1e8, 1e9] {
        println!("{}", line(options, &lives, live));
    }
    println!("\nServers: as many as the largest of the three needs asks for, without replicas.");
    Ok(true)
}

fn line(options: &Options, lives: &Lives, live: f64) -> String {
    let arrivals = live / (lives.seconds / lives.sessions);
    let [loads, writes, removals] =
        [lives.loads, lives.writes, lives.removals].map(|calls| arrivals * calls / lives.sessions);
    // A marker has 67 bytes, and takes in a server hardly less than a session.
    let markers = arrivals * lives.marker_seconds / lives.sessions;
    let gigabytes = (live + markers) * options.server_bytes / 1e9;
    let needs = [
        loads / options.server_loads,
        (writes + removals) / options.server_writes,
        gigabytes / options.server_memory,
    ];
    let servers = (needs.into_iter().fold(0.0, f64::max) / options.utilization).ceil().max(1.0);
    format!(
        "{:>14} {:>12} {:>12} {:>12} {:>12} {:>10} {servers:>9.0}",
        grouped(live),
        grouped(arrivals),
        grouped(loads),
        grouped(writes),
        grouped(removals),
        format!("{gigabytes:.1} GB")
    )
}

fn simulate(options: &Options) -> Lives {
    let mut random = Random(options.seed);
    let mut lives = Lives::default();
    for _ in 0..options.sample {
        live(options, &mut random, &mut lives);
    }
    lives
}

/// One session, from its first write to its end.
fn live(options: &Options, random: &mut Random, lives: &mut Lives) {
    lives.sessions += 1.0;
    lives.writes += 1.0;
    let signed_in = random.happens(options.signed_in);
    if signed_in {
        // The record under its new id, and the marker in the place of the old one.
        lives.loads += 1.0;
        lives.writes += 2.0;
        lives.marker_seconds += options.marker;
    }
    let (mut now, mut written) = (0.0, 0.0);
    while random.happens(1.0 - 1.0 / options.requests) {
        let gap = random.exponential(options.gap);
        if gap >= options.idle {
            break;
        }
        now += gap;
        lives.loads += 1.0;
        if random.happens(options.changing) || now - written >= options.idle / 10.0 {
            lives.writes += 1.0;
            written = now;
        }
    }
    if signed_in && random.happens(options.signed_out) {
        lives.loads += 1.0;
        lives.removals += 1.0;
        lives.seconds += now;
    } else {
        lives.seconds += written + options.idle;
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    /// A number from 0 to 1, 1 excluded.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) as f64 / (u64::MAX as f64 + 1.0)
    }

    fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }
}

/// A whole number with commas between the thousands.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        options: Options,
    }

    fn simulated(arguments: &[&str]) -> Lives {
        let arguments = ["sizing", "--sample", "50000"].iter().chain(arguments);
        simulate(&Command::parse_from(arguments).options)
    }

    fn is_about(actual: f64, expected: f64) -> bool {
        (actual / expected - 1.0).abs() < 0.02
    }

    /// What can be worked out by hand: the number of requests is geometric, and nobody waits as long as the timeout.
    #[test]
    fn averages_are_those_of_the_model() {
        let lives = simulated(&["--signed-in", "0", "--changing", "1", "--gap", "10"]);
        assert!(is_about(lives.loads / lives.sessions, 19.0), "{lives:?}");
        assert!(is_about(lives.writes / lives.sessions, 20.0), "{lives:?}");
        assert!(is_about(lives.seconds / lives.sessions, 1_800.0 + 190.0), "{lives:?}");
    }

    #[test]
    fn who_only_reads_is_written_down_once_in_a_tenth_of_the_idle_time() {
        let lives = simulated(&["--signed-in", "0", "--changing", "0", "--gap", "1", "--requests", "2000"]);
        let written = lives.writes / lives.sessions;
        assert!(written > 10.0 && written < 12.2, "{lives:?}");
    }

    #[test]
    fn a_login_costs_two_writes_and_leaves_a_marker() {
        let lives =
            simulated(&["--signed-in", "1", "--signed-out", "1", "--changing", "0", "--gap", "0.001"]);
        assert_eq!((lives.writes, lives.removals), (3.0 * lives.sessions, lives.sessions));
        assert!(is_about(lives.marker_seconds / lives.sessions, 60.0));
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([7.0, 1_000.0, 123_456.0, 1e9].map(grouped), ["7", "1,000", "123,456", "1,000,000,000"]);
    }
}
