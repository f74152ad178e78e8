//! A program that is started, listened to, and ended when it is no longer needed.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

/// A running program. Dropping it ends the program.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
}

/// What came first.
pub(crate) enum Heard {
    /// The line that was waited for.
    Line(String),
    /// The end of the program.
    End(ExitStatus),
}

impl Process {
    /// Starts a program without input; what it writes to standard output is listened to and shown.
    pub(crate) fn start(program: &Path, prepare: impl FnOnce(&mut Command)) -> Result<Self> {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        prepare(&mut command);
        let mut child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let (sender, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            // Reads on when nobody listens any more, so that the program never finds its output blocked.
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    println!("  {line}");
                    let _ = sender.send(line);
                }
            });
        }
        Ok(Self { child, lines })
    }

    /// Waits until the program prints a line that contains `words`, or ends.
    pub(crate) fn hears(&mut self, words: &str, longest: Duration) -> Result<Heard> {
        let deadline = Instant::now() + longest;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(words) => return Ok(Heard::Line(line)),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    bail!("neither said {words:?} nor ended within {longest:?}")
                }
                Err(RecvTimeoutError::Disconnected) => return self.end(deadline).map(Heard::End),
            }
        }
    }

    /// Waits for the end of a program that has closed its output.
    fn end(&mut self, deadline: Instant) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            ensure!(Instant::now() < deadline, "closed its output and did not end");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the program has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
