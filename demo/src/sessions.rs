//! How the sessions of the shop are kept.

use std::{error::Error, time::Duration};

use session_core::{ManagerBuilder, SessionLimitPolicy, SessionManager, persist::CookieOptions};
use session_store_file::FileStore;
use session_store_memory::MemoryStore;

use crate::{
    cli::StoreChoice,
    observe::{note_close, note_event},
    site::of_session_error,
};

/// The manager, and where it keeps sessions, for people.
///
/// # Errors
/// A folder that cannot be used.
pub(crate) fn open(choice: &StoreChoice) -> Result<(SessionManager, String), Box<dyn Error>> {
    let (builder, place) = match choice {
        StoreChoice::Memory => (SessionManager::builder(MemoryStore::new()), "memory".to_owned()),
        StoreChoice::File(folder) => {
            let store = FileStore::open(folder)?;
            (SessionManager::builder(store), std::path::absolute(folder)?.display().to_string())
        }
    };
    // Only here: a store has to be able to do these.
    let builder = builder
        .sweep_every(Duration::from_secs(60))
        .max_sessions_per_principal(20, SessionLimitPolicy::EndOldest);
    Ok((configured(builder).build()?, place))
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
