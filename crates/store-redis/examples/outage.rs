//! Prints how long calls take while the server is stopped or dead, and how soon they succeed again.
//!
//! `cargo run --release -p session-store-redis --example outage`. Starts a Redis of its own on the loopback interface, and
//! makes 500 loads a second for ten seconds, three times: while the server is stopped by `SIGSTOP` for five of them, while it is
//! dead for as long, and with a queue that is too short.

use std::{
    collections::BTreeMap,
    error::Error,
    time::{Duration, Instant},
};

use session_core::{Store, StoreKey};
use session_store_redis::RedisStore;
use session_test_servers::RedisServer;
use tokio::{task::JoinSet, time};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome {
    for (what, dies, queue) in
        [("stopped", false, 1_024), ("dead", true, 1_024), ("stopped, 64 in flight", false, 64)]
    {
        let server = RedisServer::start()?;
        let store = RedisStore::builder(server.url()).in_flight_limit(queue).build()?;
        store.load(&StoreKey::from_bytes([1; 32])).await?;
        watch(what, &server, &store, dies).await?;
    }
    Ok(())
}

async fn watch(what: &str, server: &RedisServer, store: &RedisStore, dies: bool) -> Outcome {
    let (mut ticks, mut calls) = (time::interval(Duration::from_millis(2)), JoinSet::new());
    let begun = Instant::now();
    let mut back = None;
    for tick in 0..5_000_u64 {
        ticks.tick().await;
        match tick {
            1_000 if dies => server.kill()?,
            1_000 => server.pause()?,
            3_500 => {
                back = Some(begun.elapsed());
                if dies { server.restart()? } else { server.resume()? }
            }
            _ => {}
        }
        let (store, sent) = (store.clone(), Instant::now());
        let key = StoreKey::from_bytes([u8::try_from(tick % 256)?; 32]);
        calls.spawn(async move {
            let kind = store.load(&key).await.err().map(|error| format!("{:?}", error.kind()));
            (kind.unwrap_or_else(|| "answered".to_owned()), sent, Instant::now())
        });
    }
    let back = begun + back.ok_or("the server never came back")?;
    let mut latencies: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
    let (mut first, mut last_failure) = (Duration::MAX, Duration::ZERO);
    while let Some(call) = calls.join_next().await {
        let (kind, sent, done) = call?;
        if sent > back && kind == "answered" {
            first = first.min(done - back);
        } else if sent > back {
            last_failure = last_failure.max(sent - back);
        }
        latencies.entry(kind).or_default().push(done - sent);
    }
    println!("500 loads a second, the server is {what} for 5 s, deadline 1 s:");
    for (kind, mut times) in latencies {
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 1_000].as_secs_f64() * 1e3;
        println!(
            "  {kind:<12}{:>6} calls, median {:>7.1} ms, 99 % within {:>7.1} ms, longest {:>7.1} ms",
            times.len(),
            at(500),
            at(990),
            at(1_000)
        );
    }
    println!(
        "  answered again {first:.1?} after it came back, the last call that failed was made {last_failure:.1?} after"
    );
    Ok(())
}
