//! The scripts by which Redis compares a version and changes a record in one step.

use std::sync::LazyLock;

use redis::{Arg, Cmd, Pipeline, Script};

/// A script, with the digest by which Redis knows it.
#[derive(Debug)]
pub(crate) struct Scripted {
    source: &'static str,
    digest: String,
}

/// Writes a record over the version that is expected.
pub(crate) static WRITE: LazyLock<Scripted> = LazyLock::new(|| {
    Scripted::new(concat!(include_str!("scripts/current.lua"), include_str!("scripts/write.lua")))
});

/// Removes a record of the version that is expected.
pub(crate) static REMOVE: LazyLock<Scripted> = LazyLock::new(|| {
    Scripted::new(concat!(include_str!("scripts/current.lua"), include_str!("scripts/remove.lua")))
});

impl Scripted {
    fn new(source: &'static str) -> Self {
        Self { source, digest: Script::new(source).get_hash().to_owned() }
    }

    /// The call, for a server that knows the script.
    pub(crate) fn call(&self, keys: &[&str], arguments: &[&[u8]]) -> Call {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&self.digest).arg(keys.len()).arg(keys).arg(arguments);
        Call { command, source: Some(self.source) }
    }
}

/// Makes a server know all scripts.
pub(crate) fn load_all() -> Pipeline {
    let mut pipeline = redis::pipe();
    for script in [&WRITE, &REMOVE] {
        pipeline.cmd("SCRIPT").arg("LOAD").arg(script.source);
    }
    pipeline
}

/// One request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) command: Cmd,
    /// The script that it runs.
    source: Option<&'static str>,
}

impl Call {
    /// The same for a server that has forgotten the script, and will know it afterwards.
    pub(crate) fn spelt_out(&self) -> Option<Cmd> {
        let mut command = redis::cmd("EVAL");
        command.arg(self.source?);
        for argument in self.command.args_iter().skip(2) {
            if let Arg::Simple(bytes) = argument {
                command.arg(bytes);
            }
        }
        Some(command)
    }
}

impl From<Cmd> for Call {
    fn from(command: Cmd) -> Self {
        Self { command, source: None }
    }
}
