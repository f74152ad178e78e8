//! What an operator may see of a stored session: times, sizes and names of keys, never an id, and a value or a principal
//! only where the call says that it shows a secret.

use std::{fmt, time::SystemTime};

use bytes::Bytes;

use crate::{
    digest::StoreKey,
    error::SessionError,
    kind::Kind,
    manager::SessionManager,
    principals::SessionHandle,
    record::{Content, EntryRef},
    scan::ScanCursor,
    store_error::{StoreError, StoreErrorKind},
    value,
};

/// A stored record, looked at from outside: for tools that list, count and explain sessions.
///
/// Looking at a record does not use the session: nothing is written, and its idle time runs on.
///
/// ```
/// # use std::time::{Duration, SystemTime};
/// # use session_core::{Inspection, StoreErrorKind, StoreKey};
/// let expires_at = SystemTime::now() + Duration::from_secs(60);
/// let error = Inspection::of(&StoreKey::from_bytes([7; 32]), "not a record", expires_at).unwrap_err();
/// assert_eq!(error.kind(), StoreErrorKind::Corrupt);
/// ```
#[derive(Clone)]
pub struct Inspection {
    key: StoreKey,
    expires_at: SystemTime,
    bytes: usize,
    content: Content,
}

/// What a stored record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordState {
    /// A session.
    Live,
    /// An id that was handed out in a URL, under which nothing is stored yet.
    Unclaimed,
    /// What an id leaves behind for a short time when it is replaced.
    Superseded,
}

/// A key of a session, and what is known of its value without knowing its type.
#[derive(Clone, Copy)]
pub struct InspectedEntry<'a> {
    entry: EntryRef<'a>,
}

/// How a value is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InspectedFormat {
    /// Postcard, which does not describe itself: the outermost kind of the value, as in "a struct".
    Postcard(&'static str),
    /// JSON.
    Json,
    /// None that this version knows.
    Unknown,
}

/// Some of the records of a store.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct InspectedPage {
    /// The records, in no particular order, expired ones among them.
    pub records: Vec<Inspection>,
    /// Records that cannot be read: damaged, or of a later version of this library.
    pub unreadable: usize,
    /// Where to go on; `None` at the end.
    pub next: Option<ScanCursor>,
}

impl SessionManager {
    /// The record behind `handle`, expired or not; `None` if there is none. Changes nothing.
    ///
    /// # Errors
    /// [`SessionError::Store`], also for a record that cannot be read.
    pub async fn inspect(&self, handle: SessionHandle) -> Result<Option<Inspection>, SessionError> {
        let key = handle.store_key();
        let stored = self.0.store().load(key).await.map_err(SessionError::Store)?;
        let inspected = stored.map(|stored| Inspection::of(key, stored.bytes, stored.expires_at));
        inspected.transpose().map_err(SessionError::Store)
    }

    /// About `limit` records behind `cursor`, whoever they belong to and whatever their realm, which a record does not
    /// tell. Changes nothing.
    ///
    /// # Errors
    /// [`SessionError::Unsupported`] for a store without [`Scan`](crate::Scan), and [`SessionError::Store`]: the scan
    /// can be gone on with from the same cursor.
    pub async fn inspect_page(
        &self,
        cursor: Option<&ScanCursor>,
        limit: usize,
    ) -> Result<InspectedPage, SessionError> {
        let scan = self.0.store().as_scan().ok_or(SessionError::Unsupported { ability: "Scan" })?;
        let scanned = scan.scan(cursor, limit.max(1)).await.map_err(SessionError::Store)?;
        let mut page =
            InspectedPage { unreadable: scanned.failed, next: scanned.next, ..InspectedPage::default() };
        for (key, entry) in scanned.entries {
            match Inspection::of(&key, entry.bytes, entry.expires_at) {
                Ok(inspection) => page.records.push(inspection),
                Err(_) => page.unreadable += 1,
            }
        }
        Ok(page)
    }
}

impl Inspection {
    /// What the record `bytes` says, which a store keeps under `key` until `expires_at`.
    ///
    /// # Errors
    /// [`Corrupt`](StoreErrorKind::Corrupt) for bytes that are no record of this version, whatever they are.
    pub fn of(key: &StoreKey, bytes: impl Into<Bytes>, expires_at: SystemTime) -> Result<Self, StoreError> {
        let bytes = bytes.into();
        let length = bytes.len();
        let content = Content::parse(bytes)
            .map_err(|error| StoreError::new(StoreErrorKind::Corrupt, "session").with_source(error))?;
        Ok(Self { key: *key, expires_at, bytes: length, content })
    }

    /// The public name of the session.
    #[must_use]
    pub const fn handle(&self) -> SessionHandle {
        SessionHandle::of(self.key)
    }

