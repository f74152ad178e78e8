//! Liars among adapters: the reference adapter with one fault each, as it is found in the adapters of other libraries.
//! The suite must see through every one of them with exactly the cases listed.

mod lie;

mod list;

mod errors;
mod redirects;
mod requests;
mod responses;
mod sessions;
mod strategies;

pub use list::{AdapterLiar, LIARS};

/// What nearly every lie uses.
mod prelude {
    pub(super) use bytes::Bytes;
    pub(super) use http::{
        HeaderName, HeaderValue, Request, Response, StatusCode,
        header::{CACHE_CONTROL, COOKIE, SET_COOKIE, VARY},
    };
    pub(super) use session_core::{LazySession, Opened, RequestHead, SessionManager};

    pub(super) use super::lie::{Lie, answer, close};
    pub(super) use crate::adapter::Persist;

    /// The field of the other strategy.
    pub(super) const FIELD: HeaderName = HeaderName::from_static("x-session-id");
}
