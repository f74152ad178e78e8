//! Repeats one row of one contender, for a profiler: `perf record target/release/profile --row cookie-read`, or
//! `valgrind --tool=callgrind target/release/profile --row cookie-read --rounds 20`.

use bench::{contenders::Contender, rows::Row, timing};
use clap::{Parser, ValueEnum};

/// Repeats one row of P1 on one contender; `--contender plain` is the application without sessions.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// The contender, as the table names it.
    #[arg(long, default_value = "session-core")]
    contender: String,
    /// The row.
    #[arg(long, value_enum, default_value = "cookie-read")]
    row: Row,
    /// Batches of 300 requests.
    #[arg(long, default_value_t = 2_000)]
    rounds: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let mut contenders = runtime.block_on(Contender::all());
    contenders.retain(|contender| contender.name == arguments.contender);
    if contenders.is_empty() {
        return Err(format!("there is no contender called {}", arguments.contender).into());
    }
    let row = arguments.row;
    let figures = runtime.block_on(timing::nanoseconds(&mut contenders, row, arguments.rounds));
    let name = row.to_possible_value().map_or_else(String::new, |name| name.get_name().to_owned());
    println!("{name}: {} {:.0} ns", arguments.contender, figures[0]);
    Ok(())
}
