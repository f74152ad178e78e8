//! One file for each row of the promises about speed.

mod files;
mod growth;
pub mod memory;
mod network;
mod requests;
mod server;
mod sweep;

use anyhow::Result;
use clap::ValueEnum;
use tokio::runtime::Runtime;

use crate::report::Table;

/// A row of the promises about speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Row {
    /// What a session adds to a request, in process, on each framework
    P1,
    /// The memory store: bytes of a session, loads, threads
    P2,
    /// The file store: loads that the page cache answers
    P3,
    /// The file store: writes, by durability
    P4,
    /// The network stores: round trips and throughput
    P5,
    /// A whole server under wrk
    P6,
    /// A sweep under load
    P7,
    /// Requests with 1,000 to 1,000,000 sessions in the store
    P8,
}

/// How a row is measured.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Fewer rounds and smaller stores: good for a look, not for a figure to quote.
    pub quick: bool,
    /// Count instructions, too.
    pub instructions: bool,
}

impl Options {
    /// One of two, by how thorough the run is.
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Sessions in a store.
    pub(crate) fn sizes(self) -> Vec<u64> {
        self.pick(vec![1_000, 100_000, 1_000_000], vec![1_000, 10_000, 100_000])
    }
}

/// What became of a row.
#[derive(Debug)]
pub enum Outcome {
    /// It was measured.
    Measured(Vec<Table>),
    /// Something is missing on this machine.
    Missing(String),
}

impl Row {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::P1, Self::P2, Self::P3, Self::P4, Self::P5, Self::P6, Self::P7, Self::P8];

    /// Measures it.
    ///
    /// # Errors
    /// Whatever keeps it from being measured, but for a program that is not installed.
    pub fn measure(self, options: Options, runtime: &Runtime) -> Result<Outcome> {
        Ok(match self {
            Self::P1 => Outcome::Measured(requests::measure(options, runtime)?),
            Self::P2 => Outcome::Measured(memory::measure(options, runtime)?),
            Self::P3 => Outcome::Measured(files::loads(options, runtime)?),
            Self::P4 => Outcome::Measured(files::writes(options, runtime)?),
            Self::P5 => network::measure(options)?,
            Self::P6 => server::measure(options)?,
            Self::P7 => Outcome::Measured(sweep::measure(options, runtime)?),
            Self::P8 => Outcome::Measured(growth::measure(options, runtime)),
        })
    }
}
