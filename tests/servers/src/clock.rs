//! A clock for one server, which a test moves while the machine's stays.

use std::{fs::File, os::unix::fs::FileExt, path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::{binary::find, error::StartError};

/// The time of day of a server, moved by so many seconds against the machine's. It has to be kept for as long as the server.
///
/// The system's functions for the time are replaced in the server's process, by a library that is compiled here. Waiting
/// goes by another clock, which stays.
#[derive(Debug)]
pub struct MovedClock {
    folder: TempDir,
    offset: File,
}

impl MovedClock {
    /// A clock that is not moved yet.
    ///
    /// # Errors
    /// [`StartError`]; a missing one where there is no C compiler.
    pub fn new() -> Result<Self, StartError> {
        let compiler = find("cc", "gcc")?;
        let folder = tempfile::tempdir().map_err(StartError::io("make a folder for a clock"))?;
        let (source, library) = (folder.path().join("clock.c"), folder.path().join("clock.so"));
        std::fs::write(&source, SOURCE).map_err(StartError::io("write the source of a clock"))?;
        let mut command = Command::new(compiler);
        command.args(["-O1", "-shared", "-fPIC", "-o"]).arg(&library).arg(&source);
        let compiled = command.output().map_err(StartError::io("compile a clock"))?;
        if !compiled.status.success() {
            let log = String::from_utf8_lossy(&compiled.stderr).into_owned();
            return Err(StartError::NotReady { server: "cc", log });
        }
        let offset = File::create(folder.path().join("offset")).map_err(StartError::io("make a clock"))?;
        let clock = Self { folder, offset };
        clock.move_by(0)?;
        Ok(clock)
    }

    /// Moves it to so many seconds after the machine's, or before.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn move_by(&self, seconds: i64) -> Result<(), StartError> {
        // In place: the server has the file mapped.
        self.offset.write_all_at(&seconds.to_ne_bytes(), 0).map_err(StartError::io("move a clock"))
    }

    /// What a server needs in its environment.
    pub(crate) fn environment(&self) -> [(&'static str, PathBuf); 2] {
        [
            ("LD_PRELOAD", self.folder.path().join("clock.so")),
            ("SESSION_MOVED_CLOCK", self.folder.path().join("offset")),
        ]
    }
}

const SOURCE: &str = include_str!("clock.c");
