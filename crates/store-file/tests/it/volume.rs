//! A small disk of its own in a file, that can be frozen, and whose power can be cut.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

use crate::common::skip;

pub(crate) struct Volume {
    folder: tempfile::TempDir,
    is_frozen: AtomicBool,
}

impl Volume {
    /// A mounted file system of this kind; `None`, and why, if this process may not mount one.
    pub(crate) fn new(kind: &str) -> Option<Self> {
        let volume = Self { folder: tempfile::tempdir().unwrap(), is_frozen: AtomicBool::new(false) };
        fs::create_dir(volume.path()).unwrap();
        // 320 MB, without a block of it in use: the least that xfs accepts.
        File::create(volume.image()).unwrap().set_len(320 << 20).unwrap();
        let made = run(Command::new(format!("mkfs.{kind}")).arg("-q").arg(volume.image()));
        match made.and_then(|()| volume.mount()) {
            Ok(()) => Some(volume),
            Err(refused) => {
                skip(format_args!("cannot mount {kind} in a file: {refused}"));
                None
            }
        }
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("mount")
    }

    /// Every change waits from now on.
    pub(crate) fn freeze(&self) {
        self.is_frozen.store(true, Ordering::Relaxed);
        run(Command::new("fsfreeze").arg("--freeze").arg(self.path())).unwrap();
    }

    pub(crate) fn thaw(&self) {
        self.is_frozen.store(false, Ordering::Relaxed);
        run(Command::new("fsfreeze").arg("--unfreeze").arg(self.path())).unwrap();
    }

    /// Python makes the system call, which Rust could not without unsafe code.
    pub(crate) fn can_cut_power() -> Result<(), String> {
        run(Command::new("python3").arg("--version"))
    }

    /// What is not on the disk yet is lost: the file system stops without writing its journal, as
    /// `EXT4_IOC_SHUTDOWN`, which is `XFS_IOC_GOINGDOWN`, with the flag `NOLOGFLUSH` makes it. Answers when it began.
    pub(crate) fn cut_power(&self) -> Result<Moment, String> {
        const SHUTDOWN: &str = "
import fcntl, os, struct, sys, time
volume, flag = os.open(sys.argv[1], os.O_RDONLY), struct.pack('I', 2)
begin = time.monotonic_ns()
fcntl.ioctl(volume, 0x8004587D, flag)
print(begin)";
        let said = output_of(Command::new("python3").args(["-c", SHUTDOWN]).arg(self.path()))?;
        said.trim().parse().map(Moment).map_err(|_| format!("python3 says {said}"))
    }

    /// The power is back: the file system recovers from what is on the disk.
    pub(crate) fn restart(&self) {
        self.unmount();
        self.mount().unwrap();
    }

    fn mount(&self) -> Result<(), String> {
        run(Command::new("mount").args(["-o", "loop"]).arg(self.image()).arg(self.path()))?;
        // The root belongs to a folder in it, so that the volume may keep what it likes.
        fs::create_dir_all(self.path().join("private")).map_err(|error| error.to_string())
    }

    fn unmount(&self) {
        // A thread of a store that was just dropped may still hold the folder open.
        for _ in 0..500 {
            if run(Command::new("umount").arg(self.path())).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{} stays busy", self.path().display());
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if *self.is_frozen.get_mut() {
            let _ = run(Command::new("fsfreeze").arg("--unfreeze").arg(self.path()));
        }
        let _ = run(Command::new("umount").arg("--lazy").arg(self.path()));
    }
}

/// Nanoseconds of the clock that every process on this machine shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    pub(crate) fn now() -> Self {
        let now = clock_gettime(ClockId::Monotonic);
        Self(now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64)
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    output_of(command).map(drop)
}

fn output_of(command: &mut Command) -> Result<String, String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(format!("{}: {error}", Path::new(command.get_program()).display())),
    }
}
