#![doc = include_str!("../README.md")]

mod session;
pub use session::Session;

mod key;
pub use key::{AsKey, Key, KeyName};

mod namespace;
pub use namespace::{Namespace, ReservedNamespace};

mod csrf;
pub use csrf::{CSRF_FIELD, CSRF_HEADER, CsrfError};

#[cfg(feature = "forms")]
mod token_form;
#[cfg(feature = "forms")]
pub use token_form::TokenForm;

mod origin;
pub use origin::Origin;

mod flash;

mod principals;
pub use principals::{InvalidHandle, SessionHandle, SessionInfo};

mod detached;
pub use detached::DetachedSession;

mod error;
pub use error::{ConfigError, Limit, SessionError};

mod state;
pub use state::Status;

mod changes;
mod dictionary;
mod kind;
mod value;
pub use value::ValueFormat;

mod record;
mod timestamp;

mod store;
pub use store::{
    Entry, Environment, Expect, PrincipalIndex, Removed, Store, Stored, Sweep, SweepRequest, Swept, Version,
    Written,
};

mod scan;
pub use scan::{Scan, ScanCursor, Scanned};

mod inspect;
pub use inspect::{InspectedEntry, InspectedFormat, InspectedPage, Inspection, RecordState};

mod store_error;
pub use store_error::{StoreError, StoreErrorKind};

mod digest;
pub use digest::{PrincipalKey, StoreKey};

mod id;
pub use id::{OsRandom, Random, RandomError, SessionId};

pub mod persist;

mod manager;
pub use manager::SessionManager;

mod builder;
pub use builder::ManagerBuilder;

mod config;
pub use config::{HeaderConfig, PersistConfig, QueryConfig, SavePolicy, SessionConfig, SessionLimitPolicy};

mod expiry;
pub use expiry::Expiry;

mod limits;
pub use limits::Limits;

mod pairs;
mod span;

mod request;
pub use request::RequestHead;

mod open;
pub use open::{Opened, Opening};

mod lazy;
pub use lazy::LazySession;

mod close;
pub use close::{CloseError, Closed, Closing};

mod at_once;
mod attempt;
mod commit;
mod links;
mod response;
mod rotate;
mod sealed;

mod report;
pub use report::{Announced, CloseReport, Saved};

mod sweep;

mod event;
pub use event::{Event, EventKind, Fingerprint, Stats};

mod clock;
pub use clock::{Clock, ManualClock, SystemClock};

mod gate;
mod sync;