    /// What the record is.
    #[must_use]
    pub fn state(&self) -> RecordState {
        match &self.content {
            Content::Live(record) if record.meta().unclaimed => RecordState::Unclaimed,
            Content::Live(_) => RecordState::Live,
            Content::Superseded(_) => RecordState::Superseded,
        }
    }

    /// When the record may be deleted, as it was last written: when the session ends if it is not used again, by the
    /// timeouts of the application that wrote it.
    #[must_use]
    pub const fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// Whether that has passed at `now`.
    #[must_use]
    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.expires_at <= now
    }

    /// How long the record is, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the session was created; `None` unless the record is a session.
    #[must_use]
    pub fn created(&self) -> Option<SystemTime> {
        self.record().map(|record| record.meta().created.into())
    }

    /// When the session was last used, exact to a tenth of the idle timeout; `None` unless the record is a session.
    #[must_use]
    pub fn last_seen(&self) -> Option<SystemTime> {
        self.record().map(|record| record.meta().last_seen.into())
    }

    /// When the session was signed in to.
    #[must_use]
    pub fn authenticated_at(&self) -> Option<SystemTime> {
        self.record()?.meta().authenticated.map(Into::into)
    }

    /// Whether the session belongs to somebody who has signed in.
    #[must_use]
    pub fn is_signed_in(&self) -> bool {
        self.expose_principal().is_some()
    }

    /// Who has signed in. Danger: often personal data, such as an address; not for logs.
    #[must_use]
    pub fn expose_principal(&self) -> Option<&str> {
        self.record()?.principal()
    }

    /// The keys of the session, in the order they were written; none unless the record is a session.
    pub fn entries(&self) -> impl Iterator<Item = InspectedEntry<'_>> {
        self.record().into_iter().flat_map(|record| record.entries()).map(|entry| InspectedEntry { entry })
    }

    fn record(&self) -> Option<&crate::record::Record> {
        match &self.content {
            Content::Live(record) => Some(record),
            Content::Superseded(_) => None,
        }
    }
}

impl fmt::Debug for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspection")
            .field("handle", &self.handle())
            .field("state", &self.state())
            .field("bytes", &self.bytes)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl RecordState {
    /// A short name, stable across releases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Unclaimed => "unclaimed",
            Self::Superseded => "superseded",
        }
    }
}

impl<'a> InspectedEntry<'a> {
    /// The namespace of the key; empty for keys outside of every namespace.
    #[must_use]
    pub fn namespace(&self) -> &'a str {
        str::from_utf8(self.entry.namespace).unwrap_or_default()
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &'a str {
        str::from_utf8(self.entry.key).unwrap_or_default()
    }

    /// How long the encoded value is, in bytes.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.entry.value.len()
    }

    /// How the value is encoded.
    #[must_use]
    pub fn format(&self) -> InspectedFormat {
        match value::tag_of(self.entry.value) {
            Some(value::Tag::Postcard(kind)) => InspectedFormat::Postcard(Kind::text(kind)),
            Some(value::Tag::Json) => InspectedFormat::Json,
            None => InspectedFormat::Unknown,
        }
    }

    /// The encoded value, without its tag where that is known. Danger: whatever the application keeps in its sessions,
    /// tokens and personal data included; not for logs.
    #[must_use]
    pub fn expose_secret(&self) -> &'a [u8] {
        match self.format() {
            InspectedFormat::Unknown => self.entry.value,
            _ => self.entry.value.get(1..).unwrap_or_default(),
        }
    }
}

