//! What the store allocates, counted.

use super::*;

#[test]
fn a_load_allocates_nothing_but_the_future_of_the_trait() {
    let store = MemoryStore::new();
    create(&store, &key(1), entry([1; 100]));
    for wanted in [key(1), key(2), key(1)] {
        let load = allocation_counter::measure(|| drop(block_on(store.load(&wanted))));
        let future = allocation_counter::measure(|| drop(store.load(&wanted)));
        assert_eq!((load.count_total, load.bytes_total), (1, future.bytes_total));
    }
}

/// Promise P2: `examples/measure.rs` prints the figure for a million.
#[test]
fn a_session_takes_less_than_is_counted_and_promised() {
    for signed_in in [false, true] {
        let mut store = None;
        let heap = allocation_counter::measure(|| store = Some(filled(30_000, signed_in)));
        let (heap, counted) = (heap.bytes_current as usize, store.unwrap().bytes());
        assert!(heap <= counted && counted < 400 * 30_000, "{heap} {counted}");
    }
}

#[test]
fn a_buffer_of_which_only_a_part_was_handed_in_is_not_kept() {
    let store = MemoryStore::new();
    let heap = allocation_counter::measure(|| {
        let buffer = bytes::Bytes::from(vec![0; 1 << 20]);
        create(&store, &key(1), Entry::new(buffer.slice(..10), SystemTime::now() + Duration::from_secs(60)));
    });
    assert!(heap.bytes_current < 10_000);
}

#[test]
fn memory_comes_back_when_the_records_are_gone() {
    let store = filled(100_000, true);
    let heap = allocation_counter::measure(|| {
        for number in 0..99_000 {
            assert_eq!(remove(&store, &key(number), None), Removed::Gone);
        }
    });
    let freed = heap.bytes_current.unsigned_abs() as usize;
    assert!(heap.bytes_current < 0 && freed > 90_000 * 300, "{freed}");
    assert!((99_000..100_000).all(|number| load(&store, &key(number)).is_some()));
    assert!((99_000..100_000).all(|number| keys_of(&store, &principal(number), None, 9) == [key(number)]));
}

fn filled(count: u64, signed_in: bool) -> MemoryStore {
    let store = MemoryStore::builder().build();
    for number in 0..count {
        let expires_at = SystemTime::UNIX_EPOCH + Duration::from_secs((1 << 33) + mix(number) % 3_600);
        let principal = signed_in.then(|| principal(number));
        create(&store, &key(number), Entry::new(vec![1; 100], expires_at).with_principal(principal));
    }
    store
}
