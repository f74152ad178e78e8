//! The application's own pool.

use std::time::Duration;

use session_core::{Environment, Expect, Store, StoreErrorKind};
use session_store_sql::SqlStore;
use session_test_servers::CuttableProxy;
use sqlx::{
    mysql::MySqlPoolOptions,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use crate::common::*;

/// The pool of a database, as a store and as what tells how it is.
macro_rules! with_pool {
    ($lab:ident, $size:expr, |$pool:ident, $store:ident| $body:block) => {
        match $lab.kind {
            Kind::Sqlite => {
                let options = SqliteConnectOptions::new().filename($lab.file()).create_if_missing(true);
                let $pool = SqlitePoolOptions::new().max_connections($size).connect_lazy_with(options);
                let $store = $lab.builder().sqlite_pool($pool.clone()).unwrap();
                $body
            }
            Kind::Postgres => {
                let $pool = PgPoolOptions::new().max_connections($size).connect_lazy(&$lab.url).unwrap();
                let $store = $lab.builder().postgres_pool($pool.clone()).unwrap();
                $body
            }
            Kind::MySql => {
                let $pool = MySqlPoolOptions::new().max_connections($size).connect_lazy(&$lab.url).unwrap();
                let $store = $lab.builder().mysql_pool($pool.clone()).unwrap();
                $body
            }
        }
    };
}

/// A store on the same pool that does not wait for long.
trait Impatient<P> {
    fn impatient(&self, pool: &P) -> SqlStore;
}

macro_rules! impatient {
    ($pool:ty, $method:ident) => {
        impl Impatient<$pool> for Lab {
            fn impatient(&self, pool: &$pool) -> SqlStore {
                self.builder().deadline(Duration::from_millis(100)).$method(pool.clone()).unwrap()
            }
        }
    };
}

impatient!(sqlx::SqlitePool, sqlite_pool);
impatient!(sqlx::PgPool, postgres_pool);
impatient!(sqlx::MySqlPool, mysql_pool);

on_each! {
    async fn a_store_on_a_pool_works_and_closing_it_leaves_the_pool_open(lab) {
        with_pool!(lab, 2, |pool, store| {
            Environment::create(&store).await.unwrap();
            create(&store, &key(1), entry("x")).await;
            store.close().await;
            assert!(!pool.is_closed());
            assert_eq!(load(&store, &key(1)).await.unwrap(), b"x");
        })
    }

    async fn a_pool_that_is_used_up_is_overloaded(lab) {
        with_pool!(lab, 1, |pool, store| {
            Environment::create(&store).await.unwrap();
            create(&store, &key(1), entry("x")).await;
            let taken = pool.acquire().await.unwrap();
            let impatient = lab.impatient(&pool);
            for _ in 0..2 {
                assert_eq!(impatient.load(&key(1)).await.unwrap_err().kind(), StoreErrorKind::Overloaded);
            }
            drop(taken);
            assert_eq!(load(&store, &key(1)).await.unwrap(), b"x");
        })
    }

    async fn a_dropped_call_gives_its_connection_back(lab) {
        with_pool!(lab, 1, |pool, store| {
            Environment::create(&store).await.unwrap();
            create(&store, &key(0), entry("x")).await;
            for number in 1..50 {
                let other = key(number);
                let write = store.write(&other, entry("x"), Expect::Absent);
                let _ = tokio::time::timeout(Duration::ZERO, write).await;
                assert_eq!(load(&store, &key(0)).await.unwrap(), b"x");
            }
            assert!(pool.size() <= 1);
        })
    }

    async fn a_closed_pool_is_an_outage(lab) {
        with_pool!(lab, 1, |pool, store| {
            Environment::create(&store).await.unwrap();
            pool.close().await;
            assert_eq!(store.load(&key(1)).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
        })
    }
}

/// A connection whose answer came too late must not give it to the next who asks.
async fn no_answer_is_given_to_another<P>(lab: &Lab, proxy: CuttableProxy, pool: P)
where
    Lab: Impatient<P>,
{
    let store = lab.impatient(&pool);
    Environment::create(&lab.open().await).await.unwrap();
    let setup = lab.open().await;
    for number in 0..20 {
        create(&setup, &key(number), entry(number.to_le_bytes())).await;
    }
    let mut late = 0;
    for number in 0..20 {
        proxy.stall(true);
        match store.load(&key(number)).await {
            Ok(_) => panic!("nothing passes"),
            Err(error) if error.kind() == StoreErrorKind::Unavailable => late += 1,
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Overloaded, "{}", told(&error)),
        }
        proxy.stall(false);
        let other = (number + 7) % 20;
        // The pool may be closing the connection, or opening another, when it is asked.
        let found = loop {
            match store.load(&key(other)).await {
                Ok(found) => break found.unwrap(),
                Err(error) => assert_ne!(error.kind(), StoreErrorKind::Corrupt, "{}", told(&error)),
            }
        };
        assert_eq!(*found.bytes, other.to_le_bytes());
    }
    assert!(late > 0);
}

#[test]
fn no_late_answer_of_postgres_is_given_to_another() {
    run(Kind::Postgres, "", |lab: Lab| async move {
        let (proxy, url) = lab.proxy();
        let pool =
            PgPoolOptions::new().max_connections(2).test_before_acquire(false).connect_lazy(&url).unwrap();
        no_answer_is_given_to_another(&lab, proxy, pool).await;
    });
}

#[test]
fn no_late_answer_of_mariadb_is_given_to_another() {
    run(Kind::MySql, "", |lab: Lab| async move {
        let (proxy, url) = lab.proxy();
        let pool =
            MySqlPoolOptions::new().max_connections(2).test_before_acquire(false).connect_lazy(&url).unwrap();
        no_answer_is_given_to_another(&lab, proxy, pool).await;
    });
}

/// Where the application has made everything serializable, the database refuses one of two statements at the same time;
/// the store repeats it.
#[test]
fn a_pool_of_serializable_transactions_loses_no_increment() {
    run(Kind::Postgres, "", |lab: Lab| async move {
        let url = format!("{}&options[default_transaction_isolation]=serializable", lab.url);
        let pool = PgPoolOptions::new().max_connections(8).connect_lazy(&url).unwrap();
        let store = lab.builder().postgres_pool(pool).unwrap();
        Environment::create(&store).await.unwrap();
        create(&store, &key(0), entry(0_u64.to_le_bytes())).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let store = store.clone();
            tasks.spawn(async move {
                for _ in 0..5 {
                    loop {
                        let found = store.load(&key(0)).await.unwrap().unwrap();
                        let count = u64::from_le_bytes(found.bytes[..].try_into().unwrap());
                        let next = entry((count + 1).to_le_bytes());
                        let written =
                            store.write(&key(0), next, Expect::Version(found.version)).await.unwrap();
                        if written != session_core::Written::Conflict {
                            break;
                        }
                    }
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        assert_eq!(load(&store, &key(0)).await.unwrap(), 80_u64.to_le_bytes());
    });
}

/// The same in the middle of a large answer, with the only connection of the pool.
async fn no_half_answer_is_read_on<P>(lab: &Lab, proxy: CuttableProxy, pool: P)
where
    Lab: Impatient<P>,
{
    let setup = lab.open().await;
    create(&setup, &key(0), entry(vec![1; 8 << 20])).await;
    create(&setup, &key(1), entry("small")).await;
    let store = lab.impatient(&pool);
    let mut halved = 0;
    for _ in 0..10 {
        let before = proxy.bytes().1;
        let large = tokio::spawn({
            let store = store.clone();
            async move { store.load(&key(0)).await }
        });
        while proxy.bytes().1 < before + 200_000 && !large.is_finished() {
            std::hint::spin_loop();
        }
        proxy.stall(true);
        halved += u32::from(large.await.unwrap().is_err());
        proxy.stall(false);
        let found = loop {
            match store.load(&key(1)).await {
                Ok(found) => break found.unwrap(),
                Err(error) => assert_ne!(error.kind(), StoreErrorKind::Corrupt, "{}", told(&error)),
            }
        };
        assert_eq!(&*found.bytes, b"small");
    }
    assert!(halved > 0);
}

#[test]
fn no_half_answer_of_postgres_is_read_on() {
    run(Kind::Postgres, "", |lab: Lab| async move {
        let (proxy, url) = lab.proxy();
        let pool =
            PgPoolOptions::new().max_connections(1).test_before_acquire(false).connect_lazy(&url).unwrap();
        no_half_answer_is_read_on(&lab, proxy, pool).await;
    });
}

#[test]
fn no_half_answer_of_mariadb_is_read_on() {
    run(Kind::MySql, "", |lab: Lab| async move {
        let (proxy, url) = lab.proxy();
        let pool =
            MySqlPoolOptions::new().max_connections(1).test_before_acquire(false).connect_lazy(&url).unwrap();
        no_half_answer_is_read_on(&lab, proxy, pool).await;
    });
}
