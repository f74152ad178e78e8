//! Every system call of every operation: in the right order, each one failing, and killed right before each one.

use std::time::Duration;

use session_conformance::processes::{Task, task};
use session_core::{
    Entry, Expect, PrincipalKey, Removed, Store, StoreError, StoreKey, SweepRequest, Version, Written,
};
use session_store_file::{Durability, FileStore};

use crate::{
    common::*,
    strace::{self, Traced, Worker},
};

const ALICE: PrincipalKey = PrincipalKey::from_bytes([0xa1; 32]);
const BOB: PrincipalKey = PrincipalKey::from_bytes([0xb0; 32]);

/// What is done to a record: with `old` in it before, or nothing, and with `new` in it afterwards, or nothing.
#[derive(Clone, Copy, Debug)]
struct Operation {
    name: &'static str,
    old: Option<(&'static str, Option<PrincipalKey>)>,
    new: Option<(&'static str, Option<PrincipalKey>)>,
}

const CREATE: Operation = Operation { name: "create", old: None, new: Some(("new", None)) };
const REPLACE: Operation = Operation { name: "replace", old: Some(("old", None)), new: Some(("new", None)) };
const LOGIN: Operation = Operation { name: "login", old: None, new: Some(("new", Some(ALICE))) };
const CHANGE: Operation =
    Operation { name: "change", old: Some(("old", Some(ALICE))), new: Some(("new", Some(BOB))) };
const LOGOUT: Operation = Operation { name: "logout", old: Some(("old", Some(ALICE))), new: None };
const GONE: Operation = Operation { name: "gone", old: None, new: None };
const ALL: [Operation; 6] = [CREATE, REPLACE, LOGIN, CHANGE, LOGOUT, GONE];

fn record((bytes, principal): (&str, Option<PrincipalKey>)) -> Entry {
    entry(bytes).with_principal(principal)
}

/// Does operations on records, as it is told: `<operation> <number of the record> <version expected>`.
fn work(task: &Task) {
    let durability = match task.number("durability") {
        0 => Durability::Process,
        1 => Durability::Data,
        _ => Durability::Full,
    };
    let builder = FileStore::builder(task.path("root")).durability(durability).io_threads(1);
    let builder = builder.portable(task.number("portable") == 1);
    let store = builder.deadline(Duration::from_secs(60)).open().unwrap();
    task.tell("ready");
    while let Some(line) = task.hear() {
        let mut words = line.split(' ');
        let command = words.next().unwrap();
        let [number, version] =
            [words.next(), words.next()].map(|word| word.map_or(0, |word| word.parse().unwrap()));
        let answer = obey(&store, command, &key(number), Version::new(version));
        task.tell(answer.unwrap_or_else(|error| format!("{:?}", error.kind())));
    }
}

fn obey(store: &FileStore, command: &str, key: &StoreKey, version: Version) -> Result<String, StoreError> {
    let Some(operation) = ALL.iter().find(|operation| operation.name == command) else {
        return Ok(match command {
            "load" => format!("{:?}", block_on(store.load(key))?.map(|stored| stored.bytes)),
            "sweep" => {
                let swept = block_on(store.as_sweep().unwrap().sweep(SweepRequest::before(at(START))))?;
                format!("{} {}", swept.removed, swept.failed)
            }
            // An absent record, so that nothing is kept of it.
            _ => format!("{:?}", block_on(store.remove(key, None))?),
        });
    };
    let done = match operation.new {
        None => block_on(store.remove(key, Some(version)))? == Removed::Gone,
        Some(new) => {
            let expect = operation.old.map_or(Expect::Absent, |_| Expect::Version(version));
            block_on(store.write(key, record(new), expect))? != Written::Conflict
        }
    };
    Ok(if done { "done" } else { "conflict" }.to_owned())
}

/// The other side: a store that sees what the worker leaves behind.
struct Observer {
    fixture: Fixture,
    store: FileStore,
    next: u64,
}

impl Observer {
    fn new(fixture: Fixture) -> Self {
        let store = fixture.open();
        Self { fixture, store, next: 0 }
    }

    fn worker(&self, durability: u64) -> Worker {
        Worker::start(&self.fixture, durability)
    }

    /// The system calls of the operation when all goes well. Of its second time: the first one also sets up memory.
    fn trace(&mut self, operation: &Operation, worker: &mut Worker) -> String {
        let (_, command) = self.prepare(operation);
        assert_eq!(worker.ask(&command).as_deref(), Some("done"));
        let (key, command) = self.prepare(operation);
        let Traced { answer, log } = worker.ask_traced(&command, &[]);
        assert_eq!(answer.as_deref(), Some("done"));
        self.check(operation, &key, answer.as_deref(), "nothing failed");
        log
    }

    /// A record as the operation expects it, and the command for the worker.
    fn prepare(&mut self, operation: &Operation) -> (StoreKey, String) {
        self.next += 1;
        let key = key(self.next);
        let version = operation.old.map_or(Version::new(0), |old| create(&self.store, &key, record(old)));
        (key, format!("{} {} {}", operation.name, self.next, version.number()))
    }

    /// The record is as before or as after, and what was answered is true.
    fn check(&self, operation: &Operation, key: &StoreKey, answer: Option<&str>, context: &str) {
        let found = load(&self.store, key).map(|bytes| String::from_utf8(bytes).unwrap());
        let is = |record: Option<(&str, _)>| found.as_deref() == record.map(|(bytes, _)| bytes);
        let true_to_its_word = match answer {
            Some("done") => is(operation.new),
            Some("Unavailable") => is(operation.old),
            Some("Indeterminate") | None => is(operation.new) || is(operation.old),
            _ => false,
        };
        assert!(true_to_its_word, "{operation:?} answered {answer:?} and left {found:?}: {context}");
        let live = if found.is_none() {
            None
        } else if is(operation.new) {
            operation.new
        } else {
            operation.old
        };
        if let Some((_, Some(principal))) = live {
            let listed =
                block_on(self.store.as_principal_index().unwrap().keys_of(&principal, None, 10_000)).unwrap();
            assert!(listed.contains(key), "{operation:?} left a record that is not listed: {context}");
        }
    }

    fn temporaries(&self) -> usize {
        self.fixture.files().iter().filter(|path| path.extension().is_some_and(|end| end == "tmp")).count()
    }

    /// The record can be written and removed by everybody, so no lock is left.
    fn clean_up(&self, key: &StoreKey) {
        assert_eq!(block_on(self.store.remove(key, None)).unwrap(), Removed::Gone);
        create(&self.store, key, entry("again"));
        assert_eq!(block_on(self.store.remove(key, None)).unwrap(), Removed::Gone);
    }
}

/// The system calls of a log by name, in order.
fn names_of(log: &str) -> Vec<&str> {
    log.lines()
        .filter_map(|line| Some(line.split_once('(')?.0))
        .filter(|name| !HARMLESS.contains(name))
        .collect()
}

/// Calls that belong to memory and threads, not to files.
const HARMLESS: [&str; 9] = [
    "futex",
    "brk",
    "mmap",
    "munmap",
    "mprotect",
    "madvise",
    "sched_yield",
    "clock_nanosleep",
    "restart_syscall",
];

/// Lets each system call of the operation fail in turn, with each of the errors.
fn fail_each_call(fixture: Fixture, operation: Operation) {
    if let Some(task) = task() {
        return work(&task);
    }
    if !strace::is_available() {
        return;
    }
    let mut observer = Observer::new(fixture);
    let mut worker = observer.worker(2);
    let log = observer.trace(&operation, &mut worker);
    let calls = names_of(&log);
    assert!(calls.len() > 10, "{calls:?}");
    let mut refused = 0;
    for (position, call) in calls.iter().enumerate().filter(|(_, call)| **call != "close") {
        let nth = calls[..=position].iter().filter(|other| *other == call).count();
        for error in ["EIO", "ENOSPC", "EINTR"] {
            let (key, command) = observer.prepare(&operation);
            let inject = format!("inject={call}:error={error}:when={nth}");
            let Traced { answer, log } = worker.ask_traced(&command, &["-e", &inject]);
            assert!(log.contains("(INJECTED)"), "{inject} did not happen:\n{log}");
            observer.check(&operation, &key, answer.as_deref(), &format!("{inject}\n{log}"));
            if call.starts_with("unlink") {
                // What could not be deleted is what sweeps are for.
                sweep_all(&observer.store, START);
            }
            assert_eq!(observer.temporaries(), 0, "{inject} left a temporary file:\n{log}");
            refused += usize::from(answer.as_deref() != Some("done"));
            let healthy = worker.ask(&format!("load {}", observer.next));
            assert!(healthy.is_some_and(|answer| answer.contains("None") || answer.contains("Some")));
            observer.clean_up(&key);
        }
    }
    println!("{} calls failed, {refused} operations refused", calls.len() * 3);
    assert!(refused >= calls.len() / 2);
}

/// Kills the process right before each system call of the operation.
fn kill_before_each_call(fixture: Fixture, operation: Operation) {
    if let Some(task) = task() {
        return work(&task);
    }
    if !strace::is_available() {
        return;
    }
    let mut observer = Observer::new(fixture);
    let mut worker = observer.worker(2);
    let log = observer.trace(&operation, &mut worker);
    let calls = names_of(&log);
    for (position, call) in calls.iter().enumerate() {
        let nth = calls[..=position].iter().filter(|other| *other == call).count();
        let mut worker = observer.worker(2);
        let (key, command) = observer.prepare(&operation);
        let inject = format!("inject={call}:signal=KILL:when={nth}");
        let Traced { answer, log } = worker.ask_traced(&command, &["-e", &inject]);
        assert_eq!(answer, None, "{inject} did not happen:\n{log}");
        observer.check(&operation, &key, None, &format!("{inject}\n{log}"));
        sweep_all(&observer.store, START);
        assert_eq!(observer.temporaries(), 0, "{inject} left a temporary file:\n{log}");
        observer.clean_up(&key);
    }
}

/// What a system call means for durability, if anything.
fn meaning(line: &str) -> Option<&'static str> {
    let name = line.split_once('(')?.0;
    let of_index = line.contains("/by-principal");
    // A file that has no name yet, or a temporary one.
    let of_new_file = line.contains("/#") || line.contains(".tmp>");
    Some(match name {
        "flock" => "lock",
        "openat" if of_index && line.contains("O_EXCL") => "make marker",
        "fsync" | "fdatasync" if of_index => "sync index",
        "fsync" | "fdatasync" if of_new_file => "sync file",
        "fsync" | "fdatasync" => "sync folder",
        "linkat" | "link" | "rename" | "renameat" | "renameat2" => "name record",
        "unlink" | "unlinkat" if line.contains("AT_REMOVEDIR") || line.contains(".tmp\"") => return None,
        "unlink" | "unlinkat" if of_index => "delete marker",
        "unlink" | "unlinkat" => "delete record",
        _ => return None,
    })
}

/// What an operation does to make its answer true, in order.
fn steps(fixture: Fixture, operation: &Operation, durability: u64) -> Vec<&'static str> {
    let mut observer = Observer::new(fixture);
    let mut worker = observer.worker(durability);
    let log = observer.trace(operation, &mut worker);
    let mut steps: Vec<_> = log.lines().filter_map(meaning).collect();
    steps.dedup();
    steps
}