impl fmt::Debug for InspectedEntry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InspectedEntry")
            .field("namespace", &self.namespace())
            .field("key", &self.key())
            .field("length", &self.length())
            .field("format", &self.format())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::{
        record::{FORMAT, HEAD, Marker, Meta, Record},
        timestamp::Timestamp,
        value::ValueFormat,
    };

    const KEY: StoreKey = StoreKey::from_bytes([7; 32]);

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn record(meta: &Meta, principal: &str, entries: &[(&str, &str, &[u8])]) -> Bytes {
        let record = Record::build(meta, principal, entries.len(), 0, |bytes| {
            for (namespace, key, value) in entries {
                EntryRef { namespace: namespace.as_bytes(), key: key.as_bytes(), value }.write(bytes);
            }
        });
        record.bytes().clone()
    }

    fn meta() -> Meta {
        Meta {
            last_seen: Timestamp::from_millis(60_000),
            authenticated: Some(Timestamp::from_millis(50_000)),
            ..Meta::new(Timestamp::from_millis(40_000), [0xc5; 24])
        }
    }

    fn sample() -> Bytes {
        let number = value::encode("n", &300_u16, ValueFormat::Postcard).unwrap();
        let entries: &[(&str, &str, &[u8])] = &[
            ("", "n", &number),
            ("shop", "cart", b"\x80{\"tea\":1}"),
            ("", "odd", &[0xff, 1]),
            ("", "e", &[]),
        ];
        record(&meta(), "ann@example.org", entries)
    }

    #[test]
    fn a_live_record_is_told_in_times_and_sizes() {
        let bytes = sample();
        let inspection = Inspection::of(&KEY, bytes.clone(), at(100)).unwrap();
        assert_eq!(inspection.state(), RecordState::Live);
        assert_eq!(inspection.handle().store_key(), &KEY);
        assert_eq!(inspection.bytes(), bytes.len());
        assert_eq!(inspection.created(), Some(at(40)));
        assert_eq!(inspection.last_seen(), Some(at(60)));
        assert_eq!(inspection.authenticated_at(), Some(at(50)));
        assert_eq!(inspection.expires_at(), at(100));
        assert!(inspection.is_expired(at(100)) && !inspection.is_expired(at(99)));
        assert!(inspection.is_signed_in());
        assert_eq!(inspection.expose_principal(), Some("ann@example.org"));
    }

    #[test]
    fn entries_are_told_by_name_length_and_format() {
        let inspection = Inspection::of(&KEY, sample(), at(100)).unwrap();
        let entries: Vec<_> = inspection
            .entries()
            .map(|entry| {
                (entry.namespace(), entry.key(), entry.length(), entry.format(), entry.expose_secret())
            })
            .collect();
        let number = InspectedFormat::Postcard("an unsigned integer");
        assert_eq!(
            entries,
            [
                ("", "n", 3, number, [0xac, 2].as_slice()),
                ("shop", "cart", 10, InspectedFormat::Json, b"{\"tea\":1}"),
                ("", "odd", 2, InspectedFormat::Unknown, &[0xff, 1]),
                ("", "e", 0, InspectedFormat::Unknown, &[]),
            ]
        );
    }

    #[test]
    fn a_visitor_and_an_unclaimed_id_are_not_signed_in() {
        let visitor = Meta::new(Timestamp::from_millis(40_000), [0; 24]);
        let unclaimed = Meta { unclaimed: true, ..visitor };
        for (meta, state) in [(visitor, RecordState::Live), (unclaimed, RecordState::Unclaimed)] {
            let inspection = Inspection::of(&KEY, record(&meta, "", &[]), at(100)).unwrap();
            assert_eq!((inspection.state(), inspection.is_signed_in()), (state, false));
            assert_eq!((inspection.authenticated_at(), inspection.entries().count()), (None, 0));
        }
    }

    #[test]
    fn a_marker_has_no_times_and_no_keys() {
        let marker = Marker {
            linked: true,
            grace_until: None,
            successor: StoreKey::from_bytes([3; 32]),
            masked_id: [4; 24],
        };
        let inspection = Inspection::of(&KEY, marker.to_bytes(), at(100)).unwrap();
        assert_eq!(inspection.state(), RecordState::Superseded);
        assert_eq!((inspection.created(), inspection.last_seen()), (None, None));
        assert_eq!((inspection.is_signed_in(), inspection.entries().count()), (false, 0));
    }

    #[test]
    fn debug_shows_no_value_no_principal_and_no_secret() {
        // Shows: A17
        let inspection = Inspection::of(&KEY, sample(), at(100)).unwrap();
        let shown = format!("{inspection:?} {:?}", inspection.entries().collect::<Vec<_>>());
        assert!(!shown.contains("ann") && !shown.contains("tea") && !shown.contains("197"), "{shown}");
    }

    #[test]
    fn no_flipped_bit_no_truncation_and_no_noise_panics() {
        // Shows: A22
        fn look(bytes: Vec<u8>) {
            if let Ok(inspection) = Inspection::of(&KEY, bytes, at(100)) {
                let told = inspection.entries().map(|entry| entry.expose_secret().len() + entry.key().len());
                let _ = (told.sum::<usize>(), inspection.created(), inspection.expose_principal().is_some());
                let _ = format!("{inspection:?} {:?}", inspection.entries().collect::<Vec<_>>());
            }
        }
        let marker = Marker {
            linked: false,
            grace_until: Some(Timestamp::from_millis(9)),
            successor: KEY,
            masked_id: [4; 24],
        };
        for whole in [sample(), marker.to_bytes()] {
            for bit in 0..whole.len() * 8 {
                let mut flipped = whole.to_vec();
                flipped[bit / 8] ^= 1 << (bit % 8);
                look(flipped);
            }
            for length in 0..whole.len() {
                look(whole[..length].to_vec());
            }
        }
        // xorshift (Marsaglia 2003), behind a head that is taken for one of a record.
        let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
        for length in 0..2_000 {
            let bytes = (0..length % 300).map(|_| {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                noise.to_le_bytes()[0]
            });
            let noise: Vec<u8> = bytes.collect();
            look([FORMAT, u8::try_from(length % 2).unwrap()].into_iter().chain(noise.clone()).collect());
            // Noise in the place of the entries, behind everything that a record begins with.
            let mut entries = vec![0; HEAD];
            entries[0] = FORMAT;
            look([entries, noise].concat());
        }
    }
}
