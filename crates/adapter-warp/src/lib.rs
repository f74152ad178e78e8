#![doc = include_str!("../README.md")]

mod middleware;
pub use middleware::SessionLayer;

mod extract;
pub use extract::{SessionRejection, lazy_session, session};

mod csrf;
pub use csrf::{CsrfRejection, csrf, csrf_form};

mod error;
pub use error::SessionError;

#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
pub use server::{remote_address, serve};

pub use session_core::{LazySession, Session};
