//! The README as a newcomer takes it: its programs with the dependencies they name, and its transcript typed in.

use std::{
    fmt::Write,
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use super::Context;
use crate::{conformance, outcome::Outcome, process::Process};

/// Where the programs in the README listen.
const ADDRESS: &str = "127.0.0.1:3000";
/// As in the workspace, so that what is compiled there is not compiled again.
const PROFILE: &str = "[profile.dev]\ndebug = \"line-tables-only\"\n";
/// The fields that the transcript shows wherever they are.
const FIELDS: [&str; 3] = ["cache-control:", "set-cookie:", "vary:"];

/// Builds each program in a package of its own, starts it, and compares what it answers with the transcript.
pub(super) fn run(context: &Context<'_>) -> Result<Outcome> {
    let readme =
        fs::read_to_string(context.workspace.root.join("README.md")).context("cannot read README.md")?;
    let blocks = blocks(&readme);
    let block = |kind: &str, start: &str| {
        let found = blocks.iter().find(|block| block.kind == kind && block.text.starts_with(start));
        found
            .map(|block| block.text.as_str())
            .with_context(|| format!("README.md has no {kind} with {start:?}"))
    };
    let transcript = block("text", "$ curl ")?;
    let programs = programs(&blocks)?;

    let folder = context.workspace.target.join("readme");
    let addresses = programs.iter().map(|_| free_address()).collect::<Result<Vec<_>>>()?;
    write_workspace(context, &folder, &programs, &addresses)?;
    let target = context.workspace.target.display();
    let build = format!(
        "build --quiet --offline --workspace --target-dir {target} --manifest-path {}",
        folder.join("Cargo.toml").display()
    );
    let mut outcome = context.cargo(&build).checks()?;
    compare_matrix(context, &readme, &mut outcome)?;
    if !outcome.failures.is_empty() {
        return Ok(outcome);
    }
    if Command::new("curl").arg("--version").output().is_err() {
        outcome.skip("curl is not installed, so the transcript was not compared: Debian package curl");
        return Ok(outcome);
    }
    for (program, address) in programs.iter().zip(&addresses) {
        let binary = context.workspace.target.join("debug").join(program.package());
        outcome.add(compare_transcript(program.adapter, &binary, address, transcript)?);
    }
    Ok(outcome)
}

/// Types the transcript in, with the program of an adapter at the other end.
fn compare_transcript(adapter: &str, binary: &Path, address: &str, transcript: &str) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let jar = tempfile::tempdir()?;
    // Rocket takes its port from its configuration.
    let port = address.rsplit_once(':').map_or("", |(_, port)| port);
    let _server = Process::start(binary, |command| {
        command.env("ROCKET_PORT", port).env("ROCKET_LOG_LEVEL", "off").current_dir(jar.path());
    })?;
    wait_for(address)?;
    for (line, expected) in exchanges(transcript) {
        let output = Command::new("sh")
            .args(["-c", &line.replace(ADDRESS, address)])
            .current_dir(jar.path())
            .output()?;
        match difference(expected, &String::from_utf8_lossy(&output.stdout)) {
            None => outcome.passed += 1,
            Some(difference) => outcome.fail(format!("README.md on {adapter}: {line}: {difference}")),
        }
        eprintln!("{adapter}: {line}");
    }
    Ok(outcome)
}

/// A program, and what it depends on.
struct Program<'a> {
    adapter: &'a str,
    dependencies: &'a str,
    text: &'a str,
}

impl Program<'_> {
    fn package(&self) -> String {
        format!("readme-{}", self.adapter)
    }
}

