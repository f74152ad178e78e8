//! A small tea shop that shows what the session library does. `cargo run -p demo -- --help` tells the rest.

mod cli;
mod greeting;
mod observe;
mod sessions;
mod shop;
mod site;
mod view;

use std::{error::Error, process::ExitCode, sync::Arc};

use clap::Parser;
use tokio::net::TcpListener;

use crate::{
    cli::{Arguments, StoreChoice},
    greeting::greeting,
    site::Site,
};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let (manager, place) = sessions::open(&arguments.store).await?;
    let listener = TcpListener::bind(arguments.listen).await.map_err(|error| {
        format!("cannot listen on {}: {error}; --listen 127.0.0.1:0 takes a free port", arguments.listen)
    })?;
    println!("{}", greeting(listener.local_addr()?, &arguments.store, &place));

    // A Redis deletes what has expired by itself.
    if !matches!(arguments.store, StoreChoice::Redis(_)) {
        let sweeping = manager.clone();
        tokio::spawn(async move { sweeping.sweep_forever(tokio::time::sleep).await });
    }

    let site = Site { manager, store: place.into(), journal: Arc::default() };
    axum::serve(listener, site::router(site)).with_graceful_shutdown(interrupted()).await?;
    println!("closed");
    Ok(())
}

/// Waits for Ctrl-C. Without a way to wait for it the program runs until it is killed, which does no harm.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
