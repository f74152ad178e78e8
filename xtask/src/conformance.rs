//! `cargo xtask conformance`: the kit's suites over every combination of this workspace.

mod plan;
pub(crate) mod readme;
mod report;
mod run;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, builder::PossibleValuesParser};

use self::{plan::Plan, report::Report};
use crate::{registry, workspace::Workspace};

/// Run the conformance kit on every adapter, store and way for an id to travel
///
/// The store suite runs on every store, the adapter suite on every combination; on a Redis Cluster, PostgreSQL and MariaDB
/// only with --store. Servers are started for the run, on ports of their own. A case that needs what a store or a strategy cannot do, or that is
/// about another strategy, is skipped; the reasons are listed. Sealed sessions are kept by their clients, so they run
/// with the store `none`. Exits with 0 if no case failed.
///
/// Cases that repeat themselves with other random numbers do so at full length with cookies, and a tenth of that with other
/// strategies. With --adapter or --persist only the adapter suite runs. SESSION_CONFORMANCE_SCALE=100 makes races and random calls
/// a hundred times longer, SESSION_CONFORMANCE_SEED=7 chooses other random calls.
#[derive(Args, Debug, Default)]
pub(crate) struct Options {
    /// Only this adapter
    #[arg(long, value_name = "ADAPTER", value_parser = PossibleValuesParser::new(registry::adapter_names()))]
    adapter: Option<String>,

    /// Only this store
    #[arg(long, value_name = "STORE", value_parser = PossibleValuesParser::new(registry::store_names()))]
    store: Option<String>,

    /// Only this way for an id to travel
    #[arg(long, value_name = "PERSIST", value_parser = PossibleValuesParser::new(registry::persist_names()))]
    persist: Option<String>,

    /// Also write every result to a file: a JSON array of {adapter, store, persist, case, result, reason}, where result
    /// is pass, fail, skip or missing, and adapter and persist are null for the store suite
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Also write the matrix into README.md
    #[arg(long, conflicts_with_all = ["adapter", "store", "persist"])]
    readme: bool,
}

/// Runs the chosen combinations. Answers whether no case failed.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    let report = Plan::new(options)?.run()?;
    if let Some(file) = &options.json {
        report.write(file)?;
    }
    if options.readme {
        readme::write(&report, &workspace.root.join("README.md"))?;
    }
    print!("{report}");
    Ok(report.failed() == 0)
}

/// Runs all combinations.
pub(crate) fn everything() -> Result<Report> {
    Plan::new(&Options::default())?.run()
}
