//! `Cookie` fields.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, Uri, header::COOKIE};
use session_core::{
    RequestHead, SessionId, Status, StoreKey,
    persist::{Announcement, Cookie, CookieOptions, KeyRing, Persistence, Presented, SecretKey},
};

use super::world::{ID, World, cookie_of};

const NAME: &[u8] = b"__Host-id";
/// How many ids of one request are looked up.
const MOST: usize = 4;

struct Bench {
    world: World,
    /// What the store has under [`ID`].
    record: bytes::Bytes,
    signing: Cookie,
    /// The one value that is signed.
    signed: String,
}

thread_local! {
    static BENCH: Bench = Bench::new();
}

/// Each line is a field. The byte 1 stands for an id that is alive, 2 for a value with a valid signature: no field can
/// have these bytes, and no engine would guess the values.
pub(super) fn run(input: &[u8]) -> bool {
    BENCH.with(|bench| {
        let mut headers = HeaderMap::new();
        for line in input.split(|byte| *byte == b'\n').take(8) {
            let field: Vec<u8> = line.iter().flat_map(|byte| bench.spelled(byte)).copied().collect();
            headers.extend(HeaderValue::from_bytes(&field).ok().map(|field| (COOKIE, field)));
        }
        let values = by_the_book(&headers);
        bench.plain(&headers, &values) | bench.signed(&headers, &values)
    })
}

/// The values of our name as a careless and slow reader finds them.
fn by_the_book(headers: &HeaderMap) -> Vec<Vec<u8>> {
    let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let trim = |text: &[u8]| {
        let start = text.iter().position(|byte| !blank(byte)).unwrap_or(text.len());
        let end = text.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
        text[start..end].to_vec()
    };
    let mut values = Vec::new();
    for field in headers.get_all(COOKIE) {
        for pair in field.as_bytes().split(|byte| *byte == b';') {
            let Some(equals) = pair.iter().position(|byte| *byte == b'=') else { continue };
            if trim(&pair[..equals]) == NAME {
                values.push(trim(&pair[equals + 1..]));
            }
        }
    }
    values
}

fn is_id(value: &[u8]) -> bool {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    value.len() == SessionId::LENGTH && value.iter().all(|byte| ALPHABET.contains(byte))
}

impl Bench {
    fn new() -> Self {
        let world = World::new(|builder| builder);
        let record = world.record_of(|session| session.insert("k", 1).unwrap());
        let key = SecretKey::from_bytes(b"0123456789abcdef0123456789abcdef").unwrap();
        let signing = Cookie::signed(CookieOptions::default(), KeyRing::new(key)).unwrap();
        let (mut headers, id) = (HeaderMap::new(), SessionId::parse(ID.as_bytes()).unwrap());
        let issue = Announcement::Issue { id: &id, source: 0, lifetime: Duration::ZERO };
        signing.announce(issue, &mut headers);
        let signed = cookie_of(&headers).unwrap().split_once('=').unwrap().1.to_owned();
        Self { world, record, signing, signed }
    }

    fn spelled<'a>(&'a self, byte: &'a u8) -> &'a [u8] {
        match byte {
            1 => ID.as_bytes(),
            2 => self.signed.as_bytes(),
            _ => std::slice::from_ref(byte),
        }
    }

    /// Exactly the ids that are there are looked up, in their order; the session is found if it is the only one alive.
    fn plain(&self, headers: &HeaderMap, values: &[Vec<u8>]) -> bool {
        let mut ids: Vec<&[u8]> = Vec::new();
        for value in values {
            if is_id(value) && !ids.contains(&&value[..]) {
                ids.push(value);
            }
        }
        let keys: Vec<StoreKey> = ids.iter().take(MOST).map(|id| self.key_of(id)).collect();
        let alive = ids.contains(&ID.as_bytes());
        self.world.desk.clear();
        self.world.desk.put(self.key_of(ID.as_bytes()), &self.record);
        self.world.desk.shelf().asked.clear();
        let mut request = Request::new(());
        *request.headers_mut() = headers.clone();
        let (response, status) = self.world.send(&request, |session| session.status());
        assert_eq!(self.world.desk.shelf().asked, keys, "other ids are looked up than are there");
        let status = status.unwrap().unwrap();
        let expected = match ids.len() {
            0 => Status::New,
            1..=MOST if alive => Status::Active,
            _ => Status::Unknown,
        };
        assert_eq!(status, expected);
        assert_eq!(cookie_of(response.headers()), None, "a request that reads is told an id");
        !ids.is_empty()
    }

    /// Nothing but the signed value itself is taken.
    fn signed(&self, headers: &HeaderMap, values: &[Vec<u8>]) -> bool {
        let (method, uri) = (Method::GET, Uri::default());
        let presented = self.signing.present(&RequestHead::new(&method, &uri, headers));
        let there = values.iter().any(|value| value == self.signed.as_bytes());
        assert_eq!(
            matches!(presented, Presented::Ids(_)),
            there,
            "a value is taken that is not the signed one"
        );
        there
    }

    /// The key under which an id is looked up: what is asked for by a request that presents nothing else.
    fn key_of(&self, id: &[u8]) -> StoreKey {
        let mut request = Request::new(());
        let field = [NAME, b"=", id].concat();
        request.headers_mut().insert(COOKIE, HeaderValue::from_bytes(&field).unwrap());
        self.world.desk.shelf().asked.clear();
        self.world.send(&request, |_| ());
        self.world.desk.shelf().asked.pop().unwrap()
    }
}
