#![doc = include_str!("../README.md")]

mod middleware;
pub use middleware::{SessionLayer, SessionService};

mod future;
pub use future::ResponseFuture;

mod extract;
pub use extract::{LazySession, Session, SessionRejection};

mod csrf;
pub use csrf::{Csrf, CsrfForm, CsrfRejection};

mod error;
pub use error::SessionError;
