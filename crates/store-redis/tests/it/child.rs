//! Processes of their own: a test that needs some starts itself again, and finds that it has a task.

use std::{
    env,
    process::{Child, Command, Stdio},
};

/// The port of the server, in a child; `None` in the parent.
pub(crate) fn task() -> Option<u16> {
    env::var(VARIABLE).ok()?.parse().ok()
}

/// Runs the test of this name in a process of its own, for the server on that port.
pub(crate) fn start(test: &str, port: u16) -> Running {
    start_with(test, port, &[])
}

/// The same with some environment variables.
pub(crate) fn start_with(test: &str, port: u16, variables: &[(&str, &str)]) -> Running {
    let child = Command::new(env::current_exe().unwrap())
        .envs(variables.iter().copied())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(VARIABLE, port.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Running(Some(child))
}

/// Ends with the test that started it.
pub(crate) struct Running(Option<Child>);

impl Running {
    /// Waits for its end, which must be a good one.
    pub(crate) fn finish(mut self) {
        let output = self.0.take().unwrap().wait_with_output().unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}\n{text}", output.status);
        assert!(text.contains("1 passed"), "the child ran nothing:\n{text}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

const VARIABLE: &str = "SESSION_STORE_REDIS_TEST_PORT";
