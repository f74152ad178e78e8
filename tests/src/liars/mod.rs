//! Faulty on purpose: stores and adapters that each break one rule, so that the suites themselves can be tested.

pub mod adapter;
pub mod store;
