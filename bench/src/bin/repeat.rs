//! Repeats one kind of request, for a profiler: `perf record target/release/repeat --row cookie-read`. Counts of
//! instructions are taken from it, too, of `measured_part` alone.

use bench::requests::{Framework, PLAIN, Row};
use clap::Parser;

/// Repeats one kind of request to one application; `--contender plain` is the one without sessions.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// The framework.
    #[arg(long, value_enum, default_value = "axum")]
    framework: Framework,
    /// The application, as the table names it.
    #[arg(long, default_value = "session-core")]
    contender: String,
    /// The kind of request.
    #[arg(long, value_enum, default_value = "cookie-read")]
    row: Row,
    /// Batches of 300 requests, after one that warms up.
    #[arg(long, default_value_t = 2_000)]
    batches: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut contenders = arguments.framework.contenders(&runtime);
    contenders.retain(|contender| contender.name == arguments.contender);
    let contender = contenders.first_mut().ok_or_else(|| {
        format!("there is no {} on {}: try {PLAIN}", arguments.contender, arguments.framework.name())
    })?;
    contender.batch(&runtime, arguments.row, 300, &mut |work| work());
    for _ in 0..arguments.batches {
        contender.batch(&runtime, arguments.row, 300, &mut |work| measured_part(work));
    }
    Ok(())
}

/// A function of its own, so that a profiler can find it.
#[inline(never)]
fn measured_part(work: &mut dyn FnMut()) {
    work();
    std::hint::black_box(());
}
