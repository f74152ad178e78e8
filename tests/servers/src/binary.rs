//! Where the servers' programs are.

use std::{
    env,
    error::Error,
    fmt, fs,
    path::{Path, PathBuf},
};

/// A program that is not installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The name of the program.
    pub binary: &'static str,
    /// The Debian package that has it.
    pub debian_package: &'static str,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not installed: Debian package {}", self.binary, self.debian_package)
    }
}

impl Error for Missing {}

/// Finds a program on the `PATH` and where Debian puts those of servers. Of several versions of PostgreSQL the highest.
///
/// # Errors
/// [`Missing`] if it is nowhere.
pub fn find(binary: &'static str, debian_package: &'static str) -> Result<PathBuf, Missing> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path)
        .chain(["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .chain(postgresql());
    folders
        .map(|folder| folder.join(binary))
        .find(|file| is_program(file))
        .ok_or(Missing { binary, debian_package })
}

/// `/usr/lib/postgresql/17/bin` and the like, the highest version first.
fn postgresql() -> Vec<PathBuf> {
    let Ok(versions) = fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let mut versions: Vec<(u32, PathBuf)> = versions
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_unstable_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
