//! Every system call of every operation: in the right order, each one failing, and killed right before each one.

use std::{fs, time::Duration};

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
const KEEP: Operation =
    Operation { name: "keep", old: Some(("old", Some(ALICE))), new: Some(("new", Some(ALICE))) };
const LOGOUT: Operation = Operation { name: "logout", old: Some(("old", Some(ALICE))), new: None };
const GONE: Operation = Operation { name: "gone", old: None, new: None };
const ALL: [Operation; 7] = [CREATE, REPLACE, LOGIN, CHANGE, KEEP, LOGOUT, GONE];

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
            "create-environment" => {
                format!(
                    "{:?}",
                    block_on(store.as_environment().unwrap().create()).map_err(|errors| errors.len())
                )
            }
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

/// What only a call that makes or deletes folders, or many files, has to sync. In each case for `Process`, `Data` and
/// `Full`: how often a folder is synced.
mod syncs {
    use super::*;

    /// Traces a command of the worker and counts the syncs of folders whose names contain a part.
    fn count(observer: &Observer, worker: &mut Worker, command: &str, answer: &str, part: &str) -> usize {
        let Traced { answer: answered, log } = worker.ask_traced(command, &[]);
        assert_eq!(answered.as_deref(), Some(answer), "{log}");
        let root = observer.fixture.root().display().to_string();
        let part = part.replace("ROOT", &root);
        let is_sync = |line: &&str| line.starts_with("fsync(") || line.starts_with("fdatasync(");
        log.lines().filter(is_sync).filter(|line| line.contains(&part)).count()
    }

    fn for_each_durability(
        fixture: &Fixture,
        expected: [usize; 3],
        test: fn(&mut Observer, &mut Worker) -> usize,
    ) {
        if let Some(task) = task() {
            return work(&task);
        }
        if !strace::is_available() {
            return;
        }
        for (durability, expected) in expected.into_iter().enumerate() {
            let mut observer = Observer::new(fixture.another());
            let mut worker = observer.worker(durability as u64);
            assert_eq!(test(&mut observer, &mut worker), expected, "durability {durability}");
        }
    }

    on_both_paths! {
        /// Once for the folder, however many records go.
        fn a_sweep(fixture) {
            for_each_durability(&fixture, [0, 0, 1], |observer, worker| {
                for number in 0..3 {
                    create(&observer.store, &in_shard(7, number), Entry::new("old", at(START - 10)));
                }
                count(observer, worker, "sweep", "3 0", "ROOT/07>")
            });
        }

        /// The principal's own folder and the two above it, which may be new as well.
        fn a_marker(fixture) {
            for_each_durability(&fixture, [0, 0, 3], |observer, worker| {
                // Folders that are missing are made, and synced, whatever the durability.
                let (_, first) = observer.prepare(&LOGIN);
                assert_eq!(worker.ask(&first).as_deref(), Some("done"));
                let (_, command) = observer.prepare(&LOGIN);
                count(observer, worker, &command, "done", "/by-principal")
            });
        }

        /// A record that stays with its principal has a marker which is known to be durable.
        fn a_marker_of_the_record(fixture) {
            for_each_durability(&fixture, [0, 0, 0], |observer, worker| {
                let (_, command) = observer.prepare(&KEEP);
                count(observer, worker, &command, "done", "/by-principal")
            });
        }

        /// Of a marker without a record it is not known: who made it may have died before the sync.
        fn a_marker_that_was_left_behind(fixture) {
            for_each_durability(&fixture, [0, 0, 3], |observer, worker| {
                let (key, _) = observer.prepare(&KEEP);
                fs::remove_file(observer.fixture.file(&key)).unwrap();
                let command = format!("login {} 0", observer.next);
                count(observer, worker, &command, "done", "/by-principal")
            });
        }

        /// A write that failed leaves no marker, unless nobody knows whether it failed.
        fn a_marker_of_a_failed_write(fixture) {
            if let Some(task) = task() {
                return work(&task);
            }
            if !strace::is_available() {
                return;
            }
            let mut observer = Observer::new(fixture);
            let mut worker = observer.worker(2);
            for (error, answer, listed) in [("ENOSPC", "Unavailable", false), ("EIO", "Indeterminate", true)] {
                let (key, command) = observer.prepare(&LOGIN);
                let inject = format!("inject=link,linkat,rename,renameat,renameat2:error={error}");
                let Traced { answer: answered, log } = worker.ask_traced(&command, &["-e", &inject]);
                assert_eq!(answered.as_deref(), Some(answer), "{log}");
                let index = observer.store.as_principal_index().unwrap();
                let keys = block_on(index.keys_of(&ALICE, None, 10)).unwrap();
                assert_eq!(keys.contains(&key), listed, "{log}");
            }
        }

        /// Once for the folder that it is in; always, as it is rare.
        fn a_folder_that_had_been_deleted(fixture) {
            for_each_durability(&fixture, [1, 1, 1], |observer, worker| {
                let (key, command) = observer.prepare(&CREATE);
                fs::remove_dir(observer.fixture.file(&key).parent().unwrap()).unwrap();
                count(observer, worker, &command, "done", "ROOT>")
            });
        }

        /// The root once for each part of the folders, and the folder that the root is in.
        fn the_environment(fixture) {
            for_each_durability(&fixture, [0, 0, 1], |observer, worker| {
                block_on(observer.store.as_environment().unwrap().drop()).unwrap();
                let parent = observer.fixture.root().parent().unwrap().display().to_string();
                count(observer, worker, "create-environment", "Ok(())", &format!("{parent}>"))
            });
        }

        fn the_folders_of_the_environment(fixture) {
            for_each_durability(&fixture, [0, 0, 5], |observer, worker| {
                block_on(observer.store.as_environment().unwrap().drop()).unwrap();
                count(observer, worker, "create-environment", "Ok(())", "ROOT>")
            });
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