fn assert_steps(fixture: &Fixture, operation: Operation, expected: [&[&str]; 3]) {
    if let Some(task) = task() {
        return work(&task);
    }
    if !strace::is_available() {
        return;
    }
    for (durability, expected) in expected.into_iter().enumerate() {
        let steps = steps(fixture.another(), &operation, durability as u64);
        assert_eq!(steps, expected, "{operation:?}, durability {durability}");
    }
}

/// The order in which things reach the disk is what a power cut shows; here it is what the kernel is asked for. In each
/// case for `Process`, `Data` and `Full`.
mod order {
    use super::*;

    on_both_paths! {
        fn create(fixture) {
            super::super::assert_steps(&fixture, CREATE, [
                &["lock", "name record"],
                &["lock", "sync file", "name record"],
                &["lock", "sync file", "name record", "sync folder"],
            ]);
        }

        fn replace(fixture) {
            super::super::assert_steps(&fixture, REPLACE, [
                &["lock", "name record"],
                &["lock", "sync file", "name record"],
                &["lock", "sync file", "name record", "sync folder"],
            ]);
        }

        fn login(fixture) {
            super::super::assert_steps(&fixture, LOGIN, [
                &["lock", "make marker", "name record"],
                &["lock", "make marker", "sync file", "name record"],
                &["lock", "make marker", "sync index", "sync file", "name record", "sync folder"],
            ]);
        }

        fn change(fixture) {
            super::super::assert_steps(&fixture, CHANGE, [
                &["lock", "make marker", "name record", "delete marker"],
                &["lock", "make marker", "sync file", "name record", "delete marker"],
                &["lock", "make marker", "sync index", "sync file", "name record", "sync folder", "delete marker"],
            ]);
        }

        fn logout(fixture) {
            super::super::assert_steps(&fixture, LOGOUT, [
                &["lock", "delete record", "delete marker"],
                &["lock", "delete record", "delete marker"],
                &["lock", "delete record", "sync folder", "delete marker"],
            ]);
        }

        fn logout_of_what_is_gone(fixture) {
            // Somebody else may have deleted it and not have got to the sync.
            super::super::assert_steps(&fixture, GONE, [&["lock"], &["lock"], &["lock", "sync folder"]]);
        }
    }
}

macro_rules! each_operation {
    ($run:ident: $($case:ident $operation:ident)*) => {
        mod $run {
            use super::*;
            on_both_paths! {
                $(fn $case(fixture) { super::super::$run(fixture, $operation) })*
            }
        }
    };
}

each_operation!(fail_each_call: create CREATE replace REPLACE login LOGIN change CHANGE logout LOGOUT);
each_operation!(kill_before_each_call: create CREATE replace REPLACE login LOGIN change CHANGE logout LOGOUT);
