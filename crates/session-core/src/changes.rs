//! What one request did to a session, kept so that it can be done again to a newer record.
//!
//! The list holds one entry for each key: a later operation on a key is folded into the earlier one. Updates keep a
//! step for each time, because all of them have to be taken again. Clearing comes before all writes of the list. That order is enough, because operations on
//! different keys do not see each other.

use std::{borrow::Cow, collections::BTreeSet, fmt, sync::Arc};

use crate::{
    error::SessionError,
    record::{Entries, EntryRef, Meta, Record, same},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The name of a dictionary inside the session. The root dictionary has no name.
pub(crate) type Namespace = Cow<'static, str>;

/// Recomputes a value from the one in the store; `None` removes it.
pub(crate) type Step = dyn FnMut(Option<&[u8]>) -> Result<Option<Vec<u8>>, SessionError> + Send;

#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    cleared: Vec<Namespace>,
    writes: Vec<Write>,
}

#[derive(Clone, Debug)]
struct Write {
    namespace: Namespace,
    key: Cow<'static, str>,
    operation: Operation,
}

#[derive(Clone)]
pub(crate) enum Operation {
    Set(Vec<u8>),
    Remove,
    /// Steps to take on whatever value is there, and what they last gave.
    Update(Vec<Arc<Update>>, Option<Vec<u8>>),
}

/// A step, and the attempts to store what it gave: of some of them nobody may know what became.
pub(crate) struct Update(Mutex<Tried>);

struct Tried {
    step: Box<Step>,
    /// 0 for none.
    last: u64,
    earlier: Vec<u64>,
}

