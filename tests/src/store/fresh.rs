//! What an author hands to the suite: a store, and what only its author can know or do.

use std::{any::Any, fmt, future::Future, pin::Pin, sync::Arc};

use session_core::{ManualClock, Store, StoreKey};

use super::reference::Reference;

/// A fresh, empty store for one case, with the facts and hooks that its author declares.
///
/// Abilities ([`Sweep`](session_core::Sweep), [`PrincipalIndex`](session_core::PrincipalIndex),
/// [`Environment`](session_core::Environment)) need no declaration: the suite asks the store. Everything else is off
/// until declared here, and a case that needs it is skipped with the reason.
///
/// ```
/// # use std::sync::Arc;
/// # use session_conformance::store::{Fresh, ManualClock, Reference};
/// async fn fresh(_: Arc<ManualClock>) -> Fresh {
///     let store = Reference::new();
///     let medium = store.clone();
///     Fresh::new(store).peer_with(move || std::future::ready(medium.clone()))
/// }
/// ```
pub struct Fresh {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) guards: Vec<Box<dyn Any + Send>>,
    pub(crate) facts: Facts,
}

/// What a store's author declared besides the store.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(super) reopen: Option<Hook<(), Arc<dyn Store>>>,
    pub(super) peer: Option<Hook<(), Arc<dyn Store>>>,
    pub(super) outage: Option<Hook<Medium, ()>>,
    pub(super) damage: Option<Hook<StoreKey, ()>>,
    pub(super) foreign: Option<Hook<Foreign, bool>>,
    pub(super) bounded: Option<Bounded>,
    pub(crate) own_clock: bool,
    pub(super) at_once: bool,
    pub(crate) missing: Option<String>,
    pub(super) largest_record: usize,
}

/// A variant of the store that becomes full.
#[derive(Clone)]
pub(super) struct Bounded {
    pub(super) most_records: usize,
    pub(super) open: Hook<(), Arc<dyn Store>>,
}

/// What the outage hook is to make of the medium that a store keeps its records in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// It does not answer any more: the server is stopped, the connection cut, the disk refuses.
    Down,
    /// It answers again, with everything it held. The hook returns when the store may be expected to have noticed.
    Up,
}

/// What the hook for foreign things is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// Put something that is not the store's own beside its records: a file into its folder, a row into another table,
    /// a key under another prefix. Answer `true` once it is there.
    Plant,
    /// Answer whether it is there as it was.
    IsIntact,
}

impl Fresh {
    /// A store that is ready for use: connected, with its environment created, empty, and sharing nothing with any
    /// other store that the same factory makes.
    pub fn new(store: impl Store) -> Self {
        let facts = Facts {
            reopen: None,
            peer: None,
            outage: None,
            damage: None,
            foreign: None,
            bounded: None,
            own_clock: false,
            at_once: false,
            missing: None,
            largest_record: 1 << 20,
        };
        Self { store: Arc::new(store), guards: Vec::new(), facts }
    }

    /// No store, because something that it needs is not installed: what, and where it comes from. Tests are then skipped
    /// by [`skip`](crate::skip()).
    pub fn missing(what: impl fmt::Display) -> Self {
        let mut fresh = Self::new(Reference::new());
        fresh.facts.missing = Some(what.to_string());
        fresh
    }

    /// Keeps `guard` alive until the case is over: a temporary folder, a server process, a schema to drop.
    #[must_use]
    pub fn keep(mut self, guard: impl Any + Send) -> Self {
        self.guards.push(Box::new(guard));
        self
    }

