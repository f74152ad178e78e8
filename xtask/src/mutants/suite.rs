//! The tests that are to notice mutants: what each of them reaches, and how to run some of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::build::TestProgram;

/// A test program, and what its tests do.
pub(super) struct Suite {
    program: TestProgram,
    tests: BTreeMap<String, Test>,
}

/// One test, as it ran without a mutant.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Test {
    passed: bool,
    millis: u64,
    reaches: BTreeSet<u32>,
}

/// Some tests of one program that reach a mutant.
pub(super) struct Chosen<'a> {
    program: &'a TestProgram,
    pub(super) tests: Vec<&'a str>,
    /// How long they take one after the other.
    pub(super) time: Duration,
}

/// How a run of tests ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Passed,
    /// The first test that failed.
    Failed(String),
    /// Nothing was heard of it any more.
    TimedOut,
}

/// A test that takes longer is not asked.
const LONGEST: Duration = Duration::from_secs(20);

impl Suite {
    /// Runs each test that is `asked` by itself, without a mutant, unless that was done with this very program before.
    pub(super) fn measure(program: TestProgram, cache: &Path, asked: &dyn Fn(&str) -> bool) -> Result<Self> {
        let kept = cache.join(format!("{}.json", program.name.replace("::", ".")));
        let stamp = stamp(&program.path)?;
        let mut known = BTreeMap::new();
        if let Ok(bytes) = fs::read(&kept)
            && let Ok((then, tests)) = serde_json::from_slice::<(String, BTreeMap<String, Test>)>(&bytes)
            && then == stamp
        {
            known = tests;
        }
        let mut tests = BTreeMap::new();
        let (old, new): (Vec<_>, Vec<_>) = names(&program)?
            .into_iter()
            .filter(|name| asked(name))
            .partition(|name| known.contains_key(name));
        tests.extend(old.into_iter().filter_map(|name| known.remove_entry(&name)));
        if !new.is_empty() {
            eprintln!("seeing what {} tests of {} reach", new.len(), program.name);
        }
        let reached = cache.join("reached");
        let mut troubled = Vec::new();
        for name in new {
            let _ = fs::remove_file(&reached);
            let began = Instant::now();
            let mut command = command(&program, [name.as_str()], 1);
            command.env("SESSION_MUTANTS_REACHED", &reached);
            let passed = watch(command, LONGEST)? == End::Passed;
            let text = fs::read_to_string(&reached).unwrap_or_default();
            let reaches = text.lines().filter_map(|line| line.parse().ok()).collect();
            let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            tests.insert(name.clone(), Test { passed, millis, reaches });
            if !passed {
                troubled.push(name);
            }
        }
        // A test that counts system calls or allocations sees what is written down. It gets all mutants that others reach.
        let all: BTreeSet<u32> = tests.values().flat_map(|test| &test.reaches).copied().collect();
        for name in troubled {
            let end = watch(command(&program, [name.as_str()], 1), LONGEST)?;
            if end != End::Passed {
                eprintln!(
                    "not asked, because without a mutant it ends with {end:?}: {} {name}",
                    program.name
                );
            } else if let Some(test) = tests.get_mut(&name) {
                *test = Test { passed: true, reaches: all.clone(), ..*test };
            }
        }
        fs::write(&kept, serde_json::to_vec(&(stamp, &tests))?).context("cannot keep what tests reach")?;
        Ok(Self { program, tests })
    }

    pub(super) fn name(&self) -> &str {
        &self.program.name
    }

    pub(super) fn package(&self) -> &str {
        &self.program.package
    }

    pub(super) fn len(&self) -> usize {
        self.tests.values().filter(|test| test.passed).count()
    }

    /// The tests that reach a mutant; `None` if there are none.
    pub(super) fn reaching(&self, number: u32) -> Option<Chosen<'_>> {
        self.choose(|_, test| test.reaches.contains(&number))
    }

    /// The tests whose names contain that.
    pub(super) fn named(&self, part: &str) -> Option<Chosen<'_>> {
        self.choose(|name, _| name.contains(part))
    }

    fn choose(&self, wanted: impl Fn(&str, &Test) -> bool) -> Option<Chosen<'_>> {
        let mut chosen: Vec<(&str, u64)> = self
            .tests
            .iter()
            .filter(|(name, test)| test.passed && wanted(name, test))
            .map(|(name, test)| (name.as_str(), test.millis))
            .collect();
        chosen.sort_by_key(|(_, millis)| *millis);
        let time = Duration::from_millis(chosen.iter().map(|(_, millis)| millis).sum());
        let tests: Vec<&str> = chosen.into_iter().map(|(name, _)| name).collect();
        (!tests.is_empty()).then_some(Chosen { program: &self.program, tests, time })
    }
}

