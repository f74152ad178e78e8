//! Who a process is in a case: the test, or one of its two children.

use std::{env, fmt::Display, sync::Arc};

use session_core::Store;

use super::child::{Running, Task, run};
use crate::{Result, failure::fail};

/// Who this process is.
#[derive(Debug)]
pub enum Role {
    /// The test: it sets the scene, starts the children and judges what they leave.
    Parent(ParentRole),
    /// One of the children, both of which do the same at the same time.
    Child(ChildRole),
}

/// What the test has.
#[derive(Debug)]
pub struct ParentRole {
    pub(super) store: Arc<dyn Store>,
    pub(super) address: String,
    /// Without the name of the test program.
    pub(super) test: String,
}

/// What a child has.
#[derive(Debug)]
pub struct ChildRole {
    pub(super) store: Arc<dyn Store>,
    pub(super) task: Task,
}

impl ParentRole {
    /// Starts the children, and waits until each has opened the store.
    pub(super) fn children(&self) -> Result<[Partner; 2]> {
        let start = |process: u64| {
            let run = run(&self.test).with(ADDRESS, &self.address).with(PROCESS, process);
            Partner(run.start())
        };
        let mut children = [start(1), start(2)];
        for child in &mut children {
            let first = child.hear()?;
            if first != READY {
                fail!("a child should open the store first, and says {first}");
            }
        }
        Ok(children)
    }

    /// How often a case of `rounds` rounds goes round: the number times `SESSION_CONFORMANCE_SCALE`.
    pub(super) fn rounds(rounds: u64) -> u64 {
        let scale = env::var("SESSION_CONFORMANCE_SCALE").ok().and_then(|scale| scale.parse().ok());
        rounds.saturating_mul(scale.unwrap_or(1).max(1))
    }
}

/// A child, as the test sees it.
#[derive(Debug)]
pub(super) struct Partner(Running);

impl Partner {
    pub(super) fn tell(&mut self, line: impl Display) {
        self.0.tell(line);
    }

    /// What it answers. It has to.
    pub(super) fn hear(&mut self) -> Result<String> {
        match self.0.hear() {
            Some(line) => Ok(line),
            None => {
                let (status, said) = self.0.wait();
                fail!("a child ended with {status}:\n{said}")
            }
        }
    }
}

/// Tells both the same, then waits for what each answers: they work at the same time.
pub(super) fn ask(children: &mut [Partner; 2], line: impl Display) -> Result<[String; 2]> {
    for child in children.iter_mut() {
        child.tell(&line);
    }
    let [one, two] = children;
    Ok([one.hear()?, two.hear()?])
}

/// Lets both end, well.
pub(super) fn finish(children: [Partner; 2]) {
    for Partner(child) in children {
        child.finish();
    }
}

pub(super) const ADDRESS: &str = "address";
pub(super) const PROCESS: &str = "process";
pub(super) const READY: &str = "ready";
