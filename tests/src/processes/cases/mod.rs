//! The cases with several processes. Each is one function for both roles, so that what the test and its children do stands
//! side by side.

#![allow(clippy::missing_errors_doc, reason = "a case fails when its rule is broken")]

pub mod endings;
pub mod records;
pub mod rotations;
pub mod updates;

mod prelude {
    pub(super) use crate::{
        Result,
        failure::{ensure, fail},
        processes::{
            role::{ParentRole, Role, ask, finish},
            visit::{Application, Visit},
        },
    };
}
