//! Where the store of a test is.

use std::{any::Any, fmt};

/// Where the store of a test is: somewhere empty, that no other test uses, and that another process finds by its address.
pub struct Place {
    pub(super) address: Result<String, String>,
    guards: Vec<Box<dyn Any + Send>>,
}

impl Place {
    /// At this address, whatever that means to the store.
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: Ok(address.into()), guards: Vec::new() }
    }

    /// Nowhere, because something that it needs is not installed: what, and where it comes from. Tests are then skipped by
    /// [`skip`](crate::skip()).
    pub fn missing(what: impl fmt::Display) -> Self {
        Self { address: Err(what.to_string()), guards: Vec::new() }
    }

    /// Keeps `guard` alive until the test is over: a temporary folder, a server.
    #[must_use]
    pub fn keep(mut self, guard: impl Any + Send) -> Self {
        self.guards.push(Box::new(guard));
        self
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("address", &self.address).finish_non_exhaustive()
    }
}
