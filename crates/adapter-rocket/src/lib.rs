#![doc = include_str!("../README.md")]

mod middleware;
pub use middleware::SessionFairing;

mod local;

mod answer;

mod extract;
pub use extract::{LazySession, Session, SessionRejection};

mod csrf;
pub use csrf::{Csrf, CsrfForm, CsrfRejection};

mod error;
pub use error::SessionError;

mod translate;
