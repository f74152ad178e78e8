//! The corpus: bytes that this library has written, in every form that it writes, and what they mean.
//!
//! `corpus/` has a file for each form and its format: `record-2.json` is what records of format 2 look like. Each is made by
//! the test that reads it, with a clock that stands still and numbers that are drawn in order. Three things have to hold:
//! today's code writes exactly the bytes of the newest file of a form, reads every file of it, and takes bytes of a format
//! that is newer still for an error that leaves them where they are.
//!
//! A file that is there is never written again. Who changes a form gives it another number, and
//! `WRITE_GOLDEN=1 cargo test -p session-golden` adds the file of that number; the older ones stay, to be read.

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "what cannot be read or written fails the test"
)]

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Samples by their names.
pub type Corpus<T = Sample> = BTreeMap<String, T>;

/// What was written, and what it means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Where: the key in a store, in hexadecimal digits, or the name of a file or a cookie.
    pub key: String,
    /// What was written, in hexadecimal digits; text as it is.
    pub written: String,
    /// When it expires, in milliseconds since 1970, where that is kept beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// Whose it is, in hexadecimal digits, where that is kept beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// What is presented to reach it: an id, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What whoever reads it has to find.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub means: Value,
}

/// Compares what was made now with the corpus of that form and format.
pub fn compare<T>(form: &str, format: u32, made: &Corpus<T>)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let path = folder().join(format!("{form}-{format}.json"));
    if !path.exists() {
        assert!(env::var_os("WRITE_GOLDEN").is_some(), "there is no {}", path.display());
        let text = serde_json::to_string_pretty(made).expect("samples are JSON") + "\n";
        fs::write(&path, text).expect("the corpus can be written");
    }
    let kept: Corpus<T> = read(&path);
    for (name, sample) in &kept {
        assert_eq!(
            made.get(name),
            Some(sample),
            "`{name}` is not written as before: a change of {form} needs a format of its own"
        );
    }
    assert_eq!(made.len(), kept.len(), "a sample of {form} is not in the corpus");
}

/// Every corpus of a form, from the oldest format on.
pub fn all<T: DeserializeOwned>(form: &str) -> Vec<Corpus<T>> {
    let formats = (1..100).map(|format| folder().join(format!("{form}-{format}.json")));
    let all: Vec<_> = formats.filter(|path| path.exists()).map(|path| read(&path)).collect();
    assert!(!all.is_empty(), "there is no corpus of {form}");
    all
}

/// As the corpus spells bytes.
#[must_use]
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(bytes.as_ref())
}

/// The bytes that [`hex`] spells.
#[must_use]
pub fn bytes(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.as_bytes()).expect("hexadecimal digits")
}

fn read<T: DeserializeOwned>(path: &PathBuf) -> Corpus<T> {
    let text = fs::read_to_string(path).expect("the corpus can be read");
    serde_json::from_str(&text).expect("the corpus is JSON")
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus")
}
