//! A key names one record and nothing else.

use session_core::StoreKey;

use super::prelude::*;

/// Keys that differ in a single bit, whichever of the 256, name different records.
pub async fn every_bit_of_a_key_counts(subject: Subject) -> Result {
    let base = *key(0).as_bytes();
    let mut neighbours = vec![StoreKey::from_bytes(base)];
    for bit in 0..256 {
        let mut bytes = base;
        bytes[bit / 8] ^= 1 << (bit % 8);
        neighbours.push(StoreKey::from_bytes(bytes));
    }
    independent(&subject, &neighbours).await
}

/// A key may consist of any bytes: all zero, all ones, and the bytes that paths, queries and commands take for syntax
/// (path traversal in file stores, SQL built from a cookie).
pub async fn any_bytes_make_a_key(subject: Subject) -> Result {
    // Shows: A34
    let mut hostile: Vec<StoreKey> =
        b"\0\xff./\\'\"`%_*?$;{}[]:~\r\n\t aA".iter().map(|&byte| StoreKey::from_bytes([byte; 32])).collect();
    for text in [
        b"../../../../../../etc/passwd\0\0\0\0",
        b"'; DROP TABLE session; --       ",
        b"{}{}{}{}*?[a-z]\r\nFLUSHALL\r\n*1\r\n$",
    ] {
        hostile.push(StoreKey::from_bytes(*text));
    }
    independent(&subject, &hostile).await
}

/// Two stores from one factory share no record, no index and no version: tests run side by side, and an application
/// may hold several stores in one process (D15).
pub async fn fresh_stores_share_nothing(subject: Subject) -> Result {
    let (other, _guard) = subject.stranger().await;
    let here = subject.store.create(&key(0), subject.entry("here").with_principal(principal(0))).await?;
    other.store.lacks(&key(0)).await?;
    other.store.create(&key(0), other.entry("there")).await?;
    other.store.delete(&key(0)).await?;
    subject.store.holds(&key(0), b"here").await?;
    if other.store.as_principal_index().is_some() {
        let listed = other.store.listed(&principal(0), 10).await?;
        ensure!(listed.is_empty(), "a store lists a record of another store");
    }
    subject.store.replace(&key(0), subject.entry("still here"), here).await?;
    Ok(())
}

/// Creates, checks, removes half and checks again.
async fn independent(subject: &Subject, keys: &[StoreKey]) -> Result {
    for (number, key) in keys.iter().enumerate() {
        subject.store.create(key, subject.entry(number.to_le_bytes())).await?;
    }
    for (number, key) in keys.iter().enumerate() {
        subject.store.holds(key, &number.to_le_bytes()).await?;
    }
    for key in keys.iter().skip(1).step_by(2) {
        subject.store.delete(key).await?;
    }
    for (number, key) in keys.iter().enumerate() {
        match number % 2 {
            0 => drop(subject.store.holds(key, &number.to_le_bytes()).await?),
            _ => subject.store.lacks(key).await?,
        }
    }
    Ok(())
}
