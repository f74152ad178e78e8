//! Values by digest: slots, and a hash table of their numbers.

use crate::{hash::KeyHash, index::Index, slab::Slab};

/// A value that is found by its digest.
pub(crate) trait Keyed {
    fn digest(&self) -> &[u8; 32];
}

pub(crate) struct Table<T> {
    index: Index,
    slots: Slab<T>,
    hash: KeyHash,
}

impl<T: Keyed> Table<T> {
    pub(crate) const fn new(hash: KeyHash) -> Self {
        Self { index: Index::new(), slots: Slab::new(), hash }
    }

    pub(crate) fn find(&self, digest: &[u8; 32]) -> Option<(u32, &T)> {
        let with_digest =
            |at| self.slots.get(at).filter(|value| value.digest() == digest).map(|value| (at, value));
        self.index.find(self.hash.of(digest), with_digest)
    }

    pub(crate) fn get(&self, at: u32) -> Option<&T> {
        self.slots.get(at)
    }

    pub(crate) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        self.slots.get_mut(at)
    }

    /// Adds a value whose digest is not there yet; `None` when the table can hold no more.
    pub(crate) fn insert(&mut self, value: T) -> Option<u32> {
        if self.index.is_full() {
            self.grow();
        }
        let hash = self.hash.of(value.digest());
        let at = self.slots.insert(value)?;
        self.index.insert(hash, at);
        Some(at)
    }

    pub(crate) fn remove(&mut self, at: u32) -> Option<T> {
        let value = self.slots.remove(at)?;
        self.index.remove(self.hash.of(value.digest()), at);
        Some(value)
    }

    /// The values, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().map(|(_, value)| value)
    }

    pub(crate) const fn len(&self) -> usize {
        self.index.len()
    }

    /// Slots there are, vacant ones too.
    pub(crate) fn slots(&self) -> usize {
        self.slots.slots()
    }

    fn grow(&mut self) {
        let mut bigger = self.index.bigger();
        for (at, value) in self.slots.iter() {
            bigger.insert(self.hash.of(value.digest()), at);
        }
        self.index = bigger;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Keyed for [u8; 32] {
        fn digest(&self) -> &[u8; 32] {
            self
        }
    }

    fn place(table: &Table<[u8; 32]>, digest: [u8; 32]) -> Option<u32> {
        table.find(&digest).map(|(at, _)| at)
    }

    #[test]
    fn finds_what_was_inserted_and_nothing_else() {
        let mut table = Table::new(KeyHash::random());
        let places: Vec<_> = (0..200).map(|byte| table.insert([byte; 32]).unwrap()).collect();
        assert!((0..200).all(|byte| place(&table, [byte; 32]) == Some(places[usize::from(byte)])));
        assert!((200..=255).all(|byte| table.find(&[byte; 32]).is_none()));
        assert_eq!(table.len(), 200);
    }

    #[test]
    fn tells_digests_apart_that_share_a_hash() {
        // Only bytes 8..24 take part in the hash.
        let mut other = [1; 32];
        other[31] = 2;
        let mut table = Table::new(KeyHash::random());
        let (one, two) = (table.insert([1; 32]), table.insert(other));
        assert_eq!((place(&table, [1; 32]), place(&table, other)), (one, two));
        table.remove(one.unwrap());
        assert_eq!((place(&table, [1; 32]), place(&table, other)), (None, two));
    }
}
