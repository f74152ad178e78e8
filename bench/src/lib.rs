//! Measures the library side by side with its peers, in one process, in interleaved rounds.
#![expect(
    clippy::expect_used,
    reason = "a measurement that cannot be set up ends the program with the reason"
)]

pub mod contenders;
pub mod rows;
pub mod timing;
