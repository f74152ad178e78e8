//! The application's own pool.

use std::time::Duration;

use session_core::{Environment, Expect, Store, StoreErrorKind};
use session_store_sql::SqlStore;
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
