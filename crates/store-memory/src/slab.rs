//! Numbered slots for values, in chunks.
//!
//! Growing adds a chunk and moves nothing, so no write pays for copying a whole shard and no more than one chunk is
//! spare. Numbers of four bytes are what lets a record sit in an index, an expiry order and a list for a few bytes
//! each.

/// The number of no slot.
pub(crate) const NIL: u32 = u32::MAX;

pub(crate) struct Slab<T> {
    chunks: Vec<Vec<Slot<T>>>,
    vacant: u32,
}

enum Slot<T> {
    Occupied(T),
    /// With the number of the next vacant slot.
    Vacant(u32),
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self { chunks: Vec::new(), vacant: NIL }
    }

    pub(crate) fn get(&self, at: u32) -> Option<&T> {
        match self.chunks.get(at as usize / CHUNK)?.get(at as usize % CHUNK)? {
            Slot::Occupied(value) => Some(value),
            Slot::Vacant(_) => None,
        }
    }

    pub(crate) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        match self.slot(at)? {
            Slot::Occupied(value) => Some(value),
            Slot::Vacant(_) => None,
        }
    }

    /// The number of the new value; `None` when all numbers are taken.
    pub(crate) fn insert(&mut self, value: T) -> Option<u32> {
        let at = self.vacant;
        match self.slot(at) {
            Some(slot) => {
                let Slot::Vacant(next) = std::mem::replace(slot, Slot::Occupied(value)) else { return None };
                self.vacant = next;
                Some(at)
            }
            None => self.append(value),
        }
    }

    pub(crate) fn remove(&mut self, at: u32) -> Option<T> {
        let vacant = self.vacant;
        let slot = self.slot(at)?;
        match std::mem::replace(slot, Slot::Vacant(vacant)) {
            Slot::Occupied(value) => {
                self.vacant = at;
                Some(value)
            }
            already => {
                *slot = already;
                None
            }
        }
    }

    /// The values with their numbers, in the order of the numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let slots = (0..).zip(self.chunks.iter().flatten());
        slots.filter_map(|(at, slot)| match slot {
            Slot::Occupied(value) => Some((at, value)),
            Slot::Vacant(_) => None,
        })
    }

    /// Slots there are, vacant ones too.
    pub(crate) fn slots(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    fn slot(&mut self, at: u32) -> Option<&mut Slot<T>> {
        self.chunks.get_mut(at as usize / CHUNK)?.get_mut(at as usize % CHUNK)
    }

    fn append(&mut self, value: T) -> Option<u32> {
        let at = u32::try_from(self.slots()).ok().filter(|at| *at != NIL)?;
        if self.chunks.last().is_none_or(|last| last.len() == CHUNK) {
            // The first chunk grows as it fills, so that a shard with few records stays small.
            let capacity = if self.chunks.is_empty() { 0 } else { CHUNK };
            self.chunks.push(Vec::with_capacity(capacity));
        }
        self.chunks.last_mut()?.push(Slot::Occupied(value));
        Some(at)
    }
}

const CHUNK: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_numbers() {
        let mut slab = Slab::new();
        let numbers: Vec<_> = (0..1_000).map(|value| slab.insert(value).unwrap()).collect();
        assert!(numbers.iter().enumerate().all(|(value, at)| slab.get(*at) == Some(&value)));
        assert_eq!(slab.slots(), 1_000);
    }

    #[test]
    fn vacant_slots_are_used_again() {
        let mut slab = Slab::new();
        let numbers: Vec<_> = (0..300).map(|value| slab.insert(value).unwrap()).collect();
        for at in &numbers {
            assert!(slab.remove(*at).is_some());
            assert!(slab.get(*at).is_none());
        }
        for value in 0..300 {
            slab.insert(value).unwrap();
        }
        assert_eq!(slab.slots(), 300);
    }

    #[test]
    fn an_absent_number_is_harmless() {
        let mut slab = Slab::new();
        let at = slab.insert('a').unwrap();
        slab.remove(at);
        assert!(slab.remove(at).is_none() && slab.remove(NIL).is_none() && slab.get(NIL).is_none());
        assert_eq!(slab.insert('b'), Some(at));
        assert_eq!(slab.insert('c'), Some(at + 1));
    }
}
