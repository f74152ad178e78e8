//! What all kinds of servers have in common: a folder, a port, a process, and what tests do to it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{error::StartError, port, process::Process};

/// How one kind of server is started.
pub trait Recipe: Send + Sync + 'static {
    /// The name of the program, for messages.
    const NAME: &'static str;

    /// The signal after which it finishes its work and ends; PostgreSQL waits for its clients at SIGTERM.
    const STOP: Signal = Signal::TERM;

    /// Makes what it needs in its new, empty data folder.
    ///
    /// # Errors
    /// [`StartError`]; [`StartError::Missing`] if a program is not installed.
    fn prepare(&self, data: &Path) -> Result<(), StartError>;

    /// The program, to listen on that loopback port and to stay in the foreground.
    ///
    /// # Errors
    /// [`StartError::Missing`] if the program is not installed.
    fn command(&self, data: &Path, port: u16) -> Result<Command, StartError>;

    /// Whether it answers on that port by now.
    fn is_ready(&self, port: u16) -> bool;
}

/// A private server on a loopback port. Dropping it ends it and deletes its data.
#[derive(Debug)]
pub struct Server<R: Recipe> {
    recipe: R,
    port: u16,
    /// In front of the folder, because fields are dropped in order.
    process: Mutex<Option<Process>>,
    folder: TempDir,
}

impl<R: Recipe> Server<R> {
    /// Starts a server with an empty data folder, and waits until it answers.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start(recipe: R) -> Result<Self, StartError> {
        let folder = folder().map_err(StartError::io("make a data folder"))?;
        let mut server = Self { recipe, port: 0, process: Mutex::new(None), folder };
        server.make_data()?;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            server.port = port::free().map_err(StartError::io("find a free port"))?;
            match server.run() {
                // Somebody else took the port.
                Err(error @ StartError::NotReady { .. }) => last = Some(error),
                done => return done.map(|()| server),
            }
        }
        Err(last.unwrap_or_else(|| server.not_ready()))
    }

    /// The loopback port; the same after a restart.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The recipe it was started by.
    #[must_use]
    pub const fn recipe(&self) -> &R {
        &self.recipe
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Ends it at once, as `kill -9` does.
    ///
    /// # Errors
    /// [`io::Error`]
    pub fn kill(&self) -> io::Result<()> {
        self.lock().take().map_or(Ok(()), |process| process.end(Signal::KILL))
    }

    /// Lets it finish, and waits until it has ended.
    ///
    /// # Errors
    /// [`io::Error`]
    pub fn stop(&self) -> io::Result<()> {
        self.lock().take().map_or(Ok(()), |process| process.end(R::STOP))
    }

    /// Stops it in its tracks: connections stay open, and nothing answers.
    ///
    /// # Errors
    /// [`io::Error`]
    pub fn pause(&self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on after [`pause`](Self::pause).
    ///
    /// # Errors
    /// [`io::Error`]
    pub fn resume(&self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    /// Starts it again with the data that it had, after killing it if it still runs.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn restart(&self) -> Result<(), StartError> {
        self.kill().map_err(StartError::io("end the server"))?;
        self.run_again()
    }

    /// Starts it again with nothing in it, after killing it if it still runs.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn restart_empty(&self) -> Result<(), StartError> {
        self.kill().map_err(StartError::io("end the server"))?;
        fs::remove_dir_all(self.data()).map_err(StartError::io("empty the data folder"))?;
        self.make_data()?;
        self.run_again()
    }

    /// The end of what it wrote.
    #[must_use]
    pub fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Hands the process and its folder over to a watchdog; see [`shared`](crate::shared()).
    pub(crate) fn release(self) -> io::Result<(u32, PathBuf)> {
        let Some(process) = self.lock().take() else { return Err(io::ErrorKind::NotFound.into()) };
        let id = process.id();
        process.release()?;
        Ok((id, self.folder.keep()))
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        self.lock().as_ref().map_or(Err(io::ErrorKind::NotFound.into()), |process| process.signal_all(signal))
    }

    fn make_data(&self) -> Result<(), StartError> {
        fs::create_dir(self.data()).map_err(StartError::io("make a data folder"))?;
        self.recipe.prepare(&self.data())
    }

    /// On the port that it had. What a PostgreSQL that was killed has just started needs a moment to notice.
    fn run_again(&self) -> Result<(), StartError> {
        for _ in 1..ATTEMPTS {
            match self.run() {
                Err(StartError::NotReady { .. }) => thread::sleep(Duration::from_millis(200)),
                done => return done,
            }
        }
        self.run()
    }

    fn run(&self) -> Result<(), StartError> {
        let command = self.recipe.command(&self.data(), self.port)?;
        let mut process =
            Process::start(command, self.folder.path()).map_err(StartError::io("start the server"))?;
        let deadline = Instant::now() + PATIENCE;
        while !process.has_ended() && Instant::now() < deadline {
            // Who answers on the port may be another's server, if ours could not have it.
            if self.recipe.is_ready(self.port) && !process.has_ended() {
                *self.lock() = Some(process);
                return Ok(());
            }
            thread::sleep(Duration::from_millis(5));
        }
        drop(process);
        Err(self.not_ready())
    }

    fn not_ready(&self) -> StartError {
        StartError::NotReady { server: R::NAME, log: self.log() }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In memory where the system has such a thing: what a power cut leaves is not tested with these servers. `TMPDIR` puts
/// it on a disk.
fn folder() -> io::Result<TempDir> {
    let builder = |folder: &Path| tempfile::Builder::new().prefix("session-test-").tempdir_in(folder);
    let memory = Path::new("/dev/shm");
    if std::env::var_os("TMPDIR").is_none() && memory.is_dir() {
        builder(memory)
    } else {
        builder(&std::env::temp_dir())
    }
}

const ATTEMPTS: usize = 5;
/// A server that has not answered by then will not.
const PATIENCE: Duration = Duration::from_secs(60);
