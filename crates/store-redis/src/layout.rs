//! Where things are kept: the names of keys.
//!
//! | key | type | holds |
//! |---|---|---|
//! | `<prefix>:{<tag>}:<64 hex>` | string | a record; the digits are its key |
//! | `<prefix>:{<tag>}:p:<64 hex>` | sorted set | which keys of the bucket belong to a principal; the digits are the principal |
//! | `<prefix>:{3560}:environment` | string | the version of this layout |
//!
//! A Cluster places a key by what stands between braces. Keys are spread over 256 buckets by their first byte, and each
//! bucket has a tag of its own, so that a record and the place where its principal lists it are always in the same slot:
//! one script changes both. The tags are chosen so that bucket `n` has slot `64 n`; any cluster that shares out ranges of
//! slots evenly shares out the buckets evenly.

use std::fmt::Write as _;

use session_core::{PrincipalKey, StoreKey};

use crate::build_error::BuildError;

/// Which 256th of all keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket(pub(crate) u8);

impl Bucket {
    /// Where the environment is noted.
    pub(crate) const FIRST: Self = Self(0);

    pub(crate) const fn of(key: &StoreKey) -> Self {
        Self(key.as_bytes()[0])
    }

    /// The slot of a Cluster.
    pub(crate) const fn slot(self) -> u16 {
        self.0 as u16 * SLOTS_PER_BUCKET
    }

    fn tag(self) -> u32 {
        TAGS[usize::from(self.0)]
    }
}

/// The names of keys under one prefix.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    prefix: String,
}

impl Layout {
    /// Refuses a prefix that could be mistaken for another, for a pattern, or for a tag.
    pub(crate) fn new(prefix: String) -> Result<Self, BuildError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
        if prefix.is_empty() || prefix.len() > LONGEST_PREFIX || !prefix.bytes().all(fits) {
            return Err(BuildError::Prefix);
        }
        Ok(Self { prefix })
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn record(&self, key: &StoreKey) -> String {
        self.name(Bucket::of(key), "", key.as_bytes())
    }

    pub(crate) fn index(&self, bucket: Bucket, principal: &PrincipalKey) -> String {
        self.name(bucket, INDEX, principal.as_bytes())
    }

    pub(crate) fn environment(&self) -> String {
        format!("{}:{{{}}}:{ENVIRONMENT}", self.prefix, Bucket::FIRST.tag())
    }

    /// What every name under the prefix matches, and no name under another one: none has a brace.
    pub(crate) fn pattern(&self) -> String {
        format!("{}:{{*", self.prefix)
    }

    /// Whether a name is one that this module makes.
    pub(crate) fn is_ours(&self, name: &[u8]) -> bool {
        let Some(rest) = str::from_utf8(name).ok().and_then(|name| name.strip_prefix(&self.prefix)) else {
            return false;
        };
        let Some((tag, rest)) = rest.strip_prefix(":{").and_then(|rest| rest.split_once("}:")) else {
            return false;
        };
        let known = tag.parse().is_ok_and(|tag: u32| TAGS.contains(&tag)) && !tag.starts_with(['+', '0']);
        let digits = rest.strip_prefix(INDEX).unwrap_or(rest);
        known && (rest == ENVIRONMENT || StoreKey::from_hex(digits).is_some())
    }

    /// The key of the record with this name; `None` if it is the name of something else.
    pub(crate) fn key_of(&self, name: &[u8]) -> Option<StoreKey> {
        let digits = str::from_utf8(name.get(name.len().checked_sub(64)?..)?).ok()?;
        let key = StoreKey::from_hex(digits)?;
        (self.record(&key).as_bytes() == name).then_some(key)
    }

    fn name(&self, bucket: Bucket, kind: &str, digest: &[u8; 32]) -> String {
        let mut name = String::with_capacity(self.prefix.len() + 80);
        // Writing to a string does not fail.
        let _ = write!(name, "{}:{{{}}}:{kind}", self.prefix, bucket.tag());
        for byte in digest {
            let _ = write!(name, "{byte:02x}");
        }
        name
    }
}

/// The version of the layout that this crate makes.
pub(crate) const LAYOUT: &str = "1";

const LONGEST_PREFIX: usize = 64;
const SLOTS_PER_BUCKET: u16 = 64;
const INDEX: &str = "p:";
const ENVIRONMENT: &str = "environment";

