//! Builds the woven tree: mutants that do not compile are taken out until the rest does.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::{list::Mutant, tree::Tree, weave};
use crate::workspace::{Workspace, program};

/// What a build has come to.
#[derive(Default)]
pub(super) struct Built {
    /// The mutants that do not compile.
    pub(super) unviable: BTreeSet<u32>,
    /// The mutants that are in code which is compiled on this machine.
    pub(super) compiled: BTreeSet<u32>,
    pub(super) programs: Vec<TestProgram>,
}

/// A test program.
#[derive(Clone, Debug)]
pub(super) struct TestProgram {
    pub(super) package: String,
    /// As in `package::name`; the unit tests of a library are named like the library.
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// Where it expects to be started.
    pub(super) folder: PathBuf,
}

/// Weaves and builds until all is well. `call` is what to build.
pub(super) fn build(workspace: &Workspace, tree: &Tree, mutants: &[Mutant], call: &str) -> Result<Built> {
    let mut known = Known::read(workspace)?;
    let mut unviable: BTreeSet<u32> = mutants
        .iter()
        .filter(|mutant| known.is_unviable(tree.source(&mutant.file), mutant))
        .map(|mutant| mutant.number)
        .collect();
    let mut constant: BTreeSet<String> = known.constant.clone();
    for round in 1..=MOST_ROUNDS {
        let woven = write_woven(tree, mutants, &unviable, &constant)?;
        eprintln!("building, round {round}: {} mutants, {} do not compile", mutants.len(), unviable.len());
        let output = run(workspace, tree, call)?;
        let mut compiled = BTreeSet::new();
        for span in output.deprecated.iter().flat_map(|message| &message.spans) {
            compiled.extend(woven.inside(span));
        }
        if output.errors.is_empty() {
            ensure!(output.succeeded, "the woven tree does not build, and cargo does not say why");
            known.keep(tree, mutants, &unviable, &constant)?;
            let programs = output.programs;
            return Ok(Built { unviable, compiled, programs });
        }
        // Kept also if this comes to no end.
        known.keep(tree, mutants, &unviable, &constant)?;
        let before = (unviable.len(), constant.len());
        for error in &output.errors {
            if let Some(name) = error.constant_call() {
                constant.insert(name.to_owned());
            }
            unviable.extend(
                error.spans.iter().filter(|span| span.is_primary).filter_map(|span| woven.blamed(span)),
            );
        }
        if before == (unviable.len(), constant.len()) {
            for error in &output.errors {
                unviable.extend(error.spans.iter().flat_map(|span| woven.around(span)));
            }
        }
        if before == (unviable.len(), constant.len()) {
            let told: Vec<&str> = output.errors.iter().map(|error| error.rendered.as_str()).collect();
            bail!("no mutant can be blamed for this:\n{}", told.join("\n"));
        }
    }
    bail!("the woven tree does not build after {MOST_ROUNDS} rounds")
}

/// Builds a tree that has to compile.
pub(super) fn build_as_it_is(workspace: &Workspace, tree: &Tree, call: &str) -> Result<Built> {
    let output = run(workspace, tree, call)?;
    if let Some(error) = output.errors.first() {
        bail!("the woven tree does not build:\n{}", error.rendered);
    }
    ensure!(output.succeeded, "the woven tree does not build, and cargo does not say why");
    Ok(Built { programs: output.programs, ..Built::default() })
}

const MOST_ROUNDS: usize = 30;

/// The mutants of each file, by where they stand in it.
struct Woven(BTreeMap<String, Vec<(std::ops::Range<usize>, u32)>>);

fn write_woven(
    tree: &Tree,
    mutants: &[Mutant],
    unviable: &BTreeSet<u32>,
    constant: &BTreeSet<String>,
) -> Result<Woven> {
    let mut by_file: BTreeMap<&str, Vec<&Mutant>> = BTreeMap::new();
    for mutant in mutants.iter().filter(|mutant| !unviable.contains(&mutant.number)) {
        by_file.entry(&mutant.file).or_default().push(mutant);
    }
    let mut regions = BTreeMap::new();
    for (file, source) in tree.sources() {
        let text = match by_file.get(file) {
            None => source.to_owned(),
            Some(mutants) => weave::weave(source, mutants, &|name| constant.contains(name))
                .with_context(|| format!("cannot weave {file}"))?,
        };
        tree.write(file, &text)?;
        regions.insert(file.to_owned(), weave::regions(&text));
    }
    Ok(Woven(regions))
}

impl Woven {
    fn inside<'a>(&'a self, span: &'a CompilerSpan) -> impl Iterator<Item = u32> + 'a {
        let regions = self.0.get(&span.file_name).into_iter().flatten();
        regions.filter(|(range, _)| range.contains(&span.byte_start)).map(|(_, number)| *number)
    }

    /// The innermost mutant that an error is in.
    fn blamed(&self, span: &CompilerSpan) -> Option<u32> {
        let regions = self.0.get(&span.file_name)?;
        let around = regions.iter().filter(|(range, _)| range.contains(&span.byte_start));
        around.min_by_key(|(range, _)| range.len()).map(|(_, number)| *number)
    }

