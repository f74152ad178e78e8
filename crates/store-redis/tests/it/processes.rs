//! Several processes on one server and on one Cluster: the kit's cases.

use std::{
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use session_conformance::{process_tests, processes::Place};

use super::*;

/// A prefix on the servers that the test run shares.
fn place(urls: Result<String, StartError>) -> Place {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    match urls {
        Ok(urls) => {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            Place::new(format!("processes-{}-{number} {urls}", process::id()))
        }
        Err(error) if error.is_missing() => Place::missing(error),
        Err(error) => panic!("{error}"),
    }
}

/// Of one URL a server, of several a Cluster.
async fn open(address: String, _process: u64) -> RedisStore {
    let mut words = address.split(' ');
    let prefix = words.next().unwrap();
    let urls: Vec<&str> = words.collect();
    let builder = match urls[..] {
        [url] => RedisStore::builder(url),
        _ => RedisStore::cluster(urls),
    };
    builder.prefix(prefix).deadline(Duration::from_secs(30)).build().unwrap()
}

mod one_node {
    use super::*;

    process_tests!(|| place(RedisServer::shared()), open);
}

mod three_nodes {
    use super::*;

    process_tests!(|| place(RedisCluster::shared().map(|urls| urls.join(" "))), open);
}
