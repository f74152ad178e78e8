//! Serves one application on loopback, prints its address, and ends when its input ends.

use std::io::Read;

use bench::requests;
use clap::Parser;

/// Serves one application on axum.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// The application, as the table names it.
    #[arg(long, default_value = "session-core")]
    contender: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let router = requests::router(&arguments.contender, &runtime).ok_or("there is no such application")?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    println!("{}", listener.local_addr()?);
    drop(runtime.spawn(async { axum::serve(listener, router).await }));
    // Whoever has started it ends it by going away.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
