//! Deadlines, queues, and calls that nobody waits for any more.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Waker},
    time::Duration,
};

use session_core::{Expect, Store, StoreErrorKind};

use crate::common::*;

on_each! {
    /// With one connection, a cancelled call that left it in the middle of an answer would spoil the next.
    async fn a_call_that_is_dropped_spoils_no_connection(lab) {
        let store = lab.builder().connections(1).connect(&lab.url).await.unwrap();
        create(&store, &key(0), entry("steady")).await;
        for number in 1..100 {
            // Polled some times, then dropped.
            {
                let (other, steady) = (key(number), key(0));
                let mut write = pin!(store.write(&other, entry("x"), Expect::Absent));
                poll_at_most(number % 5, write.as_mut()).await;
                let mut load = pin!(store.load(&steady));
                poll_at_most(number % 3, load.as_mut()).await;
            }
            assert_eq!(load(&store, &key(0)).await.unwrap(), b"steady");
        }
    }

    async fn more_calls_than_may_wait_are_refused_at_once(lab) {
        let store = lab.builder().connections(1).max_waiting(3).connect(&lab.url).await.unwrap();
        create(&store, &key(0), entry("x")).await;
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let store = store.clone();
            calls.spawn(async move { store.load(&key(0)).await });
        }
        let (mut answered, mut refused) = (0, 0);
        while let Some(call) = calls.join_next().await {
            match call.unwrap() {
                Ok(found) => answered += u32::from(found.is_some()),
                Err(error) => {
                    assert_eq!(error.kind(), StoreErrorKind::Overloaded);
                    refused += 1;
                }
            }
        }
        assert_eq!(answered + refused, 200);
        assert!(answered >= 4 && refused > 0, "{answered} answered, {refused} refused");
        assert!(load(&store, &key(0)).await.is_some());
    }

    async fn a_store_outside_of_a_runtime_says_so(lab) {
        let store = lab.open().await;
        let refused = std::thread::spawn(move || {
            let key = key(1);
            let mut load = pin!(store.load(&key));
            match load.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                std::task::Poll::Ready(answer) => answer.unwrap_err(),
                std::task::Poll::Pending => panic!("there is nothing to wait for"),
            }
        });
        let refused = refused.join().unwrap();
        assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
        assert!(told(&refused).contains("tokio"), "{}", told(&refused));
    }
}

async fn poll_at_most<T>(times: u64, mut future: Pin<&mut impl Future<Output = T>>) {
    for _ in 0..times {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// The lock of a file is answered before the deadline, so that it is no doubt.
#[test]
fn a_file_that_another_process_has_locked_is_overloaded() {
    run(Kind::Sqlite, "", |lab: Lab| async move {
        // The lock is waited for three quarters of it.
        let store = lab.builder().deadline(Duration::from_secs(2)).connect(&lab.url).await.unwrap();
        let version = create(&store, &key(1), entry("x")).await;
        let mut other = <sqlx::SqliteConnection as sqlx::Connection>::connect(&lab.url).await.unwrap();
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
        for _ in 0..2 {
            let error = store.write(&key(1), entry("y"), Expect::Version(version)).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Overloaded, "{}", told(&error));
            assert_eq!(load(&store, &key(1)).await.unwrap(), b"x");
        }
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
        stored(store.write(&key(1), entry("y"), Expect::Version(version)).await.unwrap());
    });
}

/// Who waits behind a write that cannot be made leaves nothing behind when its client goes away.
#[test]
fn a_write_that_was_dropped_before_it_was_sent_is_never_made() {
    run_in_order(Kind::Sqlite, |lab: Lab| async move {
        let store = lab.open().await;
        create(&store, &key(0), entry("x")).await;
        let mut other = <sqlx::SqliteConnection as sqlx::Connection>::connect(&lab.url).await.unwrap();
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
        let (begun, waiting) = (key(1), key(2));
        let first = tokio::spawn({
            let store = store.clone();
            async move { store.write(&begun, entry("begun"), Expect::Absent).await }
        });
        tokio::task::yield_now().await;
        {
            let mut second = pin!(store.write(&waiting, entry("waiting"), Expect::Absent));
            poll_at_most(20, second.as_mut()).await;
        }
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
        stored(first.await.unwrap().unwrap());
        create(&store, &key(3), entry("behind them")).await;
        assert_eq!(load(&store, &waiting).await, None);
    });
}
