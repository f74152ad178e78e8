//! What a store must not tell: records and principals never reach a log.

use std::fmt::Write;

use super::prelude::*;
use crate::{failure::chain, store::Medium};

/// The `Debug` of a store and of its abilities shows neither the bytes of a record nor whose it is.
pub async fn debug_shows_no_record(subject: Subject) -> Result {
    // Shows: A17
    subject.store.create(&key(0), subject.entry(SECRET).with_principal(principal(0))).await?;
    subject.store.holds(&key(0), SECRET.as_bytes()).await?;
    let store = subject.store.bare();
    tells_nothing("`Debug` of the store", &format!("{store:?} {store:#?}"))?;
    if let Some(sweep) = store.as_sweep() {
        tells_nothing("`Debug` of the sweep", &format!("{sweep:?} {sweep:#?}"))?;
    }
    if let Some(index) = store.as_principal_index() {
        tells_nothing("`Debug` of the index", &format!("{index:?} {index:#?}"))?;
    }
    if let Some(environment) = store.as_environment() {
        tells_nothing("`Debug` of the environment", &format!("{environment:?} {environment:#?}"))?;
    }
    Ok(())
}

/// Errors, with all their causes, show neither the bytes of a record nor whose it is.
pub async fn errors_show_no_record(subject: Subject) -> Result {
    // Shows: A17
    let entry = subject.entry(SECRET).with_principal(principal(0));
    let version = subject.store.create(&key(0), entry.clone()).await?;
    subject.turn(Medium::Down).await?;
    let mut errors = Vec::new();
    errors.extend(subject.store.load(&key(0)).await.err());
    errors.extend(subject.store.write(&key(0), entry.clone(), Expect::Version(version)).await.err());
    errors.extend(subject.store.write(&key(1), entry, Expect::Absent).await.err());
    errors.extend(subject.store.remove(&key(0), None).await.err());
    subject.turn(Medium::Up).await?;
    for error in errors {
        tells_nothing("an error", &format!("{error:?} {error:#?} {}", chain(&error)))?;
    }
    Ok(())
}

/// Looks for the secret and for the principal in every spelling that a `Debug` may choose.
fn tells_nothing(what: &str, text: &str) -> Result {
    let text = text.to_lowercase().replace(char::is_whitespace, "");
    for (secret, bytes) in
        [("the bytes of a record", SECRET.as_bytes()), ("a principal", principal(0).as_bytes())]
    {
        for spelling in spellings(bytes)? {
            ensure!(!text.contains(&spelling), "{what} shows {secret}");
        }
    }
    Ok(())
}

fn spellings(bytes: &[u8]) -> Result<Vec<String>> {
    let (mut hex, mut decimal_list, mut hex_list) = (String::new(), String::new(), String::new());
    for byte in &bytes[..16] {
        write!(hex, "{byte:02x}")?;
        write!(decimal_list, "{byte},")?;
        write!(hex_list, "{byte:02x},")?;
    }
    let text = String::from_utf8_lossy(&bytes[..16]).to_lowercase();
    Ok(vec![hex, decimal_list, hex_list, text])
}

/// Lower case, longer than any accident.
const SECRET: &str = "the-secret-of-the-record-that-nobody-may-print";
