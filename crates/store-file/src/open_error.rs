//! Why a folder was not accepted.

use std::{error::Error, fmt, io, path::PathBuf};

/// Why a folder was refused as the root of a store: which one, and which rule it breaks.
#[derive(Debug)]
pub struct OpenError {
    path: PathBuf,
    rule: RootRule,
}

/// The rules for the root folder of a store.
#[derive(Debug)]
#[non_exhaustive]
pub enum RootRule {
    /// It must exist, if the store is not to create it.
    MustExist,
    /// It must be a folder.
    MustBeAFolder,
    /// It must not be a symbolic link: who can replace the link decides where the sessions are.
    MustNotBeALink,
    /// It must belong to the user that the process runs as.
    MustBeOwned {
        /// The user id that owns it.
        owner: u32,
        /// The effective user id of the process.
        process: u32,
    },
    /// Nobody else may have any permission on it (`chmod 700`).
    MustBePrivate {
        /// The permission bits that it has.
        mode: u32,
    },
    /// It must lie on a local file system, or locks, durability and atomic renames are not what this store relies on.
    MustBeLocal {
        /// The name of the file system.
        file_system: &'static str,
    },
    /// The system must be able to open it and to make folders and files in it.
    MustBeUsable(io::Error),
}

impl OpenError {
    pub(crate) fn new(path: impl Into<PathBuf>, rule: RootRule) -> Self {
        Self { path: path.into(), rule }
    }

    /// The folder that was refused.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// The rule that it breaks.
    #[must_use]
    pub const fn rule(&self) -> &RootRule {
        &self.rule
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot hold sessions: ", self.path.display())?;
        match &self.rule {
            RootRule::MustExist => f.write_str("it does not exist"),
            RootRule::MustBeAFolder => f.write_str("it is not a folder"),
            RootRule::MustNotBeALink => f.write_str("it is a symbolic link"),
            RootRule::MustBeOwned { owner, process } => {
                write!(f, "it belongs to user {owner}, but the process runs as user {process}")
            }
            RootRule::MustBePrivate { mode } => {
                write!(f, "it has mode {mode:04o}, so others have access to it; chmod 700 it")
            }
            RootRule::MustBeLocal { file_system } => {
                write!(f, "it lies on {file_system}, not on a local disk")
            }
            RootRule::MustBeUsable(_) => f.write_str("it cannot be used"),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.rule {
            RootRule::MustBeUsable(source) => Some(source),
            _ => None,
        }
    }
}
