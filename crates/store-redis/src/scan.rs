//! Reading every record.

use async_trait::async_trait;
use futures_util::future::try_join_all;
use redis::Value;
use session_core::{Entry, Scan, ScanCursor, Scanned, StoreError, StoreErrorKind, StoreKey};
use tokio::time::Instant;

use crate::{
    environment::page,
    failure::{Failure, STORE},
    layout::Bucket,
    link::Link,
    nodes::ask,
    record,
    store::{Inner, RedisStore},
};

/// Node after node, by `SCAN`. A cursor also says which node had what: once buckets have moved, records may have gone from a
/// node that was not read yet to one that was, and the scan has to begin anew.
#[async_trait]
impl Scan for RedisStore {
    /// Two round trips: one for the names, and one for all the records; at the beginning one more. `limit` is what Redis takes for a hint.
    async fn scan(&self, cursor: Option<&ScanCursor>, limit: usize) -> Result<Scanned, StoreError> {
        let (until, _permit) = self.0.begin()?;
        let links = self.0.nodes.all(until).await.map_err(Failure::of_reading)?;
        let place = match cursor {
            None => {
                self.0.have_everything(&links, until).await?;
                Place { node: 0, map: self.0.nodes.fingerprint(), cursor: "0".to_owned() }
            }
            Some(cursor) => Place::parse(cursor).ok_or_else(|| refused("no cursor of this store"))?,
        };
        let link = links.get(place.node).filter(|_| place.map == self.0.nodes.fingerprint());
        let link = link.ok_or_else(|| refused("the cluster has moved slots: scan from the beginning"))?;

        let (next, names) = self.0.names(link, &place.cursor, limit.clamp(1, MOST), until).await?;
        let keys: Vec<StoreKey> = names.iter().filter_map(|name| self.0.layout.key_of(name)).collect();
        let read = keys.iter().map(|key| self.0.entry(key, until));
        let mut scanned = Scanned::default();
        for (key, entry) in keys.iter().zip(try_join_all(read).await?) {
            match entry {
                Found::Entry(entry) => scanned.entries.push((*key, entry)),
                Found::Unreadable => scanned.failed += 1,
                Found::Nothing => {}
            }
        }
        scanned.next = place.then(next, links.len()).map(|place| place.to_cursor());
        Ok(scanned)
    }
}

impl Inner {
    async fn names(
        &self,
        link: &Link,
        cursor: &str,
        count: usize,
        until: Instant,
    ) -> Result<(String, Vec<Vec<u8>>), StoreError> {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(self.layout.pattern()).arg("COUNT").arg(count);
        let answer = ask(link, &scan.into(), until).await.map_err(Failure::of_reading)?;
        page(answer).ok_or_else(|| Failure::strange().of_reading())
    }

    async fn entry(&self, key: &StoreKey, until: Instant) -> Result<Found, StoreError> {
        let mut get = redis::cmd("GET");
        get.arg(self.layout.record(key));
        let answer = self.nodes.request(Bucket::of(key), &get.into(), until).await;
        match answer.map(|answer| answer.value).map_err(Failure::of_reading) {
            Ok(Value::Nil) => Ok(Found::Nothing),
            Ok(Value::BulkString(value)) => {
                Ok(record::decode_entry(key, value).map_or(Found::Unreadable, Found::Entry))
            }
            Ok(_) => Err(Failure::strange().of_reading()),
            Err(error) if error.kind() == StoreErrorKind::Corrupt => Ok(Found::Unreadable),
            Err(error) => Err(error),
        }
    }
}

enum Found {
    Nothing,
    Unreadable,
    Entry(Entry),
}

/// Where a scan stands: `node/map/cursor`.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    node: usize,
    map: u64,
    cursor: String,
}

impl Place {
    fn parse(cursor: &ScanCursor) -> Option<Self> {
        let mut parts = str::from_utf8(cursor.as_bytes()).ok()?.split('/');
        let (node, map, cursor) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = !cursor.is_empty() && cursor.bytes().all(|byte| byte.is_ascii_digit());
        let place = Self { node: node.parse().ok()?, map: map.parse().ok()?, cursor: cursor.to_owned() };
        (digits && parts.next().is_none()).then_some(place)
    }

    fn to_cursor(&self) -> ScanCursor {
        ScanCursor::new(format!("{}/{}/{}", self.node, self.map, self.cursor).into_bytes())
    }

    /// Where the scan goes on when Redis has answered with `cursor`; `None` at the end.
    fn then(self, cursor: String, nodes: usize) -> Option<Self> {
        if cursor != "0" {
            return Some(Self { cursor, ..self });
        }
        let node = self.node + 1;
        (node < nodes).then_some(Self { node, cursor, ..self })
    }
}

fn refused(why: &'static str) -> StoreError {
    StoreError::unavailable(STORE)(why)
}

/// Names in one answer; Redis serves nobody else while it looks for them.
const MOST: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_and_anything_else_is_refused() {
        let place = || Place { node: 1, map: 3, cursor: "18446744073709551615".to_owned() };
        assert_eq!(Place::parse(&place().to_cursor()), Some(place()));
        for text in ["", "1/3", "1/3/", "1/3/a", "1/3/4/5", "-1/3/4", "1//4", "\u{ff}"] {
            assert_eq!(Place::parse(&ScanCursor::new(text.as_bytes())), None, "{text}");
        }
    }

    #[test]
    fn the_last_node_ends_the_scan() {
        let place = |node, cursor: &str| Place { node, map: 9, cursor: cursor.to_owned() };
        assert_eq!(place(0, "0").then("7".to_owned(), 2), Some(place(0, "7")));
        assert_eq!(place(0, "7").then("0".to_owned(), 2), Some(place(1, "0")));
        assert_eq!(place(1, "7").then("0".to_owned(), 2), None);
    }
}