/// The programs, each behind the dependencies that it names.
fn programs<'a>(blocks: &'a [Block<'_>]) -> Result<Vec<Program<'a>>> {
    let mut programs = Vec::new();
    for pair in blocks.windows(2) {
        let [manifest, program] = pair else { continue };
        if manifest.kind != "toml" || !manifest.text.starts_with("[dependencies]") || program.kind != "rust" {
            continue;
        }
        let named = manifest.text.split_once("session-adapter-").and_then(|(_, rest)| rest.split_once(' '));
        let (adapter, _) = named.context("README.md has a program without an adapter")?;
        programs.push(Program { adapter, dependencies: &manifest.text, text: &program.text });
    }
    ensure!(!programs.is_empty(), "README.md has no program with its dependencies");
    Ok(programs)
}

/// Compares the matrix with what the step `conformance` found.
fn compare_matrix(context: &Context<'_>, readme: &str, outcome: &mut Outcome) -> Result<()> {
    match &*context.matrix.borrow() {
        None => {
            outcome.skip("the step `conformance` did not run, so the matrix in README.md was not compared")
        }
        Some(found) => match conformance::readme::difference(found, readme)? {
            None => outcome.passed += 1,
            Some(difference) => outcome
                .fail(format!("README.md: {difference}; cargo xtask conformance --readme writes it anew")),
        },
    }
    Ok(())
}

/// A package for each program, in a workspace that finds the crates of this one where others find them in the registry.
fn write_workspace(
    context: &Context<'_>,
    folder: &Path,
    programs: &[Program<'_>],
    addresses: &[String],
) -> Result<()> {
    let mut manifest =
        format!("[workspace]\nresolver = \"3\"\nmembers = [\"readme-*\"]\n\n{PROFILE}\n[patch.crates-io]\n");
    let named = |name: &String| programs.iter().any(|program| program.dependencies.contains(name));
    for package in context.workspace.published().filter(|package| named(&package.name)) {
        writeln!(manifest, "{} = {{ path = {:?} }}", package.name, package.folder())?;
    }
    for (program, address) in programs.iter().zip(addresses) {
        let name = program.package();
        let package = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\npublish = false\n\n{}",
            program.dependencies
        );
        fs::create_dir_all(folder.join(&name).join("src"))?;
        fs::write(folder.join(&name).join("Cargo.toml"), package)?;
        fs::write(folder.join(&name).join("src/main.rs"), program.text.replace(ADDRESS, address))?;
    }
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::copy(context.workspace.root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(())
}

struct Block<'a> {
    kind: &'a str,
    text: String,
}

/// The fenced blocks of a Markdown text.
fn blocks(markdown: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let inside = lines.by_ref().take_while(|line| *line != "```");
            blocks.push(Block { kind, text: inside.map(|line| format!("{line}\n")).collect() });
        }
    }
    blocks
}

/// The commands of a transcript, each with what it shows.
fn exchanges(transcript: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = transcript.split("$ ").filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('\n').unwrap_or((part, "")))
}

/// What of an answer is not as the README says. Other fields may be there; fields about sessions may not.
fn difference(expected: &str, answer: &str) -> Option<String> {
    let (expected, answer) = (normal(expected), normal(answer));
    let (expected_head, expected_body) = expected.split_once("\n\n").unwrap_or((&expected, ""));
    let (head, body) = answer.split_once("\n\n").unwrap_or((&answer, ""));
    if body.trim_end() != expected_body.trim_end() {
        return Some(format!("answers {body:?}"));
    }
    let missing = expected_head.lines().find(|line| head.lines().all(|other| other != *line));
    if let Some(line) = missing {
        return Some(format!("answers without {line:?}"));
    }
    let told = |line: &str| FIELDS.iter().any(|field| line.starts_with(field));
    let extra = head.lines().find(|line| told(line) && expected_head.lines().all(|other| other != *line));
    extra.map(|line| format!("answers with {line:?}"))
}

/// Without carriage returns, and with every id the same.
fn normal(answer: &str) -> String {
    let mut text = String::new();
    for line in answer.lines() {
        match line.split_once("set-cookie: id=") {
            Some(("", rest)) if !rest.starts_with(';') => {
                let attributes = rest.split_once(';').map_or("", |(_, attributes)| attributes);
                text.push_str("set-cookie: id=…;");
                text.push_str(attributes);
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// The program says nothing when it is ready.
fn wait_for(address: &str) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(address).is_err() {
        ensure!(Instant::now() < deadline, "the program of README.md does not listen");
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: &str = "HTTP/1.1 200 OK\nvary: cookie\nset-cookie: id=abc; Path=/\n\nvisit 1\n";

    #[test]
    fn an_answer_may_have_another_id_and_more_fields() {
        let answer =
            "HTTP/1.1 200 OK\r\nset-cookie: id=xyz; Path=/\r\nvary: cookie\r\ndate: now\r\n\r\nvisit 1\n";
        assert_eq!(difference(EXPECTED, answer), None);
    }

    #[test]
    fn what_is_told_must_be_true() {
        for (answer, difference) in [
            (
                "HTTP/1.1 200 OK\nvary: cookie\nset-cookie: id=x; Path=/\n\nvisit 2\n",
                "answers \"visit 2\\n\"",
            ),
            (
                "HTTP/1.1 200 OK\nvary: cookie\nset-cookie: id=x; Path=/x\n\nvisit 1\n",
                "answers without \"set-cookie: id=…; Path=/\"",
            ),
            (
                "HTTP/1.1 200 OK\nvary: cookie\nset-cookie: id=x; Path=/\ncache-control: x\n\nvisit 1\n",
                "answers with \"cache-control: x\"",
            ),
        ] {
            assert_eq!(super::difference(EXPECTED, answer).as_deref(), Some(difference));
        }
    }

    #[test]
    fn a_transcript_falls_into_exchanges() {
        let exchanges: Vec<_> = exchanges("$ curl a\none\n\ntwo\n$ curl b\nthree\n").collect();
        assert_eq!(exchanges, [("curl a", "one\n\ntwo\n"), ("curl b", "three\n")]);
    }
}
