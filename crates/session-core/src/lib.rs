//! Core.
pub mod clock;
mod digest;
mod store;
mod store_error;

pub use clock::{Clock, ManualClock, SystemClock};
pub use digest::{PrincipalKey, StoreKey};
pub use store::{
    Entry, Environment, Expect, PrincipalIndex, Removed, Store, Stored, Sweep, SweepRequest, Swept, Version, Written,
};
pub use store_error::{StoreError, StoreErrorKind};
