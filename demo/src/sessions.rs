//! How the sessions of the shop are kept.

use std::{error::Error, sync::Arc, time::Duration};

use session_core::{
    Environment, ManagerBuilder, SessionLimitPolicy, SessionManager, Store, StoreError,
    persist::CookieOptions,
};
use session_store_file::FileStore;
use session_store_memory::MemoryStore;
use session_store_redis::RedisStore;
use session_store_sql::SqlStore;

use crate::{
    cli::StoreChoice,
    observe::{note_close, note_event},
    site::of_session_error,
};

/// The manager, and where it keeps sessions, for people.
///
/// # Errors
/// A folder, a database or a server that cannot be used.
pub(crate) async fn open(choice: &StoreChoice) -> Result<(SessionManager, String), Box<dyn Error>> {
    let (store, place): (Arc<dyn Store>, String) = match choice {
        StoreChoice::Memory => (Arc::new(MemoryStore::new()), "memory".to_owned()),
        StoreChoice::File(folder) => {
            (Arc::new(FileStore::open(folder)?), std::path::absolute(folder)?.display().to_string())
        }
        StoreChoice::Redis(url) => {
            let store = RedisStore::builder(url.with_login()).prefix("tea").build()?;
            // What is wrong with the server is better known now than at the first click.
            for set_up in [store.create().await, store.check().await] {
                set_up.map_err(|errors| format!("{url} cannot keep sessions: {}", told(&errors)))?;
            }
            (Arc::new(store), url.to_string())
        }
        StoreChoice::Sql(url) => (Arc::new(SqlStore::connect(url.with_login()).await?), url.to_string()),
    };
    let sweeps = store.as_sweep().is_some();
    // Every one of these stores lists the sessions of a principal.
    let mut builder =
        SessionManager::builder(store).max_sessions_per_principal(20, SessionLimitPolicy::EndOldest);
    if sweeps {
        builder = builder.sweep_every(Duration::from_secs(60));
    }
    Ok((configured(builder).build()?, place))
}

fn told(errors: &[StoreError]) -> String {
    let causes = errors.iter().map(|error| error.source().map_or(error.to_string(), ToString::to_string));
    causes.collect::<Vec<_>>().join("; ")
}

/// What holds for every store.
pub(crate) fn configured(builder: ManagerBuilder) -> ManagerBuilder {
    builder
        .realm("tea shop")
        // Browsers refuse the default cookie, which is Secure, from a site without TLS.
        .cookie(CookieOptions::plain_http_for_development())
        .renew_every(Duration::from_secs(15 * 60))
        .on_event(note_event)
        .on_close(note_close)
        .error_response(|error| Some(of_session_error(error)))
}