    /// Declares that records outlive the store. The suite drops the store and then calls `open` for it.
    #[must_use]
    pub fn reopen_with<F, S>(mut self, open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = S> + Send + 'static,
        S: Store,
    {
        self.facts.reopen = Some(opener(open));
        self
    }

    /// Declares that several stores may be open on the same records at once, as in several processes. `open` makes one
    /// more, sharing as little with the first as two processes would.
    #[must_use]
    pub fn peer_with<F, S>(mut self, open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = S> + Send + 'static,
        S: Store,
    {
        self.facts.peer = Some(opener(open));
        self
    }

    /// Declares that the medium can be made to fail and to work again.
    #[must_use]
    pub fn outage_with<F>(mut self, switch: impl Fn(Medium) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.facts.outage = Some(Hook::new(switch));
        self
    }

    /// Declares that the record under a key can be made unreadable where it is kept, as a bad disk would.
    #[must_use]
    pub fn damage_with<F>(mut self, damage: impl Fn(StoreKey) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.facts.damage = Some(Hook::new(damage));
        self
    }

    /// Declares that there may be something beside the records which is not the store's own.
    #[must_use]
    pub fn foreign_with<F>(mut self, ask: impl Fn(Foreign) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = bool> + Send + 'static,
    {
        self.facts.foreign = Some(Hook::new(ask));
        self
    }

    /// Declares that the store can be bounded. `open` makes a fresh store of its own that refuses with
    /// [`Full`](session_core::StoreErrorKind::Full) at the latest the record that comes after `most_records` live ones
    /// of 1 KiB, each with a principal.
    #[must_use]
    pub fn bounded_with<F, S>(
        mut self,
        most_records: usize,
        open: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = S> + Send + 'static,
        S: Store,
    {
        self.facts.bounded = Some(Bounded { most_records, open: opener(open) });
        self
    }

    /// Declares that records expire by a clock which the suite cannot move, such as that of a server, and which shows about
    /// what the system's does. Times are then relative to that: cases of the store suite wait some milliseconds for a
    /// record to expire, and those that would have to wait for minutes, or move the clock back, are skipped. The adapter suite moves the
    /// core's clock all the same, and has the store keep everything for longer.
    #[must_use]
    pub fn own_clock(mut self) -> Self {
        self.facts.own_clock = true;
        self
    }

    /// Declares that the store knows some answers without waiting ([`Store::load_now`], [`Store::write_now`]).
    #[must_use]
    pub fn answers_at_once(mut self) -> Self {
        self.facts.at_once = true;
        self
    }

    /// Declares the size of the largest record the store takes; without it, 1 MiB is expected to fit.
    #[must_use]
    pub fn largest_record(mut self, bytes: usize) -> Self {
        self.facts.largest_record = bytes;
        self
    }
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh")
            .field("store", &self.store)
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("reopen", &self.reopen.is_some())
            .field("peer", &self.peer.is_some())
            .field("outage", &self.outage.is_some())
            .field("damage", &self.damage.is_some())
            .field("foreign", &self.foreign.is_some())
            .field("bounded", &self.bounded.as_ref().map(|bounded| bounded.most_records))
            .field("own_clock", &self.own_clock)
            .field("at_once", &self.at_once)
            .field("missing", &self.missing)
            .field("largest_record", &self.largest_record)
            .finish()
    }
}

/// Makes fresh stores: the one thing an author writes.
#[derive(Clone)]
pub struct Factory(Hook<Arc<ManualClock>, Fresh>);

impl Factory {
    /// A factory that calls `fresh` for every case, with the clock that the case will move.
    pub fn new<F>(fresh: impl Fn(Arc<ManualClock>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Fresh> + Send + 'static,
    {
        Self(Hook::new(fresh))
    }

    pub(crate) async fn fresh(&self, clock: Arc<ManualClock>) -> Fresh {
        self.0.call(clock).await
    }
}

impl fmt::Debug for Factory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Factory").finish_non_exhaustive()
    }
}

/// An author's async function, kept.
pub(super) struct Hook<A, R>(Arc<dyn Fn(A) -> Boxed<R> + Send + Sync>);

type Boxed<R> = Pin<Box<dyn Future<Output = R> + Send>>;

impl<A, R> Hook<A, R> {
    fn new<F>(function: impl Fn(A) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
    {
        Self(Arc::new(move |argument| Box::pin(function(argument))))
    }

    pub(super) async fn call(&self, argument: A) -> R {
        (self.0)(argument).await
    }
}

impl<A, R> Clone for Hook<A, R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

fn opener<F, S>(open: impl Fn() -> F + Send + Sync + 'static) -> Hook<(), Arc<dyn Store>>
where
    F: Future<Output = S> + Send + 'static,
    S: Store,
{
    Hook::new(move |()| {
        let opened = open();
        async move { Arc::new(opened.await) as Arc<dyn Store> }
    })
}
