//! Which records belong to a principal.

use async_trait::async_trait;
use futures_util::future::try_join_all;
use redis::Value;
use session_core::{PrincipalIndex, PrincipalKey, StoreError, StoreKey};
use tokio::time::Instant;

use crate::{
    failure::Failure,
    layout::Bucket,
    store::{Inner, RedisStore},
};

/// A principal's keys are in up to 256 sorted sets, one a bucket, in the slots of the records. Members are the key and,
/// in 8 bytes, the expiry; all scores are 0, so they are in the order of the keys.
#[async_trait]
impl PrincipalIndex for RedisStore {
    /// Asks 32 buckets at a time, then twice as many, until the page is full. All of it within one deadline.
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError> {
        let mut page = Vec::new();
        if limit == 0 {
            return Ok(page);
        }
        let (until, _permit) = self.0.begin()?;
        let mut next = after.map_or(0, |key| usize::from(Bucket::of(key).0));
        let mut window = FIRST_WINDOW;
        while next < BUCKETS && page.len() < limit {
            let end = (next + window).min(BUCKETS);
            let left = limit - page.len();
            let members = (next..end).filter_map(|bucket| u8::try_from(bucket).ok()).map(|bucket| {
                let after = after.filter(|key| Bucket::of(key).0 == bucket);
                self.0.members(Bucket(bucket), principal, after, left, until)
            });
            page.extend(try_join_all(members).await.map_err(Failure::of_reading)?.into_iter().flatten());
            (next, window) = (end, window * 2);
        }
        page.truncate(limit);
        Ok(page)
    }
}

impl Inner {
    async fn members(
        &self,
        bucket: Bucket,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
        until: Instant,
    ) -> Result<Vec<StoreKey>, Failure> {
        let mut from = vec![b'-'];
        if let Some(key) = after {
            // Behind every expiry that a member with this key could have.
            from = [b"(".as_slice(), key.as_bytes(), b"\xff"].concat();
        }
        let mut range = redis::cmd("ZRANGEBYLEX");
        range.arg(self.layout.index(bucket, principal)).arg(from).arg("+");
        range.arg("LIMIT").arg(0).arg(i64::try_from(limit).unwrap_or(i64::MAX));
        let answer = self.nodes.request(bucket, &range.into(), until).await?;
        let Value::Array(members) = answer.value else { return Err(Failure::strange()) };
        let key = |member| match member {
            Value::BulkString(member) => member.first_chunk().copied().map(StoreKey::from_bytes),
            _ => None,
        };
        Ok(members.into_iter().filter_map(key).collect())
    }
}

const BUCKETS: usize = 256;
const FIRST_WINDOW: usize = 32;
