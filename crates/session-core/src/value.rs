//! How one value becomes bytes and back: a tag byte, then postcard or JSON.
//!
//! Postcard does not describe itself: the bytes of one type often are valid bytes of another. The tag therefore also
//! keeps the kind of value that was written, and reading asks for the same kind: a number read as text is an error,
//! never an empty string.

use std::error::Error;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::SessionError,
    kind::{self, Kind},
};

/// How new values are written. Values in either format stay readable whatever is configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ValueFormat {
    /// Small and fast; a type must not change its shape while sessions hold values of it.
    #[default]
    Postcard,
    /// Self-describing: fields with `#[serde(default)]` can be added in a deploy.
    #[cfg(feature = "json")]
    Json,
}

/// Most values are numbers and short texts: one allocation instead of several small ones.
const TYPICAL_VALUE: usize = 32;

const POSTCARD: u8 = 0b0100_0000;
const JSON: u8 = 0b1000_0000;
const FORMAT: u8 = 0b1100_0000;

/// What the first byte of a value says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Postcard(Kind),
    Json,
}

/// The tag of a value, for whoever looks at it without knowing its type.
pub(crate) fn tag_of(bytes: &[u8]) -> Option<Tag> {
    let tag = *bytes.first()?;
    match tag & FORMAT {
        POSTCARD => Kind::from_tag(tag & !FORMAT).map(Tag::Postcard),
        JSON if tag == JSON => Some(Tag::Json),
        _ => None,
    }
}

pub(crate) fn encode<T: Serialize + ?Sized>(
    key: &str,
    value: &T,
    format: ValueFormat,
) -> Result<Vec<u8>, SessionError> {
    let failed = |source| SessionError::Encode { key: key.to_owned(), source };
    match format {
        ValueFormat::Postcard => {
            let kind = kind::of(value).map_err(failed)?;
            let mut bytes = Vec::with_capacity(TYPICAL_VALUE);
            bytes.push(POSTCARD | kind as u8);
            postcard::to_extend(value, bytes).map_err(|error| failed(error.into()))
        }
        #[cfg(feature = "json")]
        ValueFormat::Json => {
            let mut bytes = vec![JSON];
            serde_json::to_writer(&mut bytes, value).map_err(|error| failed(error.into()))?;
            Ok(bytes)
        }
    }
}

pub(crate) fn decode<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, SessionError> {
    decode_tagged(bytes).map_err(|source| SessionError::Decode { key: key.to_owned(), source })
}

fn decode_tagged<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Box<dyn Error + Send + Sync>> {
    let (&tag, payload) = bytes.split_first().ok_or("the value is empty")?;
    match tag & FORMAT {
        POSTCARD => {
            let kind = Kind::from_tag(tag & !FORMAT).ok_or("unknown kind of value")?;
            let mut postcard = postcard::Deserializer::from_bytes(payload);
            let value = T::deserialize(kind::Expecting::new(&mut postcard, kind))?;
            match postcard.finalize()? {
                [] => Ok(value),
                rest => Err(format!("{} bytes are left over", rest.len()).into()),
            }
        }
        #[cfg(feature = "json")]
        JSON => Ok(serde_json::from_slice(payload)?),
        _ => Err("unknown format of value".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Item {
        name: String,
        count: u32,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapped(u64);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Choice {
        One,
        Two(String),
    }

    fn round_trip<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: T) {
        let bytes = encode("k", &value, ValueFormat::Postcard).unwrap();
        assert_eq!(decode::<T>("k", &bytes).unwrap(), value);
    }

    #[test]
    fn every_kind_comes_back() {
        round_trip(true);
        round_trip(7_u8);
        round_trip(-7_i8);
        round_trip(u64::MAX);
        round_trip(i64::MIN);
        round_trip(u128::MAX);
        round_trip(1.5_f32);
        round_trip(1.5_f64);
        round_trip('ä');
        round_trip("text".to_owned());
        round_trip(());
        round_trip(Some(1_u32));
        round_trip(None::<u32>);
        round_trip(vec![1_u32, 2]);
        round_trip((1_u8, "a".to_owned()));
        round_trip([1_u16; 3]);
        round_trip(BTreeMap::from([("a".to_owned(), 1)]));
        round_trip(HashMap::from([(1_u8, vec!["x".to_owned()])]));
        round_trip(Item { name: "tea".into(), count: 2 });
        round_trip(Wrapped(9));
        round_trip(Choice::One);
        round_trip(Choice::Two("b".into()));
        round_trip(std::time::Duration::from_millis(5));
        round_trip(std::net::IpAddr::from([127, 0, 0, 1]));
    }

    #[test]
    fn a_read_of_the_wrong_type_is_an_error_never_a_default() {
        // Shows: A37
        let zero = encode("k", &0_u64, ValueFormat::Postcard).unwrap();
        assert!(decode::<String>("k", &zero).is_err());
        assert!(decode::<Vec<u8>>("k", &zero).is_err());
        assert!(decode::<bool>("k", &zero).is_err());
        assert!(decode::<Option<u8>>("k", &zero).is_err());
        assert!(decode::<i64>("k", &zero).is_err());
        let text = encode("k", "", ValueFormat::Postcard).unwrap();
        assert!(decode::<u64>("k", &text).is_err());
        assert!(decode::<()>("k", &text).is_err());
    }

    #[test]
    fn a_wider_integer_reads_a_narrower_one() {
        let narrow = encode("k", &300_u16, ValueFormat::Postcard).unwrap();
        assert_eq!(decode::<u64>("k", &narrow).unwrap(), 300);
        let wide = encode("k", &70_000_u64, ValueFormat::Postcard).unwrap();
        assert!(decode::<u16>("k", &wide).is_err());
    }

    #[test]
    fn newtypes_are_transparent() {
        let bytes = encode("k", &Wrapped(5), ValueFormat::Postcard).unwrap();
        assert_eq!(decode::<u64>("k", &bytes).unwrap(), 5);
    }

    #[test]
    fn damaged_values_are_errors() {
        // Shows: A22, A52
        assert!(decode::<u8>("k", &[]).is_err());
        assert!(decode::<u8>("k", &[0]).is_err());
        assert!(decode::<u8>("k", &[0xff, 1]).is_err());
        let mut bytes = encode("k", &5_u8, ValueFormat::Postcard).unwrap();
        bytes.push(0);
        assert!(decode::<u8>("k", &bytes).is_err());
    }

    #[cfg(feature = "json")]
    #[test]
    fn json_lets_a_type_grow_and_both_formats_stay_readable() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Grown {
            name: String,
            #[serde(default)]
            note: String,
        }
        let old = encode("k", &Item { name: "tea".into(), count: 1 }, ValueFormat::Json).unwrap();
        assert_eq!(decode::<Grown>("k", &old).unwrap(), Grown { name: "tea".into(), note: String::new() });
        let postcard = encode("k", &1_u8, ValueFormat::Postcard).unwrap();
        assert_eq!(decode::<u8>("k", &postcard).unwrap(), 1);
    }
}
