//! Allocations, counted by the program `counts`: counting slows every allocation down, so it is done apart.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::requests::Framework;

/// What is counted.
#[derive(Debug, Serialize, Deserialize)]
pub struct Counts {
    /// For each framework, each kind of request and each application.
    pub requests: Vec<Vec<Vec<Request>>>,
    /// Heap bytes of a session.
    pub memory: Vec<Memory>,
}

/// What a request allocates.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Request {
    /// How often.
    pub allocations: f64,
    /// How much.
    pub bytes: f64,
}

/// What a session takes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Memory {
    /// Anonymous, or signed in.
    pub what: String,
    /// Sessions in the store.
    pub sessions: u64,
    /// The library's, and the peers'; `NaN` is `null`.
    pub bytes: Vec<f64>,
}

impl Counts {
    /// Runs the program.
    ///
    /// # Errors
    /// If it cannot be run, or says what is not understood.
    pub fn take(quick: bool) -> Result<Self> {
        let program = std::env::current_exe()?.with_file_name("counts");
        let mut command = Command::new(&program);
        if quick {
            command.arg("--quick");
        }
        let output = command.output().with_context(|| format!("cannot run {}", program.display()))?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// The requests to one framework.
    #[must_use]
    pub fn of(&self, framework: Framework) -> &[Vec<Request>] {
        let at = Framework::ALL.iter().position(|known| *known == framework);
        at.and_then(|at| self.requests.get(at)).map_or(&[], Vec::as_slice)
    }
}
