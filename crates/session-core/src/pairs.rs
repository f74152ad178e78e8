//! Reads a settings struct from string pairs whose keys spell a path with dots.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, IntoDeserializer, MapAccess, Visitor},
    forward_to_deserialize_any,
};

use crate::error::ConfigError;

pub(crate) fn deserialize<T, K, V>(
    prefix: &str,
    pairs: impl IntoIterator<Item = (K, V)>,
) -> Result<T, ConfigError>
where
    T: for<'de> Deserialize<'de>,
    K: AsRef<str>,
    V: AsRef<str>,
{
    let mut root = BTreeMap::new();
    for (key, value) in pairs {
        let Some(path) = key.as_ref().strip_prefix(prefix) else { continue };
        insert(&mut root, path, value.as_ref()).map_err(|rule| ConfigError::new(key.as_ref(), rule))?;
    }
    T::deserialize(Node::Branch(root)).map_err(|error| {
        let path: Vec<_> = error.path.iter().rev().map(String::as_str).collect();
        ConfigError::new(format!("{prefix}{}", path.join(".")), error.message)
    })
}

/// Some are keys, so copies of them are wiped where keys are.
#[cfg(feature = "signed")]
type Text = zeroize::Zeroizing<String>;
#[cfg(not(feature = "signed"))]
type Text = String;

#[cfg(feature = "signed")]
fn copied(value: &str) -> Text {
    zeroize::Zeroizing::new(value.to_owned())
}

#[cfg(not(feature = "signed"))]
fn copied(value: &str) -> Text {
    value.to_owned()
}

enum Node {
    Leaf(Text),
    Branch(BTreeMap<String, Node>),
}

fn insert(branch: &mut BTreeMap<String, Node>, path: &str, value: &str) -> Result<(), &'static str> {
    let Some((head, rest)) = path.split_once('.') else {
        return match branch.insert(path.to_owned(), Node::Leaf(copied(value))) {
            Some(Node::Branch(_)) => Err("is both a value and a group of values"),
            _ => Ok(()),
        };
    };
    match branch.entry(head.to_owned()).or_insert_with(|| Node::Branch(BTreeMap::new())) {
        Node::Branch(below) => insert(below, rest, value),
        Node::Leaf(_) => Err("is both a value and a group of values"),
    }
}

#[derive(Debug)]
struct PairError {
    /// Innermost first.
    path: Vec<String>,
    message: String,
}

impl PairError {
    fn under(mut self, key: &str) -> Self {
        self.path.push(key.to_owned());
        self
    }
}

impl fmt::Display for PairError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PairError {}

impl de::Error for PairError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: Vec::new(), message: message.to_string() }
    }
}

macro_rules! parse {
    ($($method:ident $visit:ident $type:ty;)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PairError> {
                let text = self.text()?;
                match text.trim().parse::<$type>() {
                    Ok(number) => visitor.$visit(number),
                    Err(_) => Err(de::Error::invalid_value(de::Unexpected::Str(&text), &visitor)),
                }
            }
        )*
    };
}

impl Node {
    fn text(self) -> Result<Text, PairError> {
        match self {
            Self::Leaf(text) => Ok(text),
            Self::Branch(_) => Err(de::Error::custom("is a group of values, a value is expected")),
        }
    }
}

impl<'de> Deserializer<'de> for Node {
    type Error = PairError;

    parse! {
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_i64 visit_i64 i64;
        deserialize_f64 visit_f64 f64;
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PairError> {
        let text = self.text()?;
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => visitor.visit_bool(true),
            "false" | "no" | "off" | "0" => visitor.visit_bool(false),
            _ => Err(de::Error::invalid_value(de::Unexpected::Str(&text), &"true or false")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PairError> {
        match &self {
            Self::Leaf(text) if matches!(text.trim(), "" | "none") => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PairError> {
        visitor.visit_enum(self.text()?.trim().into_deserializer())
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PairError> {
        match self {
            Self::Leaf(text) => visitor.visit_str(&text),
            Self::Branch(branch) => visitor.visit_map(Branch { rest: branch.into_iter(), value: None }),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u128 f32 char str string bytes byte_buf unit unit_struct newtype_struct seq tuple tuple_struct
        map struct identifier ignored_any
    }
}

struct Branch {
    rest: std::collections::btree_map::IntoIter<String, Node>,
    value: Option<(String, Node)>,
}

impl<'de> MapAccess<'de> for Branch {
    type Error = PairError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, PairError> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        let field = seed
            .deserialize(key.as_str().into_deserializer())
            .map_err(|error: PairError| error.under(&key))?;
        self.value = Some((key, value));
        Ok(Some(field))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, PairError> {
        let (key, value) =
            self.value.take().ok_or_else(|| <PairError as de::Error>::custom("a value without a key"))?;
        seed.deserialize(value).map_err(|error| error.under(&key))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{SavePolicy, SessionConfig};

    fn read(pairs: &[(&str, &str)]) -> Result<SessionConfig, String> {
        SessionConfig::from_pairs("s.", pairs.iter().copied()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_kind_of_setting_is_read() {
        let config = read(&[
            ("s.expiry.idle", "1800"),
            ("s.expiry.absolute", "never"),
            ("s.renew_every", "15m"),
            ("s.save", "always"),
            ("s.save_on_server_error", "no"),
            ("s.limits.keys", "7"),
            ("s.sweep_probability", "0.05"),
            ("s.max_sessions_per_principal", "3"),
            ("s.cookie.same_site", "strict"),
            ("s.cookie.domain", ".example.com"),
            ("s.cookie.lifetime", "14d"),
            ("s.header.name", "x-token"),
        ])
        .unwrap();
        assert_eq!(config.expiry.idle, Some(Duration::from_secs(1_800)));
        assert_eq!(config.expiry.absolute, None);
        assert_eq!(config.renew_every, Some(Duration::from_secs(900)));
        assert_eq!(config.save, SavePolicy::Always);
        assert!(!config.save_on_server_error);
        assert_eq!(config.limits.keys, 7);
        assert_eq!(config.max_sessions_per_principal, Some(3));
        assert_eq!(config.header.name, "x-token");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (key, value) in [
            ("s.nothing", "1"),
            ("s.expiry.idel", "1"),
            ("s.expiry", "1"),
            ("s.expiry.idle", "soon"),
            ("s.limits.keys", "many"),
            ("s.save", "sometimes"),
            ("s.save.now", "1"),
            ("s.save_on_server_error", "maybe"),
        ] {
            let error = read(&[(key, value)]).unwrap_err();
            assert!(
                error.starts_with(&format!("{key}:")) || key == "s.save.now" && error.starts_with("s.save:"),
                "{key}: {error}"
            );
        }
        assert!(read(&[("s.expiry", "1"), ("s.expiry.idle", "1")]).is_err());
    }

    #[test]
    fn other_prefixes_are_ignored() {
        assert_eq!(read(&[("t.nothing", "1"), ("nothing", "1")]), Ok(SessionConfig::default()));
    }
}
