//! Runs the conformance kit against this library and its peers, and prints who keeps which rule.

use std::{fs, path::PathBuf, time::Instant};

use anyhow::{Context, Result};
use bench::compare::{
    self, Suite,
    matrix::{Matrix, Outcome},
};
use clap::Parser;

/// Runs the conformance kit against this library and its peers
#[derive(Debug, Parser)]
#[command(name = "cargo xtask compare", bin_name = "cargo xtask compare", version, about)]
struct Arguments {
    /// Only this suite: middleware or stores
    #[arg(long, value_parser = suite)]
    suite: Option<Suite>,
    /// Only those whose names contain this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Print every case with what became of it
    #[arg(long)]
    cases: bool,
    /// Put the tables into this file, between its markers
    #[arg(long, value_name = "FILE", conflicts_with_all = ["only", "suite"])]
    write: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // A peer that panics has failed a case, which the matrix says.
    std::panic::set_hook(Box::new(|_| {}));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    let mut began = Instant::now();
    let mut tell = |column: &str, case: &str, outcome: &Outcome| {
        if arguments.cases {
            println!("{column}: {case}: {outcome:?} ({:.1} s)", began.elapsed().as_secs_f64());
        }
        began = Instant::now();
    };
    let mut matrices = Vec::new();
    for suite in [Suite::Middleware, Suite::Stores] {
        if arguments.suite.is_none_or(|chosen| chosen == suite) {
            let matrix = runtime.block_on(compare::run(suite, arguments.only.as_deref(), &mut tell));
            println!("{}", matrix.markdown());
            matrices.push(matrix);
        }
    }
    if let Some(file) = &arguments.write {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        fs::write(file, replaced(&text, &matrices)?)?;
    }
    Ok(())
}

fn suite(name: &str) -> Result<Suite> {
    match name {
        "middleware" => Ok(Suite::Middleware),
        "stores" => Ok(Suite::Stores),
        _ => anyhow::bail!("there is no suite `{name}`"),
    }
}

fn replaced(text: &str, matrices: &[Matrix]) -> Result<String> {
    let mut text = text.to_owned();
    for (marker, generated) in [
        ("matrix", join(matrices, Matrix::markdown)),
        ("failures", join(matrices, Matrix::failures)),
        ("not offered", join(matrices, Matrix::not_offered)),
    ] {
        let (begin, end) = (format!("<!-- {marker} -->"), format!("<!-- end of {marker} -->"));
        let (before, rest) = text.split_once(&begin).with_context(|| format!("there is no `{begin}`"))?;
        let (_, after) = rest.split_once(&end).with_context(|| format!("there is no `{end}`"))?;
        text = format!("{before}{begin}\n\n{}\n\n{end}{after}", generated.trim());
    }
    Ok(text)
}

fn join(matrices: &[Matrix], shown: fn(&Matrix) -> String) -> String {
    matrices.iter().map(shown).collect::<Vec<_>>().join("\n")
}
