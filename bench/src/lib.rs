//! Measures the library side by side with its peers: what each row of the promises about speed says, and how far the
//! library is from it.
//!
//! `main.rs` runs the rows and prints them; `bin/counts.rs` and `bin/repeat.rs` are what it runs for counting
//! allocations and instructions, `bin/serve.rs` for measuring over a socket.

pub mod report;

pub mod rounds;
pub mod sample;

pub mod requests;

pub mod counts;
pub mod instructions;
pub mod rows;

pub mod compare;

pub mod plots;
pub mod print;
