//! What happens to sessions, for logs, counters and alarms. Never an id, a value or a name.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    digest::{self, StoreKey},
    store_error::StoreErrorKind,
};

/// Something that happened to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// Which session, recognizable within one run of the application; `None` where no single one is meant.
    pub session: Option<Fingerprint>,
}

/// A short keyed hash of a session, good for telling log lines apart and for nothing else (OWASP ASVS 5.0 V16.2.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 4]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident => $counter:ident, $text:literal;)*) => {
        /// What can happen to a session.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum EventKind { $($(#[$doc])* $name),* }

        impl EventKind {
            /// The name of the event in logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }

        /// How often each event happened since the manager was built.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats { $($(#[$doc])* pub $counter: u64),* }

        #[derive(Debug, Default)]
        struct Counters { $($counter: AtomicU64),* }

        impl Counters {
            fn of(&self, kind: EventKind) -> &AtomicU64 {
                match kind { $(EventKind::$name => &self.$counter),* }
            }

            fn snapshot(&self) -> Stats {
                Stats { $($counter: self.$counter.load(Ordering::Relaxed)),* }
            }
        }
    };
}

events! {
    /// A session was stored for the first time.
    Created => created, "created";
    /// A live session was loaded.
    Loaded => loaded, "loaded";
    /// Changes were stored.
    Saved => saved, "saved";
    /// Activity was written down without other changes.
    Touched => touched, "touched";
    /// The id was replaced.
    Rotated => rotated, "rotated";
    /// A session was signed in to.
    Authenticated => authenticated, "authenticated";
    /// A session was ended.
    Ended => ended, "ended";
    /// A session was found to be over its time and removed.
    Expired => expired, "expired";
    /// An id was presented that names nothing.
    UnknownId => unknown_id, "unknown-id";
    /// An id was presented after its successor had taken over.
    SupersededUse => superseded_use, "superseded-use";
    /// Several live ids were presented at once; none was used.
    AmbiguousId => ambiguous_id, "ambiguous-id";
    /// Another request had changed the session; the changes were made again on top.
    ConflictReplayed => conflict_replayed, "conflict-replayed";
    /// The session was ended or its id replaced while the request ran; its changes were dropped.
    ChangesDropped => changes_dropped, "changes-dropped";
    /// Too many requests changed the session at once.
    Contended => contended, "contended";
    /// A request was refused because its CSRF token or its origin was wrong.
    ForgeryRefused => forgery_refused, "forgery-refused";
    /// The store could not answer.
    StoreFailed => store_failed, "store-failed";
    /// A record was damaged.
    Corrupt => corrupt, "corrupt";
    /// Expired records were deleted.
    Swept => swept, "swept";
}

pub(crate) type Listener = dyn Fn(&Event) + Send + Sync;

/// Where the library reports to.
pub(crate) struct Events {
    counters: Counters,
    fingerprint_key: [u8; 16],
    listener: Option<Arc<Listener>>,
}

impl Events {
    pub(crate) fn new(fingerprint_key: [u8; 16], listener: Option<Arc<Listener>>) -> Self {
        Self { counters: Counters::default(), fingerprint_key, listener }
    }

    pub(crate) fn emit(&self, kind: EventKind, key: Option<&StoreKey>) {
        self.counters.of(kind).fetch_add(1, Ordering::Relaxed);
        let loud = matches!(
            kind,
            EventKind::StoreFailed | EventKind::Corrupt | EventKind::AmbiguousId | EventKind::SupersededUse
        );
        let traced = if loud {
            tracing::enabled!(tracing::Level::WARN)
        } else {
            tracing::enabled!(tracing::Level::DEBUG)
        };
        if !traced && self.listener.is_none() {
            return;
        }
        let event = Event { kind, session: key.map(|key| self.fingerprint(key)) };
        if traced {
            let session = event.session.map(tracing::field::display);
            if loud {
                tracing::warn!(event = kind.as_str(), session, "session");
            } else {
                tracing::debug!(event = kind.as_str(), session, "session");
            }
        }
        if let Some(listener) = &self.listener {
            listener(&event);
        }
    }

    /// Reports trouble in the store.
    pub(crate) fn store_failed(&self, kind: StoreErrorKind, key: &StoreKey) {
        let event = if kind == StoreErrorKind::Corrupt { EventKind::Corrupt } else { EventKind::StoreFailed };
        self.emit(event, Some(key));
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    pub(crate) fn fingerprint(&self, key: &StoreKey) -> Fingerprint {
        let [a, b, c, d, ..] = digest::hash("fingerprint", &[&self.fingerprint_key, key.as_bytes()]);
        Fingerprint([a, b, c, d])
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
