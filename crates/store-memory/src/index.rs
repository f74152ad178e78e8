//! A hash table of slot numbers, made for looking up with one cache miss.
//!
//! In a store of a million records, a step to another cache line costs more than all the computing together. A general
//! hash table takes two, one to its control bytes and one to the entry; here an entry and its fingerprint share a line
//! of 64 bytes (measured against `hashbrown`: a fifth off the whole load). A line that is full spills into the next
//! one and counts what passed it, as in F14 (Bronson and Shi, 2019), so that removing leaves no marks behind and a
//! search for what is not there ends at the first line that nothing passed.

pub(crate) struct Index {
    /// A power of two of them, or none.
    lines: Vec<Line>,
    len: usize,
}

#[repr(align(64))]
#[derive(Clone)]
struct Line {
    /// Eight bits of the hash; [`VACANT`] marks an entry that is not used.
    tags: [u8; 16],
    slots: [u32; ENTRIES],
    /// How many entries there are in later lines for which there was no room in this one.
    passed: u32,
}

impl Index {
    pub(crate) const fn new() -> Self {
        Self { lines: Vec::new(), len: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Whether [`insert`](Self::insert) needs a bigger index.
    pub(crate) const fn is_full(&self) -> bool {
        self.len >= self.lines.len() * FILL
    }

    /// An empty index with twice the lines.
    pub(crate) fn bigger(&self) -> Self {
        Self { lines: vec![Line::EMPTY; (self.lines.len() * 2).max(1)], len: 0 }
    }

    /// The first answer that `accept` gives for a slot entered under `hash`.
    pub(crate) fn find<T>(&self, hash: u64, accept: impl Fn(u32) -> Option<T>) -> Option<T> {
        for line in self.path(hash) {
            let mut candidates = line.entries_with(tag_of(hash));
            while candidates != 0 {
                let found = accept(line.slots[candidates.trailing_zeros() as usize % ENTRIES]);
                if found.is_some() {
                    return found;
                }
                candidates &= candidates - 1;
            }
            if line.passed == 0 {
                break;
            }
        }
        None
    }

    /// Enters a slot. The index is not [full](Self::is_full).
    pub(crate) fn insert(&mut self, hash: u64, slot: u32) {
        for at in self.positions(hash) {
            let line = &mut self.lines[at];
            let vacant = line.entries_with(VACANT).trailing_zeros() as usize;
            if vacant < ENTRIES {
                line.tags[vacant] = tag_of(hash);
                line.slots[vacant] = slot;
                self.len += 1;
                return;
            }
            line.passed += 1;
        }
    }

    /// Strikes out a slot that was entered under `hash`.
    pub(crate) fn remove(&mut self, hash: u64, slot: u32) {
        let entry_in =
            |line: &Line| (0..ENTRIES).find(|at| line.tags[*at] != VACANT && line.slots[*at] == slot);
        let found = self.path(hash).position(|line| entry_in(line).is_some());
        for at in self.positions(hash).take(found.map_or(0, |distance| distance + 1)) {
            let line = &mut self.lines[at];
            match entry_in(line) {
                None => line.passed -= 1,
                Some(entry) => {
                    line.tags[entry] = VACANT;
                    self.len -= 1;
                }
            }
        }
    }

    fn path(&self, hash: u64) -> impl Iterator<Item = &Line> {
        self.positions(hash).map(|at| &self.lines[at])
    }

    /// Every line once, from the one where `hash` is at home.
    fn positions(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let (home, count) = ((hash >> 8) as usize, self.lines.len());
        (0..count).map(move |distance| home.wrapping_add(distance) & (count - 1))
    }
}

impl Line {
    const EMPTY: Self = Self { tags: [VACANT; 16], slots: [0; ENTRIES], passed: 0 };

    /// A bit for each entry with this tag. The compiler makes three vector instructions of it.
    fn entries_with(&self, tag: u8) -> u16 {
        self.tags.iter().zip(0..).fold(0, |found, (other, bit)| found | u16::from(*other == tag) << bit)
    }
}

fn tag_of(hash: u64) -> u8 {
    (hash as u8).max(VACANT + 1)
}

const VACANT: u8 = 0;
/// As many as fit into a line.
const ENTRIES: usize = 11;
/// Entries per line up to which the index is filled: about one line in six spills then.
const FILL: usize = 9;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_line_is_a_cache_line() {
        assert_eq!(size_of::<Line>(), 64);
    }

    /// Few lines and few homes, so that lines spill, spill around the end and are all passed at the same time.
    #[test]
    fn agrees_with_a_set_whatever_is_entered_and_struck_out() {
        let (mut index, mut model) = (Index::new(), BTreeSet::new());
        let mut random = 1_u64;
        for _ in 0..200_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let slot = (random >> 40) as u32 % 60;
            let hash = u64::from(slot % 3) << 8 | u64::from(slot % 5);
            if model.remove(&slot) {
                index.remove(hash, slot);
            } else {
                if index.is_full() {
                    let mut bigger = index.bigger();
                    model.iter().for_each(|slot| {
                        bigger.insert(u64::from(slot % 3) << 8 | u64::from(slot % 5), *slot)
                    });
                    index = bigger;
                }
                index.insert(hash, slot);
                model.insert(slot);
            }
            assert_eq!(index.len(), model.len());
            let asked = (random >> 20) as u32 % 60;
            let hash = u64::from(asked % 3) << 8 | u64::from(asked % 5);
            let found = index.find(hash, |slot| (slot == asked).then_some(slot));
            assert_eq!(found.is_some(), model.contains(&asked));
        }
    }

    #[test]
    fn what_was_never_entered_is_harmless() {
        let mut index = Index::new();
        index.remove(7, 1);
        assert_eq!(index.find(7, Some), None);
        index = index.bigger();
        index.insert(7, 1);
        index.remove(7, 2);
        assert_eq!((index.len(), index.find(7, Some)), (1, Some(1)));
    }
}
