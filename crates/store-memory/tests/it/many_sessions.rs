//! Ten thousand sessions of one principal: whoever goes through them holds a page at a time.

use allocation_counter::measure;
use http::{HeaderMap, Request, StatusCode};
use session_core::{Opened, RequestHead, SessionManager, persist::Header};

use super::*;

/// A manager of an application in which one principal has signed in so often.
fn signed_in(sessions: u64) -> SessionManager {
    let store = MemoryStore::builder().max_records(20_000).build();
    let manager = SessionManager::builder(store).persistence(Header::default()).build().unwrap();
    for _ in 0..sessions {
        block_on(async {
            let request = Request::new(());
            let Opened::Continue(lazy) = manager.open(&RequestHead::from(&request)).await else {
                panic!("a header redirects");
            };
            lazy.load().await.unwrap().authenticate("ann").unwrap();
            manager.close(lazy, StatusCode::OK).await.unwrap().apply(&mut HeaderMap::new());
        });
    }
    manager
}

/// The most bytes that were allocated at once, beyond those from before.
fn peak(work: impl Future<Output = ()>) -> u64 {
    let mut work = Some(work);
    measure(|| block_on(work.take().unwrap())).bytes_max
}

/// Answers the peak of each: of going through all sessions in pages of 100, and of ending them.
fn peaks(sessions: u64) -> [u64; 2] {
    let manager = signed_in(sessions);
    let paging = peak(async {
        let (mut after, mut seen) = (None, 0);
        loop {
            let (page, next) = manager.page_of_sessions("ann", after, 100).await.unwrap();
            assert!(page.len() <= 100);
            seen += page.len() as u64;
            after = next;
            if after.is_none() {
                break assert_eq!(seen, sessions);
            }
        }
    });
    let ending = peak(async { assert_eq!(manager.end_all("ann").await.unwrap() as u64, sessions) });
    [paging, ending]
}

#[test]
fn ten_thousand_sessions_take_no_more_memory_than_a_thousand() {
    let [paging, ending] = peaks(1_000);
    let [paging_more, ending_more] = peaks(10_000);
    assert_eq!(paging_more, paging, "bytes for going through them");
    // What the store remembers of free places grows a little; the keys alone would take 320,000 bytes.
    assert!(
        ending_more < 2 * ending && ending_more < 100_000,
        "bytes for ending them: {ending}, {ending_more}"
    );
}
