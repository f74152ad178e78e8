//! Stores at a place that somebody names, to be served.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use session_core::Store;
use session_store_file::FileStore;
use session_store_memory::MemoryStore;
use session_store_redis::RedisStore;
use session_store_sql::SqlStore;

pub(super) fn memory() -> Result<Arc<dyn Store>> {
    Ok(Arc::new(MemoryStore::builder().build()))
}

pub(super) fn file(folder: &str) -> Result<Arc<dyn Store>> {
    let store = FileStore::open(folder).with_context(|| format!("cannot keep sessions in {folder}"))?;
    Ok(Arc::new(store))
}

/// The URL is not repeated in errors: it may hold a password.
pub(super) fn redis(url: String) -> Result<Arc<dyn Store>> {
    let store = RedisStore::new(url).map_err(|error| anyhow!(error)).context("cannot keep sessions there")?;
    Ok(Arc::new(store))
}

/// The URL is not repeated in errors: it may hold a password.
pub(super) async fn sql(url: String) -> Result<Arc<dyn Store>> {
    Ok(Arc::new(SqlStore::connect(&url).await.context("cannot keep sessions there")?))
}