impl Update {
    pub(crate) fn new(
        step: impl FnMut(Option<&[u8]>) -> Result<Option<Vec<u8>>, SessionError> + Send + 'static,
    ) -> Self {
        Self(Mutex::new(Tried { step: Box::new(step), last: 0, earlier: Vec::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, Tried> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tried {
    /// Most changes are stored by the first attempt, so only a second one takes space.
    fn by(&mut self, attempt: u64) {
        let before = std::mem::replace(&mut self.last, attempt);
        if before != 0 {
            self.earlier.push(before);
        }
    }

    fn was_by(&self, attempt: u64) -> bool {
        attempt != 0 && (self.last == attempt || self.earlier.contains(&attempt))
    }
}

impl Changes {
    pub(crate) const fn nothing() -> Self {
        Self { cleared: Vec::new(), writes: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cleared.is_empty() && self.writes.is_empty()
    }

    /// The value these changes give a key: `None` if they say nothing about it, `Some(None)` if they remove it.
    pub(crate) fn find(&self, namespace: &str, key: &str) -> Option<Option<&[u8]>> {
        match self.writes.iter().find(|write| write.is_for(namespace, key)) {
            Some(write) => Some(write.operation.value()),
            None => self.clears(namespace).then_some(None),
        }
    }

    pub(crate) fn clear(&mut self, namespace: Namespace) {
        self.writes.retain(|write| write.namespace != namespace);
        if !self.clears(&namespace) {
            self.cleared.push(namespace);
        }
    }

    pub(crate) fn push(&mut self, namespace: Namespace, key: Cow<'static, str>, operation: Operation) {
        match self.writes.iter_mut().find(|write| write.is_for(&namespace, &key)) {
            Some(write) => write.operation.then(operation),
            None => {
                let cleared = self.clears(&namespace);
                let mut write = Write { namespace, key, operation };
                if cleared {
                    write.operation.detach();
                }
                if self.writes.is_empty() {
                    // Most requests change one value.
                    self.writes.reserve_exact(1);
                }
                self.writes.push(write);
            }
        }
    }

    /// These changes, and then `later`.
    pub(crate) fn then(mut self, later: Self) -> Self {
        if self.is_empty() {
            return later;
        }
        later.cleared.into_iter().for_each(|namespace| self.clear(namespace));
        for write in later.writes {
            self.push(write.namespace, write.key, write.operation);
        }
        self
    }

    /// Takes the steps again on a newer record; not those that are in it already, because an attempt that seemed to fail
    /// has stored them after all.
    pub(crate) fn replay(&mut self, base: &Record) -> Result<(), SessionError> {
        for write in &mut self.writes {
            if let Operation::Update(steps, value) = &mut write.operation {
                let mut current = base.find(&write.namespace, &write.key).map(<[u8]>::to_vec);
                let stored_by = base.meta().changed_by;
                for update in steps {
                    let mut update = update.lock();
                    if !update.was_by(stored_by) {
                        current = (update.step)(current.as_deref())?;
                    }
                }
                *value = current;
            }
        }
        Ok(())
    }

    /// Notes that an attempt is about to store these changes.
    pub(crate) fn tried_by(&self, attempt: u64) {
        for write in &self.writes {
            if let Operation::Update(updates, _) = &write.operation {
                updates.iter().for_each(|update| update.lock().by(attempt));
            }
        }
    }

    /// Whether a record with `base`'s entries would become another one.
    pub(crate) fn alter(&self, base: Option<&Record>) -> bool {
        let Some(base) = base else { return self.entries().next().is_some() };
        let clears = |entry: EntryRef<'_>| {
            self.overrides(&entry) && !self.writes.iter().any(|write| write.names(&entry))
        };
        let changes = |write: &Write| match (write.operation.value(), base.find(&write.namespace, &write.key))
        {
            (Some(new), Some(old)) => !same(new, old),
            (None, None) => false,
            _ => true,
        };
        self.writes.iter().any(changes) || (!self.cleared.is_empty() && base.entries().any(clears))
    }

    /// The keys that `namespace` has, given what it has below these changes.
    pub(crate) fn keys(&self, namespace: &str, below: BTreeSet<String>) -> BTreeSet<String> {
        let mut keys = if self.clears(namespace) { BTreeSet::new() } else { below };
        for write in self.writes.iter().filter(|write| write.namespace == namespace) {
            match write.operation.value() {
                Some(_) => keys.insert(write.key.clone().into_owned()),
                None => keys.remove(&*write.key),
            };
        }
        keys
    }

    /// The record that `base` becomes. Looked through twice, so that its buffer is exactly as long as it has to be.
    pub(crate) fn encode(&self, base: Option<&Record>, meta: &Meta, principal: &str) -> Record {
        let (mut keys, mut length) = (0, 0);
        let mut kept = base.map_or_else(Entries::none, Record::entries);
        let again = kept.clone();
        while let Some((entry, bytes)) = kept.next_with_bytes() {
            if !self.overrides(&entry) {
                keys += 1;
                length += bytes.len();
            }
        }
        for entry in self.entries() {
            keys += 1;
            length += entry.len();
        }
        Record::build(meta, principal, keys, length, |record| {
            let mut kept = again;
            while let Some((entry, bytes)) = kept.next_with_bytes() {
                if !self.overrides(&entry) {
                    record.extend_from_slice(bytes);
                }
            }
            self.entries().for_each(|entry| entry.write(record));
        })
    }

    /// The entries that are written.
    pub(crate) fn entries(&self) -> impl Iterator<Item = EntryRef<'_>> {
        self.writes.iter().filter_map(Write::entry)
    }

    /// Whether an entry of the record is replaced, removed or cleared.
    pub(crate) fn overrides(&self, entry: &EntryRef<'_>) -> bool {
        self.cleared.iter().any(|cleared| cleared.as_bytes() == entry.namespace)
            || self.writes.iter().any(|write| write.names(entry))
    }

    fn clears(&self, namespace: &str) -> bool {
        self.cleared.iter().any(|cleared| cleared == namespace)
    }
}

impl Write {
    fn is_for(&self, namespace: &str, key: &str) -> bool {
        same(self.key.as_bytes(), key.as_bytes()) && same(self.namespace.as_bytes(), namespace.as_bytes())
    }

    fn names(&self, entry: &EntryRef<'_>) -> bool {
        same(self.key.as_bytes(), entry.key) && same(self.namespace.as_bytes(), entry.namespace)
    }

    fn entry(&self) -> Option<EntryRef<'_>> {
        let value = self.operation.value()?;
        Some(EntryRef { namespace: self.namespace.as_bytes(), key: self.key.as_bytes(), value })
    }
}

impl Operation {
    pub(crate) fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Set(value) => Some(value),
            Self::Update(_, value) => value.as_deref(),
            Self::Remove => None,
        }
    }

    /// This operation and then `later`, as one.
    fn then(&mut self, later: Self) {
        match (&mut *self, later) {
            (Self::Update(steps, value), Self::Update(more, newer)) => {
                steps.extend(more);
                *value = newer;
            }
            (Self::Set(_) | Self::Remove, Self::Update(_, newer)) => *self = Self::settled(newer),
            (_, later) => *self = later,
        }
    }

    /// Makes the operation independent of what is in the store.
    fn detach(&mut self) {
        if let Self::Update(_, value) = self {
            *self = Self::settled(value.take());
        }
    }

    fn settled(value: Option<Vec<u8>>) -> Self {
        value.map_or(Self::Remove, Self::Set)
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set(_) => "Set",
            Self::Remove => "Remove",
            Self::Update(..) => "Update",
        })
    }
}