/// For each bucket the smallest number whose decimal digits have the slot of the bucket.
#[rustfmt::skip]
const TAGS: [u32; 256] = [
    3560, 11423, 40821, 41742, 2464, 10527, 5469, 12258, 1768, 16159, 3017, 7806, 69235, 40331, 2113, 6902,
    22069, 26878, 574, 1696, 56283, 49436, 18834, 19757, 20261, 4493, 8518, 29498, 21365, 5597, 26368,
    49141, 48576, 46382, 18617, 530, 27938, 15698, 19713, 12695, 18360, 16594, 47996, 11599, 19264, 17490,
    39599, 9458, 11467, 3524, 13318, 4529, 10563, 2420, 40602, 41961, 41271, 68375, 7842, 3053, 17019,
    13808, 6946, 2157, 4129, 13718, 3124, 7935, 69306, 40202, 2020, 6831, 3453, 11510, 40912, 41671, 2557,
    10414, 41816, 17419, 130, 18217, 46782, 48176, 12295, 19313, 15298, 49072, 11199, 15988, 447, 12985,
    9058, 39199, 17090, 13881, 1296, 174, 48132, 22469, 19357, 21212, 49036, 56683, 29098, 8118, 4093, 403,
    49541, 26768, 5197, 1986, 41342, 68246, 7971, 3160, 1878, 5069, 6875, 2064, 8591, 3417, 16559, 1368,
    9495, 42, 40731, 41852, 8209, 29389, 712, 4382, 26479, 49650, 21474, 975, 265, 1187, 22778, 48223, 4892,
    19046, 29899, 8919, 3706, 2865, 1079, 5868, 2602, 3961, 69524, 40420, 45842, 41053, 3271, 11332, 5378,
    12549, 2375, 10236, 2821, 3742, 41560, 68464, 3925, 2646, 4928, 69560, 13409, 4238, 11376, 3235, 40113,
    44902, 10272, 2331, 48710, 11288, 18471, 756, 39288, 9349, 931, 17381, 17891, 221, 9859, 39998, 16995,
    12184, 11998, 15189, 356, 18071, 11688, 23928, 17781, 19175, 9749, 39688, 46093, 42882, 621, 18506,
    15589, 43986, 12584, 846, 45971, 41160, 3342, 11201, 44875, 17308, 2246, 10305, 3635, 2956, 4638, 13009,
    2731, 3852, 69417, 40513, 16248, 1479, 8280, 3306, 40020, 44831, 9384, 2202, 2912, 3671, 41453, 68557,
    3816, 2775, 12149, 5778, 4782, 312, 29789, 8609, 5686, 21074, 22868, 26079, 48623, 22378, 1587, 665,
    49727, 48844, 802, 21503,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// CRC-16/XMODEM, by which a Cluster places keys.
    fn slot(tag: &str) -> u16 {
        let crc = tag.bytes().fold(0_u16, |crc, byte| {
            (0..8)
                .fold(crc ^ u16::from(byte) << 8, |crc, _| crc << 1 ^ if crc >> 15 == 1 { 0x1021 } else { 0 })
        });
        crc % 16_384
    }

    #[test]
    fn the_tag_of_a_bucket_is_the_smallest_number_with_its_slot() {
        assert_eq!(slot("123456789"), 0x31c3);
        let mut tags = [None; 256];
        for number in 0..100_000_u32 {
            let slot = slot(&number.to_string());
            if slot.is_multiple_of(64) {
                tags[usize::from(slot / 64)].get_or_insert(number);
            }
        }
        assert_eq!(tags.map(Option::unwrap), TAGS);
        assert_eq!((Bucket(0).slot(), Bucket(255).slot()), (0, 16_320));
    }

    #[test]
    fn names_are_known_again_and_others_are_not() {
        // Shows: A39
        let layout = Layout::new("shop:sessions".to_owned()).unwrap();
        let key = StoreKey::from_bytes([0xab; 32]);
        let record = layout.record(&key);
        assert_eq!(record, format!("shop:sessions:{{{}}}:{}", TAGS[0xab], "ab".repeat(32)));
        let index = layout.index(Bucket::of(&key), &PrincipalKey::from_bytes([1; 32]));
        assert_eq!(layout.key_of(record.as_bytes()), Some(key));
        for other in [index.as_str(), &layout.environment(), &record[1..], ""] {
            assert_eq!(layout.key_of(other.as_bytes()), None);
        }
        for name in [&record, &index, &layout.environment()] {
            assert!(
                layout.is_ours(name.as_bytes()) && name.starts_with(layout.pattern().trim_end_matches('*')),
                "{name}"
            );
        }
        for (one, other) in
            [("shop:sessions", "shop:session"), ("}:ab", "}:xy"), ("{", "{0"), ("{", "{x"), ("}:", "}:p:p:")]
        {
            let name = record.replacen(one, other, 1);
            assert!(!layout.is_ours(name.as_bytes()), "{name}");
        }
        assert!(!layout.is_ours(b"") && !layout.is_ours(b"shop:sessions:{3560}:environment2"));
    }

    #[test]
    fn hostile_prefixes_are_refused() {
        // Shows: A34
        for prefix in ["", "a b", "a*", "a{b", "a}b", "a?", "[a]", "a\n", "ä", "a\\", "a\0", &"a".repeat(65)]
        {
            assert!(Layout::new(prefix.to_owned()).is_err(), "{prefix:?}");
        }
        for prefix in ["a", "session", "Shop_1:sessions-2.0", &"a".repeat(64)] {
            assert!(Layout::new(prefix.to_owned()).is_ok(), "{prefix:?}");
        }
    }
}
