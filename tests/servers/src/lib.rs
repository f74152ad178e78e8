//! Private servers for tests, databases and caches: started from the installed binaries on a free loopback port, with a data folder
//! of their own, and stopped when the test ends, also when it panics or is killed.
//!
//! ```
//! use session_test_servers::RedisServer;
//!
//! match RedisServer::start() {
//!     Ok(server) => println!("{}", server.url()), // stopped when dropped
//!     Err(error) if error.is_missing() => println!("skipped: {error}"),
//!     Err(error) => panic!("{error}"),
//! }
//! ```
//!
//! A server that takes long to start is [`shared`] by all cases of a test process, and by all processes of a test run.
//! Tests that harm their server start one of their own.
//!
//! To add a kind of server, implement [`Recipe`], or [`Sql`] for a SQL database, in a file of its own; ports, folders, signals, watching and restarts are
//! [`Server`]'s.

mod server;

mod cluster;
mod redis;

mod mariadb;
mod postgres;
mod sql;

mod certificates;

mod clock;

mod nginx;
mod proxy;
mod varnish;

mod shared;

mod binary;
mod error;
mod owner;
mod port;
mod process;

pub use binary::{Missing, find};
pub use certificates::Authority;
pub use clock::MovedClock;
pub use cluster::RedisCluster;
pub use error::StartError;
pub use mariadb::{Mariadb, MariadbRecipe, MariadbServer};
pub use nginx::{Nginx, NginxCache};
pub use postgres::{Postgres, PostgresRecipe, PostgresServer};
pub use proxy::CuttableProxy;
pub use redis::{RedisRecipe, RedisServer, ask};
pub use server::{Recipe, Server};
pub use shared::{Lease, shared};
pub use sql::{Sql, SqlRecipe, SqlServer};
pub use varnish::{Varnish, VarnishCache};
