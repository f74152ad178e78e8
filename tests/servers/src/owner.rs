//! Database servers refuse to run as root; then they run as nobody.

use std::{
    fs, io,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use crate::error::StartError;

/// `nobody`, on Debian and elsewhere.
const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Gives a folder to who runs the server, and lets them reach it.
pub(crate) fn give_away(folder: &Path) -> io::Result<()> {
    if is_root() {
        if let Some(parent) = folder.parent() {
            fs::set_permissions(parent, fs::Permissions::from_mode(0o711))?;
        }
        chown(folder, Some(NOBODY), Some(NOBODY))?;
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

/// Gives a file to who runs the server, for their eyes only.
pub(crate) fn give_away_file(file: &Path) -> io::Result<()> {
    if is_root() {
        chown(file, Some(NOBODY), Some(NOBODY))?;
    }
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))
}

/// Lets a program run as the owner of its data.
pub(crate) fn make_run_by_owner(command: &mut Command) {
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.env("HOME", "/");
}

/// Runs a program to its good end.
pub(crate) fn run_by_owner(mut command: Command, name: &'static str) -> Result<(), StartError> {
    make_run_by_owner(&mut command);
    let output = command.output().map_err(StartError::io(name))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(StartError::NotReady { server: name, log: String::from_utf8_lossy(&said).into_owned() })
}
