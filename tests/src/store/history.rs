//! Whether what several clients saw of one record can be put into one order (linearizability: Herlihy and Wing 1990;
//! the search with a memory of visited states: Wing and Gong 1993, Lowe 2017).

use std::collections::HashSet;

use session_core::{Expect, Removed, Version, Written};

/// One call: what was asked and answered, and when by a clock that all clients share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) asked: u64,
    pub(super) answered: u64,
    pub(super) what: What,
}

/// A call and its answer. The bytes of a record are known by its version.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Load(Option<Version>),
    Write(Expect, Written),
    Remove(Option<Version>, Removed),
}

/// Whether an order of the calls exists that keeps every answer true and never puts a call before one that was
/// answered before it was asked. At most 64 calls, on a record that is absent at first.
pub(super) fn is_linearizable(calls: &[Call]) -> bool {
    debug_assert!(calls.len() <= 64);
    let mut search = Search { calls, visited: HashSet::new() };
    search.from(0, None)
}

struct Search<'a> {
    calls: &'a [Call],
    visited: HashSet<(u64, Option<Version>)>,
}

impl Search<'_> {
    /// Whether the calls not in `done` can follow on a record in `state`.
    fn from(&mut self, done: u64, state: Option<Version>) -> bool {
        if done.count_ones() as usize == self.calls.len() {
            return true;
        }
        if !self.visited.insert((done, state)) {
            return false;
        }
        let open = |number: &usize| done & (1 << number) == 0;
        // A call may come next only if no other open call was answered before it was asked.
        let horizon = (0..self.calls.len()).filter(open).map(|number| self.calls[number].answered).min();
        let next: Vec<usize> = (0..self.calls.len())
            .filter(open)
            .filter(|number| horizon.is_none_or(|horizon| self.calls[*number].asked < horizon))
            .collect();
        next.into_iter().any(|number| match after(state, self.calls[number].what) {
            Some(state) => self.from(done | 1 << number, state),
            None => false,
        })
    }
}

/// The state after a call, or `None` if the call cannot have had that answer.
fn after(state: Option<Version>, what: What) -> Option<Option<Version>> {
    match what {
        What::Load(found) => (found == state).then_some(state),
        What::Write(expect, answer) => {
            let met = match expect {
                Expect::Absent => state.is_none(),
                Expect::Version(version) => state == Some(version),
            };
            match answer {
                Written::Stored(version) => met.then_some(Some(version)),
                Written::Conflict => (!met).then_some(state),
            }
        }
        What::Remove(expect, answer) => {
            let refused = state.is_some() && expect.is_some() && expect != state;
            match answer {
                Removed::Gone => (!refused).then_some(None),
                Removed::Conflict => refused.then_some(state),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use session_core::{Expect, Version, Written};

    use super::{Call, What, is_linearizable};

    const ONE: Version = Version::new(1);
    const TWO: Version = Version::new(2);

    fn call(asked: u64, answered: u64, what: What) -> Call {
        Call { asked, answered, what }
    }

    #[test]
    fn a_load_may_see_either_side_of_a_parallel_write() {
        let create = call(0, 10, What::Write(Expect::Absent, Written::Stored(ONE)));
        for seen in [None, Some(ONE)] {
            assert!(is_linearizable(&[create, call(1, 2, What::Load(seen))]));
        }
    }

    #[test]
    fn a_load_behind_a_write_must_see_it() {
        let create = call(0, 1, What::Write(Expect::Absent, Written::Stored(ONE)));
        assert!(is_linearizable(&[create, call(2, 3, What::Load(Some(ONE)))]));
        assert!(!is_linearizable(&[create, call(2, 3, What::Load(None))]));
    }

    #[test]
    fn loads_may_not_go_back() {
        let create = call(0, 1, What::Write(Expect::Absent, Written::Stored(ONE)));
        let write = call(2, 20, What::Write(Expect::Version(ONE), Written::Stored(TWO)));
        let (new, old) = (call(3, 4, What::Load(Some(TWO))), call(5, 6, What::Load(Some(ONE))));
        assert!(is_linearizable(&[create, write, new]));
        assert!(!is_linearizable(&[create, write, new, old]));
    }

    #[test]
    fn two_writes_over_one_version_cannot_both_be_stored() {
        let create = call(0, 1, What::Write(Expect::Absent, Written::Stored(ONE)));
        let one = call(2, 9, What::Write(Expect::Version(ONE), Written::Stored(TWO)));
        let other = call(2, 9, What::Write(Expect::Version(ONE), Written::Stored(Version::new(3))));
        assert!(!is_linearizable(&[create, one, other]));
    }
}
