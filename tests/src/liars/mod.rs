//! Faulty on purpose: stores that each break one rule, so that the suites themselves can be tested.

pub mod store;
