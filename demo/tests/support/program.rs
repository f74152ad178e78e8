//! The built program, started on a free port and ended by its process id.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

/// A running demo. Dropped, it is killed.
#[derive(Debug)]
pub struct Demo {
    child: Child,
    output: BufReader<ChildStdout>,
    /// `http://` and the address.
    pub url: String,
    /// All that was printed on start.
    pub greeting: Vec<String>,
}

impl Demo {
    /// Starts it with this store, and waits until it listens.
    pub fn start(store: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_demo"))
            .args(["--listen", "127.0.0.1:0", "--store", store])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the demo starts");
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = Vec::new();
        while greeting.last().is_none_or(|line: &String| !line.contains("Ctrl-C")) {
            let mut line = String::new();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "the demo ended early: {greeting:#?}");
            greeting.push(line.trim_end().to_owned());
        }
        let url = greeting[0].strip_prefix("listening on ").expect("it says where it listens").to_owned();
        Self { child, output, url, greeting }
    }

    /// Starts it with a file store in a folder `sessions` below this one.
    pub fn with_files(folder: &Path) -> Self {
        Self::start(&format!("file:{}", folder.join("sessions").display()))
    }

    /// SIGKILL: nothing can be tidied up.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert!(!status.success());
    }

    /// SIGINT, as Ctrl-C sends it; answers with what was printed after the start.
    #[cfg(unix)]
    pub fn interrupt(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.output, &mut rest).unwrap();
        assert!(self.child.wait().unwrap().success());
        rest
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Fails only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
