//! Processes of their own: a test that needs some starts itself again, and finds that it has a task.

use std::{
    env,
    io::Read,
    process::{Child, Command, ExitStatus, Stdio},
};

/// What the parent wants, as the child sees it.
pub(crate) struct Task;

/// `None` in the parent.
pub(crate) fn task() -> Option<Task> {
    env::var_os(variable("parent")).map(|_| Task)
}

impl Task {
    pub(crate) fn text(&self, name: &str) -> String {
        env::var(variable(name)).unwrap()
    }

    pub(crate) fn number(&self, name: &str) -> u64 {
        env::var(variable(name)).unwrap().parse().unwrap()
    }
}

/// A child to be.
pub(crate) struct Run {
    command: Command,
}

/// A child that runs the test of this name.
pub(crate) fn run(test: &str) -> Run {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    // So that a test says what went wrong in a line or two, and reads the same files each time.
    command.env(variable("parent"), "1").env("RUST_BACKTRACE", "0");
    Run { command }
}

impl Run {
    pub(crate) fn text(mut self, name: &str, text: &str) -> Self {
        self.command.env(variable(name), text);
        self
    }

    pub(crate) fn number(mut self, name: &str, number: u64) -> Self {
        self.command.env(variable(name), number.to_string());
        self
    }

    pub(crate) fn start(mut self) -> Running {
        let child = self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Running { child: child.unwrap() }
    }
}

/// Ends with the test that started it.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    pub(crate) fn finish(mut self) {
        let (status, output) = self.wait();
        assert!(status.success(), "{status}\n{output}");
        assert!(output.contains("1 passed"), "the child ran nothing:\n{output}");
    }

    /// How it ended, and what it said.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let mut output = String::new();
        // The output of a test fits the pipe.
        self.child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut output).unwrap();
        (self.child.wait().unwrap(), output)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn variable(name: &str) -> String {
    format!("SESSION_STORE_SQL_TEST_{}", name.to_uppercase())
}
