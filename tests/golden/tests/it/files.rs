//! The folder of the file store: names of files and what is in them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use session_core::{
    Entry, Expect, PrincipalIndex, PrincipalKey, Removed, Store, StoreErrorKind, StoreKey, Written,
};
use session_golden::{Corpus, Sample};
use session_store_file::{Durability, FileStore, RecordError};
use tempfile::TempDir;

use crate::world::{NOW, clock};

/// As the files say it.
const FORMAT: u16 = 1;
/// Where the version is, which is drawn at random, and the checksum at the end, which depends on it.
const VERSION: std::ops::Range<usize> = 16..24;
const CHECKSUM: usize = 8;

fn open(folder: &Path) -> FileStore {
    FileStore::builder(folder).durability(Durability::Process).clock(clock()).open().unwrap()
}

fn samples() -> [(StoreKey, Entry); 2] {
    let expires_at = UNIX_EPOCH + Duration::from_secs(NOW + 1_800);
    let ann = PrincipalKey::from_bytes([0x0a; 32]);
    [
        (StoreKey::from_bytes([0xab; 32]), Entry::new("of nobody", expires_at)),
        (StoreKey::from_bytes([0xcd; 32]), Entry::new("of ann", expires_at).with_principal(ann)),
    ]
}

/// Every file with its path, but for those that are always there and empty.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = item.path();
            if item.file_type().unwrap().is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

async fn made() -> (TempDir, Corpus) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("sessions");
    let store = open(&root);
    let empty = files(&root);
    for (key, entry) in samples() {
        assert!(matches!(store.write(&key, entry, Expect::Absent).await, Ok(Written::Stored(_))));
    }
    let all = files(&root).into_iter().filter(|(path, _)| !empty.contains_key(path));
    let corpus = all.map(|(path, mut bytes)| {
        let name = path.to_str().unwrap().to_owned();
        if let Some(version) = bytes.get_mut(VERSION) {
            version.fill(0);
            let end = bytes.len() - CHECKSUM;
            bytes[end..].fill(0);
        }
        let sample = Sample {
            key: name.clone(),
            written: session_golden::hex(bytes),
            expires_at: None,
            principal: None,
            id: None,
            means: serde_json::Value::Null,
        };
        (name, sample)
    });
    let corpus = corpus.collect();
    (folder, corpus)
}

#[tokio::test]
async fn files_are_written_as_before() {
    let (_folder, corpus) = made().await;
    session_golden::compare("file", FORMAT.into(), &corpus);
}

/// The files of the corpus, with a version and the checksum that belongs to it.
fn laid_out(corpus: &Corpus, change: impl Fn(&mut [u8])) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("sessions");
    drop(open(&root));
    for sample in corpus.values() {
        let path = root.join(&sample.key);
        let mut bytes = session_golden::bytes(&sample.written);
        if !bytes.is_empty() {
            change(&mut bytes);
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &bytes).unwrap();
        let expires_at = UNIX_EPOCH + Duration::from_secs(NOW + 1_800);
        File::options().write(true).open(path).unwrap().set_modified(expires_at).unwrap();
    }
    folder
}

#[tokio::test]
async fn files_of_every_format_are_read() {
    for corpus in session_golden::all::<Sample>("file") {
        let folder = laid_out(&corpus, checksum);
        let store = open(&folder.path().join("sessions"));
        for (key, entry) in samples() {
            let stored = store.load(&key).await.unwrap().unwrap();
            assert_eq!((stored.bytes, stored.expires_at), (entry.bytes, entry.expires_at));
            if let Some(principal) = entry.principal {
                assert_eq!(store.keys_of(&principal, None, 10).await.unwrap(), [key]);
            }
            let again = Entry::new("written again", entry.expires_at);
            let written = store.write(&key, again, Expect::Version(stored.version)).await.unwrap();
            assert!(matches!(written, Written::Stored(_)));
        }
    }
}

/// A file of a newer format stays as it is, whatever is done; only a logout takes it away.
#[tokio::test]
async fn a_file_of_a_newer_format_is_an_error_and_stays() {
    let corpus = session_golden::all::<Sample>("file").pop().unwrap();
    let folder = laid_out(&corpus, |bytes| {
        bytes[8..10].copy_from_slice(&(FORMAT + 1).to_le_bytes());
        bytes[10..12].copy_from_slice(&(!(FORMAT + 1)).to_le_bytes());
        checksum(bytes);
    });
    let root = folder.path().join("sessions");
    let store = open(&root);
    let before = files(&root);
    for (key, entry) in samples() {
        let error = store.load(&key).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        let source =
            std::error::Error::source(&error).and_then(|source| source.downcast_ref::<RecordError>());
        assert_eq!(source, Some(&RecordError::NewerFormat(FORMAT + 1)));
        let refused = store.write(&key, entry, Expect::Absent).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
    }
    assert_eq!(files(&root), before);
    assert_eq!(store.remove(&samples()[0].0, None).await.unwrap(), Removed::Gone);
}

fn checksum(bytes: &mut [u8]) {
    let end = bytes.len() - CHECKSUM;
    let sum = twox_hash::XxHash3_64::oneshot(&bytes[..end]).to_le_bytes();
    bytes[end..].copy_from_slice(&sum);
}
