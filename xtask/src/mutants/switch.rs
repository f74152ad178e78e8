//! Which of the mutants is on. This file is a crate of the copy that mutants are woven into, see `tree.rs`.

use std::{
    env,
    fs::{File, OpenOptions},
    io::Write,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

struct Switch {
    on: u32,
    /// Where to write down the mutants whose places are reached.
    reached: Option<(File, Vec<AtomicBool>)>,
}

static SWITCH: LazyLock<Switch> = LazyLock::new(|| {
    let on = env::var("SESSION_MUTANT").ok().and_then(|number| number.parse().ok()).unwrap_or(0);
    let reached = env::var_os("SESSION_MUTANTS_REACHED").and_then(|path| {
        let file = OpenOptions::new().append(true).create(true).open(path).ok()?;
        Some((file, (0..MOST).map(|_| AtomicBool::new(false)).collect()))
    });
    Switch { on, reached }
});

const MOST: usize = 100_000;

/// Whether this one is. Deprecated, so that the compiler tells where it stands in code that is compiled.
#[deprecated]
pub fn on(number: u32) -> bool {
    let switch = &*SWITCH;
    if let Some((file, seen)) = &switch.reached
        && !seen[number as usize].swap(true, Ordering::Relaxed)
    {
        // One write, so that those of several processes do not mix.
        let _ = (&*file).write_all(format!("{number}\n").as_bytes());
    }
    switch.on == number
}

/// What a function gives that promises only some iterator.
pub enum Either<M, O> {
    Mutant(M),
    Original(O),
}

impl<M: Iterator<Item = O::Item>, O: Iterator> Iterator for Either<M, O> {
    type Item = O::Item;

    fn next(&mut self) -> Option<O::Item> {
        match self {
            Self::Mutant(mutant) => mutant.next(),
            Self::Original(original) => original.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Mutant(mutant) => mutant.size_hint(),
            Self::Original(original) => original.size_hint(),
        }
    }
}
