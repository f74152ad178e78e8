//! `cargo xtask conformance`: the kit's suites over every combination of this workspace.

mod plan;
pub(crate) mod readme;
mod report;
mod run;

use std::{env, path::PathBuf};

use anyhow::Result;
use clap::{Args, builder::PossibleValuesParser};
use console::style;

use self::{plan::Plan, report::Report};
use crate::{cargo::REQUIRE, registry, workspace::Workspace};

/// Run the conformance kit on every adapter, store and way for an id to travel
///
/// The store suite runs on every store, the adapter suite on every combination; on a Redis Cluster, PostgreSQL and MariaDB
/// with cookies, and with the other strategies when --store names them. Servers are started for the run, on ports of their
/// own. A case that needs what a store or a strategy cannot do, or that is about another strategy, is skipped; the reasons
/// are listed. Sealed sessions are kept by their clients, so they run with the store `none`. Exits with 0 if no case failed
/// and nothing was missing that is required.
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

    /// A store whose server has to be there, or `all`; a server that is not installed is else skipped, with the name of its
    /// Debian package. SESSION_REQUIRE=all says the same
    #[arg(long, value_name = "STORE", value_parser = PossibleValuesParser::new(required_names()))]
    require: Vec<String>,

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
    let missing = missing(&report, &options.require, is_all_required());
    for what in &missing {
        eprintln!("{} required, and yet {what}", style("failed:").red().for_stderr());
    }
    Ok(report.failed() == 0 && missing.is_empty())
}

/// What could not run, and has to.
fn missing(report: &Report, required: &[String], all: bool) -> Vec<String> {
    report.missing(|store| all || required.iter().any(|name| name == ALL || name == store))
}

/// Whether whoever started this wants everything to run, as `cargo xtask endurance --require all` does.
fn is_all_required() -> bool {
    env::var_os(REQUIRE).is_some_and(|required| required == ALL)
}

fn required_names() -> Vec<&'static str> {
    let servers = registry::STORES.iter().filter(|store| store.server.is_some()).map(|store| store.name);
    servers.chain([ALL]).collect()
}

const ALL: &str = "all";

/// Runs all combinations.
pub(crate) fn everything() -> Result<Report> {
    Plan::new(&Options::default())?.run()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use session_conformance::Verdict;

    use super::{
        plan::Combination,
        report::{Line, Row},
        *,
    };

    #[test]
    fn what_is_required_must_not_be_missing() {
        let store = registry::STORES.iter().find(|store| store.name == "redis").unwrap();
        let verdict =
            Verdict::Missing("redis-server is not installed: Debian package redis-server".to_owned());
        let rows = vec![Row::new("a_case", "A rule.", verdict)];
        let lines = vec![Line { combination: Combination::Store(store), rows, time: Duration::ZERO }];
        let report = Report { lines, time: Duration::ZERO };
        let missing = |required: &[&str], all| {
            let required: Vec<String> = required.iter().map(|name| (*name).to_owned()).collect();
            super::missing(&report, &required, all).len()
        };
        assert_eq!((missing(&[], false), missing(&["postgres"], false)), (0, 0));
        assert_eq!((missing(&["redis"], false), missing(&[ALL], false), missing(&[], true)), (1, 1, 1));
    }
}
