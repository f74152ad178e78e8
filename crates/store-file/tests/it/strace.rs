//! `strace` on the one thread that does the work of a store: to see its system calls, to make them fail, and to kill the
//! process right before one of them.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use session_conformance::processes::Running;

use crate::common::{Fixture, skip};

/// A process with a store that does what it is told, on a single thread of the pool.
pub(crate) struct Worker {
    child: Running,
    log: PathBuf,
}

/// What an operation under `strace` came to.
#[derive(Debug)]
pub(crate) struct Traced {
    /// The answer; `None` if the process died.
    pub(crate) answer: Option<String>,
    /// One line for each system call.
    pub(crate) log: String,
}

impl Worker {
    /// Starts the test again and waits until it is ready.
    pub(crate) fn start(fixture: &Fixture, durability: u64) -> Self {
        let mut child = fixture.child().with("durability", durability).start();
        assert_eq!(child.hear().as_deref(), Some("ready"));
        Self { child, log: fixture.root().with_extension("strace") }
    }

    /// Has it do something; `None` if it died over it.
    pub(crate) fn ask(&mut self, command: &str) -> Option<String> {
        self.child.tell(command);
        self.child.hear()
    }

    /// The same under `strace` with these options.
    pub(crate) fn ask_traced(&mut self, command: &str, options: &[&str]) -> Traced {
        // So that there is a thread to be traced, and that it stays for a while.
        self.ask("warm 999999999").unwrap();
        let thread = self.thread().to_string();
        let mut strace = Command::new("strace")
            .args(["-y", "-o"])
            .arg(&self.log)
            .args(options)
            .args(["-p", &thread])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut attached = String::new();
        BufReader::new(strace.stderr.take().unwrap()).read_line(&mut attached).unwrap();
        assert!(attached.contains("attached"), "{attached}");
        let answer = self.ask(command);
        let _ = kill_process(Pid::from_child(&strace), Signal::INT);
        strace.wait().unwrap();
        Traced { answer, log: fs::read_to_string(&self.log).unwrap() }
    }

    fn thread(&self) -> u32 {
        let tasks = format!("/proc/{}/task", self.child.id());
        let of_pool = |task: &fs::DirEntry| {
            let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            name.trim_end() == "session-file"
        };
        let threads: Vec<_> = fs::read_dir(tasks).unwrap().map(Result::unwrap).filter(of_pool).collect();
        assert_eq!(threads.len(), 1, "{threads:?}");
        threads[0].file_name().into_string().unwrap().parse().unwrap()
    }
}

/// Whether this process may trace another; if not, says why.
pub(crate) fn is_available() -> bool {
    let mut sleeper = Command::new("sleep").arg("60").spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1));
    let traced = Command::new("strace")
        .args(["-o", "/dev/null", "-p", &sleeper.id().to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let available = traced.map(|mut strace| {
        let mut line = String::new();
        let _ = BufReader::new(strace.stderr.take().unwrap()).read_line(&mut line);
        let _ = strace.kill();
        let _ = strace.wait();
        line
    });
    let _ = sleeper.kill();
    let _ = sleeper.wait();
    match available {
        Ok(line) if line.contains("attached") => true,
        refused => {
            skip(format_args!("strace cannot be used here: {refused:?}"));
            false
        }
    }
}
