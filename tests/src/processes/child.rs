//! A process of a test's own: the test program starts itself again, to run the same test in another role.

use std::{
    env,
    fmt::Display,
    io::{self, BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
};

/// What the parent wants, as the child sees it.
#[derive(Debug)]
pub struct Task(());

/// The task of this process if a test has started it; `None` in the test itself.
#[must_use]
pub fn task() -> Option<Task> {
    env::var_os(variable("parent")).map(|_| Task(()))
}

impl Task {
    /// What was handed over under that name.
    ///
    /// # Panics
    /// If nothing was.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        match env::var(variable(name)) {
            Ok(text) => text,
            Err(error) => panic!("the parent should hand over `{name}`: {error}"),
        }
    }

    /// The number that was handed over under that name.
    ///
    /// # Panics
    /// If none was.
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or_else(|error| panic!("`{name}` should be a number: {error}"))
    }

    /// The path that was handed over under that name.
    ///
    /// # Panics
    /// If none was.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.text(name).into()
    }

    /// Tells the parent a line.
    pub fn tell(&self, line: impl Display) {
        println!("{SAYS}{line}");
    }

    /// The next line that the parent tells, once it does; `None` when it has no more to say.
    #[must_use]
    pub fn hear(&self) -> Option<String> {
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(1..) => Some(line.trim_end().to_owned()),
            Ok(0) | Err(_) => None,
        }
    }
}

/// A child to be.
#[derive(Debug)]
pub struct Run(Command);

/// A child that runs the test of this name, the name of the test program left out: `module::test`.
///
/// # Panics
/// If the system does not know where this program is.
#[must_use]
pub fn run(test: &str) -> Run {
    let program = env::current_exe().unwrap_or_else(|error| panic!("where is this program? {error}"));
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    // So that a test says what went wrong in a line or two, and reads the same files each time.
    command.env(variable("parent"), "1").env("RUST_BACKTRACE", "0");
    Run(command)
}

impl Run {
    /// Hands over a text, a number or a path without odd characters.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        self.0.env(variable(name), value.to_string());
        self
    }

    /// Changes how it is started.
    #[must_use]
    pub fn command(mut self, change: impl FnOnce(&mut Command)) -> Self {
        change(&mut self.0);
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// If the system refuses.
    #[must_use]
    pub fn start(mut self) -> Running {
        let child = self.0.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("no child: {error}"));
        let (input, output) = (child.stdin.take(), child.stdout.take().map(BufReader::new));
        // Read at once, or a child with much to complain about would wait for its parent for ever.
        let complaints = child.stderr.take().map(|mut errors| {
            thread::spawn(move || {
                let mut text = String::new();
                let _ = errors.read_to_string(&mut text);
                text
            })
        });
        Running { child, input, output, complaints, said: String::new() }
    }

    /// Runs it to its end, which must be a good one.
    ///
    /// # Panics
    /// If it is not.
    pub fn finish(self) {
        self.start().finish();
    }
}

/// A child. It ends with the test that started it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    input: Option<ChildStdin>,
    output: Option<BufReader<ChildStdout>>,
    complaints: Option<JoinHandle<String>>,
    said: String,
}

impl Running {
    /// The number of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells the child a line. One that has ended does not hear it.
    pub fn tell(&mut self, line: impl Display) {
        if let Some(input) = &mut self.input {
            let _ = writeln!(input, "{line}");
        }
    }

    /// The next line that the child tells, once it does; `None` if it ends before that.
    pub fn hear(&mut self) -> Option<String> {
        let output = self.output.as_mut()?;
        loop {
            let mut line = String::new();
            if output.read_line(&mut line).ok()? == 0 {
                return None;
            }
            // The test harness prints as well, and not always whole lines.
            if let Some((_, told)) = line.split_once(SAYS) {
                return Some(told.trim_end().to_owned());
            }
            self.said += &line;
        }
    }

    /// Has nothing more to tell, and waits for its end, which must be a good one.
    ///
    /// # Panics
    /// If it is not, or if there is no such test.
    pub fn finish(mut self) {
        let (status, said) = self.wait();
        assert!(status.success(), "a child ended with {status}\n{said}");
        assert!(said.contains("1 passed"), "the child ran nothing:\n{said}");
    }

    /// Has nothing more to tell, and waits for its end. Answers how it ended, and what it said besides.
    ///
    /// # Panics
    /// If the system does not know.
    pub fn wait(&mut self) -> (ExitStatus, String) {
        self.input = None;
        while self.hear().is_some() {}
        if let Some(complaints) = self.complaints.take() {
            self.said += &complaints.join().unwrap_or_default();
        }
        let status = self.child.wait().unwrap_or_else(|error| panic!("how did the child end? {error}"));
        (status, std::mem::take(&mut self.said))
    }

    /// Ends it at once, as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn variable(name: &str) -> String {
    format!("SESSION_TEST_TASK_{}", name.to_uppercase())
}

/// What a line of a child to its parent begins with, among whatever else the test harness prints.
const SAYS: &str = "says: ";
