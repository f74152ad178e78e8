//! A doubly linked list through the records themselves: joining and leaving take constant time and no memory.

use std::{iter, mem};

use crate::{record::Record, slab::NIL, table::Table};

/// A list of records. Every record is in one list: that of its owner, or that of the anonymous ones.
pub(crate) struct List {
    head: u32,
    tail: u32,
}

/// The neighbours of a record in its list.
pub(crate) struct Links {
    previous: u32,
    next: u32,
}

impl List {
    pub(crate) const fn new() -> Self {
        Self { head: NIL, tail: NIL }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.head == NIL
    }

    pub(crate) fn push_back(&mut self, records: &mut Table<Record>, at: u32) {
        if let Some(record) = records.get_mut(at) {
            record.links = Links { previous: self.tail, next: NIL };
        }
        match records.get_mut(self.tail) {
            Some(last) => last.links.next = at,
            None => self.head = at,
        }
        self.tail = at;
    }

    pub(crate) fn unlink(&mut self, records: &mut Table<Record>, at: u32) {
        let Some(record) = records.get_mut(at) else { return };
        let Links { previous, next } = mem::replace(&mut record.links, Links::none());
        match records.get_mut(previous) {
            Some(record) => record.links.next = next,
            None => self.head = next,
        }
        match records.get_mut(next) {
            Some(record) => record.links.previous = previous,
            None => self.tail = previous,
        }
    }

    /// From the one that joined first to the one that joined last.
    pub(crate) fn iter<'a>(&self, records: &'a Table<Record>) -> impl Iterator<Item = (u32, &'a Record)> {
        let place = |at| records.get(at).map(|record| (at, record));
        iter::successors(place(self.head), move |(_, record)| place(record.links.next))
    }
}

impl Links {
    pub(crate) const fn none() -> Self {
        Self { previous: NIL, next: NIL }
    }
}
