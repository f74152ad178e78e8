//! The keys of the Redis store, and what is under them.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::{Duration, UNIX_EPOCH},
};

use session_core::{
    Entry, Environment, Expect, PrincipalIndex, PrincipalKey, Store, StoreErrorKind, StoreKey, Written,
};
use session_golden::{Corpus, Sample};
use session_store_redis::{RecordError, RedisStore};
use session_test_servers::RedisServer;

use crate::world::NOW;

/// As the values say it.
const FORMAT: u8 = 1;
/// Where the version is, which is drawn at random, and the checksum, which depends on it.
const VERSION: std::ops::Range<usize> = 6..14;
const CHECKSUM: std::ops::Range<usize> = 22..30;

fn samples() -> [(StoreKey, Entry); 2] {
    // By the server's clock, which shows today.
    let expires_at = UNIX_EPOCH + Duration::from_secs(NOW * 2);
    let ann = PrincipalKey::from_bytes([0x0a; 32]);
    [
        (StoreKey::from_bytes([0xab; 32]), Entry::new("of nobody", expires_at)),
        (StoreKey::from_bytes([0xcd; 32]), Entry::new("of ann", expires_at).with_principal(ann)),
    ]
}

/// The server, or a skip that says what is missing.
fn server() -> Option<RedisServer> {
    match RedisServer::start() {
        Ok(server) => Some(server),
        Err(error) if error.is_missing() => {
            session_conformance::skip(error);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

async fn open(server: &RedisServer) -> RedisStore {
    let store = RedisStore::builder(server.url()).prefix("golden").build().unwrap();
    store.create().await.unwrap();
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_written_as_before() {
    let Some(server) = server() else { return };
    let store = open(&server).await;
    for (key, entry) in samples() {
        assert!(matches!(store.write(&key, entry, Expect::Absent).await, Ok(Written::Stored(_))));
    }
    let mut corpus = Corpus::new();
    for name in keys(&server) {
        let means = serde_json::json!({ "type": text(&server, &["TYPE", &name]) });
        let written = match means["type"].as_str() {
            Some("string") => {
                let mut value = ask(&server, &[b"GET", name.as_bytes()]).unwrap();
                if value.len() > CHECKSUM.end {
                    value[VERSION].fill(0);
                    value[CHECKSUM].fill(0);
                }
                session_golden::hex(value)
            }
            _ => session_golden::hex(ask(&server, &[b"ZRANGE", name.as_bytes(), b"0", b"-1"]).unwrap()),
        };
        let ends =
            text(&server, &["PEXPIRETIME", &name]).parse().ok().filter(|_| written.len() > 2 * CHECKSUM.end);
        let sample =
            Sample { key: name.clone(), written, expires_at: ends, principal: None, id: None, means };
        corpus.insert(name, sample);
    }
    session_golden::compare("redis", FORMAT.into(), &corpus);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_format_are_read() {
    let Some(server) = server() else { return };
    for corpus in session_golden::all::<Sample>("redis") {
        let store = laid_out(&server, &corpus, FORMAT).await;
        for (key, entry) in samples() {
            let stored = store.load(&key).await.unwrap().unwrap();
            assert_eq!((stored.bytes, stored.expires_at), (entry.bytes.clone(), entry.expires_at));
            if let Some(principal) = entry.principal {
                assert_eq!(store.keys_of(&principal, None, 10).await.unwrap(), [key]);
            }
            let written = store.write(&key, entry, Expect::Version(stored.version)).await.unwrap();
            assert!(matches!(written, Written::Stored(_)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_a_newer_format_is_an_error_and_stays() {
    let Some(server) = server() else { return };
    let corpus = session_golden::all::<Sample>("redis").pop().unwrap();
    let store = laid_out(&server, &corpus, FORMAT + 1).await;
    for (key, entry) in samples() {
        let name = keys(&server).into_iter().find(|name| name.ends_with(&key.to_hex())).unwrap();
        let before = ask(&server, &[b"GET", name.as_bytes()]).unwrap();
        let error = store.load(&key).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        let source =
            std::error::Error::source(&error).and_then(|source| source.downcast_ref::<RecordError>());
        assert_eq!(source, Some(&RecordError::NewerFormat(FORMAT + 1)));
        assert!(!matches!(store.write(&key, entry, Expect::Absent).await, Ok(Written::Stored(_))));
        assert_eq!(ask(&server, &[b"GET", name.as_bytes()]).unwrap(), before);
    }
}

/// The values of the corpus, with a version and the checksum that belongs to it.
async fn laid_out(server: &RedisServer, corpus: &Corpus, format: u8) -> RedisStore {
    let store = open(server).await;
    for sample in corpus.values() {
        let name = sample.key.as_bytes();
        let written = session_golden::bytes(&sample.written);
        match sample.means["type"].as_str() {
            Some("string") if written.len() > CHECKSUM.end => {
                let key = StoreKey::from_hex(&sample.key[sample.key.len() - 64..]).unwrap();
                let value = checked(&key, written, format);
                let ends = sample.expires_at.unwrap().to_string();
                ask(server, &[b"SET", name, &value, b"PXAT", ends.as_bytes()]).unwrap();
            }
            Some("string") => drop(ask(server, &[b"SET", name, &written])),
            _ => drop(ask(server, &[b"ZADD", name, ends(&samples()[1].1).as_bytes(), &written]).unwrap()),
        }
    }
    store
}

fn ends(entry: &Entry) -> String {
    entry.expires_at.duration_since(UNIX_EPOCH).unwrap().as_millis().to_string()
}

fn checked(key: &StoreKey, mut value: Vec<u8>, format: u8) -> Vec<u8> {
    use std::hash::Hasher;

    value[0] = format;
    let mut hasher = twox_hash::XxHash3_64::new();
    hasher.write(key.as_bytes());
    hasher.write(&value[..CHECKSUM.start]);
    hasher.write(&value[CHECKSUM.end..]);
    value[CHECKSUM].copy_from_slice(&hasher.finish().to_be_bytes());
    value
}

fn keys(server: &RedisServer) -> Vec<String> {
    let mut keys: Vec<String> = String::from_utf8(ask(server, &[b"KEYS", b"*"]).unwrap())
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    keys.sort();
    keys
}

fn text(server: &RedisServer, words: &[&str]) -> String {
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    String::from_utf8(ask(server, &words).unwrap()).unwrap()
}

/// One command, byte for byte. Answers its value; the members of a list, one a line.
fn ask(server: &RedisServer, words: &[&[u8]]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let mut command = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        command.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        command.extend_from_slice(word);
        command.extend_from_slice(b"\r\n");
    }
    stream.write_all(&command).unwrap();
    answer(&mut BufReader::new(stream))
}

fn answer(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let (kind, rest) = line.trim_end().split_at(1);
    match kind {
        "$" => {
            let length: usize = rest.parse().ok()?;
            let mut value = vec![0; length + 2];
            reader.read_exact(&mut value).unwrap();
            value.truncate(length);
            Some(value)
        }
        "*" => {
            let members: Vec<_> = (0..rest.parse().unwrap()).map(|_| answer(reader).unwrap()).collect();
            Some(members.join(&b'\n'))
        }
        "-" => panic!("{rest}"),
        _ => Some(rest.as_bytes().to_vec()),
    }
}
