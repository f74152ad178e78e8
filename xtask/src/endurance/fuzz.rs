//! libFuzzer on every target of `fuzz/`, with the toolchain that is there.
//!
//! The passes that count coverage are options of stable rustc; address checking is not, and a workspace without unsafe
//! code can do without. These are the options of `cargo fuzz build --sanitizer none`.

use std::{
    env,
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use console::style;

use super::report::Figures;
use crate::{cargo::Cargo, workspace::Workspace};

const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                        -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
                        -Cllvm-args=-simplifycfg-branch-fold-threshold=0 -Ccodegen-units=1 --cfg fuzzing";
const OWN_LENGTH: Duration = Duration::from_secs(60);
const LONGEST_INPUT: usize = 4_096;

/// Runs every target, or the one of that name, for its share of `time` or a minute. Answers whether nothing was found, and
/// the figures.
pub(super) fn run(workspace: &Workspace, time: Option<Duration>, round: u64) -> Result<(bool, Figures)> {
    let program = build(workspace)?;
    let targets = targets(workspace)?;
    let share = time.map_or(OWN_LENGTH, |time| time / u32::try_from(targets.len()).unwrap_or(u32::MAX));
    let mut figures = Figures::new();
    let mut passed = true;
    for target in &targets {
        eprintln!("{}", style(format!("fuzzing {target}")).bold().for_stderr());
        let ran = one(workspace, &program, target, share, round)?;
        figures.insert(format!("executions of {target}"), ran.executions);
        passed &= ran.found_nothing;
    }
    Ok((passed, figures))
}

fn build(workspace: &Workspace) -> Result<PathBuf> {
    let host = host()?;
    let call = format!("build --quiet -p session-fuzz --profile fuzz --target {host}");
    let built = Cargo::new(workspace, &call).environment("RUSTFLAGS", COVERAGE).succeeds()?;
    ensure!(built, "the engine was not built: it needs a C++ compiler (Debian: g++)");
    Ok(workspace.target.join(host).join("fuzz").join(format!("session-fuzz{}", env::consts::EXE_SUFFIX)))
}

/// What this machine is called. Named, so that the options reach no build script.
fn host() -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().context("cannot run rustc")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say what machine this is")
}

/// The folders of the corpus, which are the targets.
fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let corpus = workspace.root.join("fuzz/corpus");
    let entries = fs::read_dir(&corpus).with_context(|| format!("cannot read {}", corpus.display()))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

struct Ran {
    executions: u64,
    found_nothing: bool,
}

fn one(workspace: &Workspace, program: &Path, target: &str, time: Duration, round: u64) -> Result<Ran> {
    // What the engine adds is kept between runs, and never goes into the repository by itself.
    let working = workspace.target.join("fuzzing");
    let (found, broken) = (working.join("corpus").join(target), working.join("broken"));
    for folder in [&found, &broken] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut child = Command::new(program)
        .env("SESSION_FUZZ_TARGET", target)
        .arg(format!("-max_total_time={}", time.as_secs().max(1)))
        .arg(format!("-max_len={LONGEST_INPUT}"))
        .arg(format!("-seed={round}"))
        .arg(format!("-artifact_prefix={}/{target}-", broken.display()))
        // A second is far beyond what any input may take, and all the engine can measure.
        .args(["-timeout=1", "-rss_limit_mb=512", "-print_final_stats=1"])
        .args([found.as_os_str(), workspace.root.join("fuzz/corpus").join(target).as_os_str()] as [&OsStr; 2])
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let Some(stderr) = child.stderr.take() else { bail!("no output") };
    let (mut executions, mut last) = (0, Vec::new());
    for line in BufReader::new(stderr).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        if let Some(number) = line.strip_prefix("stat::number_of_executed_units:") {
            executions = number.trim().parse().unwrap_or_default();
        }
        if line.contains("\tpulse ") {
            eprintln!("{}", style(&line).dim().for_stderr());
        } else if !line.starts_with('#') {
            last.push(line);
        }
    }
    let found_nothing = child.wait()?.success();
    if !found_nothing {
        last.iter().for_each(|line| eprintln!("{line}"));
        eprintln!("again: cargo run -p session-fuzz -- {target} FILE, with the file named above");
    }
    Ok(Ran { executions, found_nothing })
}