    /// The mutants in what an error is about: all of its lines.
    fn around<'a>(&'a self, span: &'a CompilerSpan) -> impl Iterator<Item = u32> + 'a {
        let regions = self.0.get(&span.file_name).into_iter().flatten();
        regions
            .filter(|(range, _)| range.start < span.byte_end && span.byte_start < range.end)
            .map(|(_, number)| *number)
    }
}

struct Output {
    succeeded: bool,
    errors: Vec<Diagnostic>,
    deprecated: Vec<Diagnostic>,
    programs: Vec<TestProgram>,
}

fn run(workspace: &Workspace, tree: &Tree, call: &str) -> Result<Output> {
    let mut child = Command::new(program())
        .args(call.split_whitespace())
        .arg("--message-format=json")
        .current_dir(&tree.root)
        // What does not belong to the workspace is compiled already.
        .env("CARGO_TARGET_DIR", &workspace.target)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let mut output =
        Output { succeeded: false, errors: Vec::new(), deprecated: Vec::new(), programs: Vec::new() };
    let stdout = child.stdout.take().context("cargo has no output")?;
    for line in BufReader::new(stdout).lines() {
        match serde_json::from_str(&line?) {
            Ok(Message::Complaint { message }) if message.level == "error" => {
                // The last one only counts the others.
                if !message.spans.is_empty() {
                    output.errors.push(message);
                }
            }
            Ok(Message::Complaint { message }) => {
                if message.code.as_ref().is_some_and(|code| code.code == "deprecated") {
                    output.deprecated.push(message);
                }
            }
            Ok(Message::Built { target, executable: Some(path), manifest_path, profile }) if profile.test => {
                let folder = manifest_path.parent().map(PathBuf::from).unwrap_or_default();
                let package = workspace
                    .packages
                    .iter()
                    .find(|package| tree.root.join(workspace.relative(package.folder())) == folder)
                    .map_or_else(|| target.name.clone(), |package| package.name.clone());
                let name = if target.kind.iter().any(|kind| kind == "test") {
                    format!("{package}::{}", target.name)
                } else {
                    package.clone()
                };
                output.programs.push(TestProgram { package, name, path, folder });
            }
            Ok(Message::Built { .. } | Message::Other) | Err(_) => {}
        }
    }
    output.succeeded = child.wait()?.success();
    Ok(output)
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-message")]
    Complaint { message: Diagnostic },
    #[serde(rename = "compiler-artifact")]
    Built {
        target: crate::workspace::Target,
        executable: Option<PathBuf>,
        manifest_path: PathBuf,
        profile: Profile,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    message: String,
    code: Option<Code>,
    spans: Vec<CompilerSpan>,
    #[serde(default)]
    rendered: String,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct CompilerSpan {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    is_primary: bool,
}

impl Diagnostic {
    /// The function that has to stay `const`, if that is what is wrong.
    fn constant_call(&self) -> Option<&str> {
        if self.code.as_ref()?.code != "E0015" {
            return None;
        }
        let (_, rest) = self.message.split_once('`')?;
        let (path, _) = rest.split_once('`')?;
        let name = path.rsplit("::").next()?;
        let name = name.split('<').next()?;
        (name != "on").then_some(name)
    }
}

/// What was found out in earlier builds, by the content of the files.
#[derive(Default, serde::Serialize, Deserialize)]
struct Known {
    #[serde(skip)]
    path: PathBuf,
    /// For each file, its content then, and the names of its mutants that do not compile.
    unviable: HashMap<String, (u64, BTreeSet<String>)>,
    constant: BTreeSet<String>,
}

impl Known {
    fn read(workspace: &Workspace) -> Result<Self> {
        let path = workspace.target.join("mutants/unviable.json");
        let mut known: Self = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(_) => Self::default(),
        };
        known.path = path;
        Ok(known)
    }

    fn is_unviable(&self, source: Option<&str>, mutant: &Mutant) -> bool {
        let known = self.unviable.get(&mutant.file);
        known.is_some_and(|(content, names)| {
            source.is_some_and(|source| digest(source) == *content) && names.contains(&mutant.name)
        })
    }

    fn keep(
        &mut self,
        tree: &Tree,
        mutants: &[Mutant],
        unviable: &BTreeSet<u32>,
        constant: &BTreeSet<String>,
    ) -> Result<()> {
        self.unviable.clear();
        for mutant in mutants.iter().filter(|mutant| unviable.contains(&mutant.number)) {
            let content = tree.source(&mutant.file).map_or(0, digest);
            let (_, names) =
                self.unviable.entry(mutant.file.clone()).or_insert_with(|| (content, BTreeSet::new()));
            names.insert(mutant.name.clone());
        }
        self.constant.clone_from(constant);
        fs::write(&self.path, serde_json::to_vec(self)?).context("cannot keep what does not compile")
    }
}

/// FNV-1a: the same in every build of this program.
pub(super) fn digest(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