impl Chosen<'_> {
    /// Runs them with a mutant switched on, until the first one fails.
    pub(super) fn run(&self, mutant: u32, threads: usize) -> Result<End> {
        // The quickest ones first: most mutants are noticed by any of them.
        for tests in pieces(&self.tests) {
            let mut command = command(self.program, tests.iter().copied(), threads);
            command.env("SESSION_MUTANT", mutant.to_string());
            let end = watch(command, self.time * 5 + PATIENCE)?;
            if end != End::Passed {
                return Ok(end);
            }
        }
        Ok(End::Passed)
    }
}

/// For a machine that does other work, too.
const PATIENCE: Duration = Duration::from_secs(20);

/// A few first, then the rest.
fn pieces<'a, 'n>(tests: &'a [&'n str]) -> impl Iterator<Item = &'a [&'n str]> {
    let (first, rest) = tests.split_at(tests.len().min(12));
    [first, rest].into_iter().filter(|piece| !piece.is_empty())
}

/// The program is another one when it was built anew.
fn stamp(program: &Path) -> Result<String> {
    let data = fs::metadata(program).with_context(|| format!("cannot see {}", program.display()))?;
    let built = data.modified()?.duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(format!("{} {} {}", program.display(), data.len(), built.as_nanos()))
}

fn names(program: &TestProgram) -> Result<Vec<String>> {
    let list = |more: &[&str]| -> Result<BTreeSet<String>> {
        let output = Command::new(&program.path)
            .args(["--list", "--format", "terse"])
            .args(more)
            .current_dir(&program.folder)
            .output()
            .with_context(|| format!("cannot run {}", program.path.display()))?;
        ensure!(output.status.success(), "{} does not list its tests", program.name);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
    };
    let ignored = list(&["--ignored"])?;
    Ok(list(&[])?.into_iter().filter(|name| !ignored.contains(name)).collect())
}

/// The tests of these names, in a process that can neither outlive this one by much nor take all memory.
fn command<'n>(program: &TestProgram, names: impl IntoIterator<Item = &'n str>, threads: usize) -> Command {
    // Kibibytes. A mutant may ask for memory without end.
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -v 8000000; exec \"$0\" \"$@\""])
        .arg(&program.path)
        .args(names)
        .args(["--exact", &format!("--test-threads={threads}")])
        .current_dir(&program.folder)
        .env("CARGO_MANIFEST_DIR", &program.folder)
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// Waits for the first failure, the end, or the end of patience.
fn watch(mut command: Command, longest: Duration) -> Result<End> {
    let mut child = Ended(command.spawn().context("cannot run sh")?);
    let (sender, lines) = mpsc::channel();
    let stdout = child.0.stdout.take().context("a test has no output")?;
    thread::spawn(move || {
        // A test may print what is not UTF-8.
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
    let deadline = Instant::now() + longest;
    let mut last = String::new();
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                if let Some(name) = line.strip_prefix("test ").and_then(|line| line.split_once(" ... ")) {
                    name.0.clone_into(&mut last);
                }
                if line.ends_with("FAILED") && line.starts_with("test ") && !line.starts_with("test result") {
                    return Ok(End::Failed(last));
                }
            }
            Err(RecvTimeoutError::Timeout) => return Ok(End::TimedOut),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = child.0.wait()?;
    // It may have died in the middle of a test, whose name is not known then.
    Ok(if status.success() { End::Passed } else { End::Failed(format!("{status} after {last}")) })
}

/// A child that ends with its owner.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // Both fail only if it has ended, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where what is found out is kept between runs.
pub(super) fn cache(target: &Path, name: &str) -> Result<PathBuf> {
    let folder = target.join("mutants").join(name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}
