//! A server's process, and the watchdog that ends it when nobody is left to do so.

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// A running server. Dropped, it is killed; if this process is killed, its watchdog does it.
#[derive(Debug)]
pub(crate) struct Process {
    server: Child,
    /// Ends the server when the pipe to its input closes, which the kernel does at whatever end of this process.
    watchdog: Child,
    folder: PathBuf,
}

/// A function for a shell that ends a server and what it has started, given its number and its folder, and removes what it
/// leaves: a PostgreSQL that is killed cannot give back its shared memory, whose number it notes.
pub(crate) const END: &str = r#"
end() {
    kill -9 "$1" $(cat "/proc/$1/task/$1/children" 2>/dev/null)
    memory=$(sed -n '7s/.* //p' "$2/data/postmaster.pid" 2>/dev/null)
    [ -z "$memory" ] || ipcrm -m "$memory"
    rm -rf "$2"
}"#;

impl Process {
    /// Starts `command`, with what it writes appended to the file `log` in `folder`, which the watchdog deletes.
    pub(crate) fn start(mut command: Command, folder: &Path) -> io::Result<Self> {
        let output = OpenOptions::new().create(true).append(true).open(folder.join("log"))?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        // Test runners signal the group of the test; the watchdog has to outlive that, and the server is the watchdog's.
        let mut server = command.process_group(0).spawn()?;
        let watchdog = Command::new("sh")
            .args([
                "-c",
                &format!("{END}\nread -r _; end \"$1\" \"$2\""),
                "watchdog",
                &server.id().to_string(),
            ])
            .arg(folder)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match watchdog {
            Ok(watchdog) => Ok(Self { server, watchdog, folder: folder.to_owned() }),
            Err(error) => {
                server.kill()?;
                server.wait()?;
                Err(error)
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.server.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.server.try_wait(), Ok(None))
    }

    /// Sends `signal` to the server.
    fn signal(&self, signal: Signal) -> io::Result<()> {
        send(self.server.id(), signal)
    }

    /// Sends `signal` to the server and to all that it has started: PostgreSQL answers by a process a client.
    pub(crate) fn signal_all(&self, signal: Signal) -> io::Result<()> {
        self.signal_family(signal).map(drop)
    }

    /// The same. Answers who was started.
    fn signal_family(&self, signal: Signal) -> io::Result<Vec<u32>> {
        let mut family = vec![self.server.id()];
        let mut next = 0;
        while let Some(parent) = family.get(next).copied() {
            let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
            family.extend(
                children.unwrap_or_default().split_whitespace().filter_map(|id| id.parse::<u32>().ok()),
            );
            next += 1;
        }
        self.signal(signal)?;
        family.remove(0);
        for id in &family {
            // Some end by themselves.
            let _ = send(*id, signal);
        }
        Ok(family)
    }

    /// Kills the server and all that it has started, and waits until they are gone.
    fn kill_all(&mut self) -> io::Result<()> {
        let family = self.signal_family(Signal::KILL)?;
        self.server.wait()?;
        let deadline = Instant::now() + PATIENCE;
        while family.iter().any(|id| is_alive(*id)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        self.free_memory();
        Ok(())
    }

    /// Asks it to end with `signal`, and waits until it has.
    pub(crate) fn end(mut self, signal: Signal) -> io::Result<()> {
        if signal == Signal::KILL {
            // Killed, it cannot end what it has started.
            return self.kill_all();
        }
        self.signal(signal)?;
        // One that is paused ends only when it goes on.
        self.signal_all(Signal::CONT)?;
        self.server.wait()?;
        Ok(())
    }

    /// Leaves the server running without a watchdog: somebody else watches.
    pub(crate) fn release(mut self) -> io::Result<()> {
        self.watchdog.kill()?;
        self.watchdog.wait()?;
        std::mem::forget(self);
        Ok(())
    }
}

impl Process {
    /// See [`END`].
    fn free_memory(&self) {
        let note = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
        let memory = note.lines().nth(6).and_then(|line| line.split_whitespace().next_back());
        if let Some(memory) = memory {
            // It fails if there is none any more, which is what is wanted.
            let mut command = Command::new("ipcrm");
            let _ = command.args(["-m", memory]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
    }
}

/// Whether a process is there, and not only waits for somebody to notice its end.
fn is_alive(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// What was killed is gone by then.
const PATIENCE: Duration = Duration::from_secs(10);

fn send(id: u32, signal: Signal) -> io::Result<()> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    Ok(kill_process(pid.ok_or(io::ErrorKind::NotFound)?, signal)?)
}

impl Drop for Process {
    fn drop(&mut self) {
        // The watchdog first: the number of the server's process may be another's as soon as the server was waited for.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        if !self.has_ended() {
            let _ = self.kill_all();
        }
    }
}
