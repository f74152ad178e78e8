//! Cookies that are the session itself.

use http::{HeaderMap, HeaderValue, Method, Request, Uri, header::COOKIE};
use session_core::{
    Random, RandomError, RequestHead, Status,
    persist::{CookieOptions, KeyRing, Persistence, Presented, SealedCookie, SecretKey},
};

use super::world::{World, cookie_of};

struct Bench {
    strategy: SealedCookie,
    world: World,
    deterministic: bool,
}

thread_local! {
    static BENCHES: [Bench; 2] = [
        Bench::new(SealedCookie::signed(CookieOptions::default(), ring()).unwrap(), true),
        Bench::new(SealedCookie::encrypted(CookieOptions::default(), ring()).unwrap(), false),
    ];
}

fn ring() -> KeyRing {
    KeyRing::new(SecretKey::from_bytes(b"0123456789abcdef0123456789abcdef").unwrap())
}

/// The first bit of the input chooses between signed and encrypted, the second between a value that is presented as it
/// is, and a record that is sealed, presented, and presented with one bit changed, for which two bytes say which.
pub(super) fn run(input: &[u8]) -> bool {
    let Some((&choice, input)) = input.split_first() else { return false };
    BENCHES.with(|benches| {
        let bench = &benches[usize::from(choice & 1)];
        if choice & 2 == 0 { bench.raw(input) } else { bench.record(input) }
    })
}

impl Bench {
    fn new(strategy: SealedCookie, deterministic: bool) -> Self {
        let world = World::sealed(|builder| builder.persistence(strategy.clone()));
        Self { strategy, world, deterministic }
    }

    /// What was not made here is nothing. The engine cannot make any; a corpus can hold some.
    fn raw(&self, value: &[u8]) -> bool {
        let presented = self.present(value);
        self.load(value);
        let Some(Presented::State { record, outdated }) = presented else { return false };
        assert!(!outdated);
        if self.deterministic {
            assert_eq!(self.strategy.seal(&record, &Fixed).unwrap(), value, "a record has two spellings");
        }
        true
    }

    /// What was made here comes back, and with a change it is nothing.
    fn record(&self, input: &[u8]) -> bool {
        let Some((at, record)) = input.split_first_chunk::<2>() else { return false };
        if record.len() > self.strategy.state_limit().unwrap() {
            return false;
        }
        let sealed = self.strategy.seal(record, &Fixed).unwrap();
        match self.present(&sealed) {
            Some(Presented::State { record: opened, outdated: false }) => assert_eq!(opened, record),
            other => panic!("what was sealed is presented as {other:?}"),
        }
        let at = usize::from(u16::from_le_bytes(*at));
        let mut changed = sealed.to_vec();
        changed[at / 8 % sealed.len()] ^= 1 << (at % 8);
        for changed in [&changed[..], &sealed[..sealed.len() - 1], &[&sealed[..], b"A"].concat()] {
            assert!(
                matches!(self.present(changed), None | Some(Presented::Nothing)),
                "a change is not noticed"
            );
        }
        self.load(&sealed)
    }

    fn present(&self, value: &[u8]) -> Option<Presented> {
        let (method, uri, headers) = (Method::GET, Uri::default(), headers(value)?);
        Some(self.strategy.present(&RequestHead::new(&method, &uri, &headers)))
    }

    /// Uses the session of a cookie, stores something in it, and reads that with the cookie of the answer.
    fn load(&self, value: &[u8]) -> bool {
        let Some(headers) = headers(value) else { return false };
        let mut request = Request::new(());
        *request.headers_mut() = headers;
        let (response, answer) = self.world.send(&request, |session| {
            session.keys().iter().for_each(|key| drop(session.get::<String>(&**key)));
            (session.status(), session.insert("fuzz", 7_u32))
        });
        let (status, inserted) = answer.unwrap().unwrap();
        let told = cookie_of(response.headers());
        if inserted.is_ok() && response.status().is_success() {
            let value = told.unwrap().split_once('=').unwrap().1;
            *request.headers_mut() = self::headers(value.as_bytes()).unwrap();
            let (_, answer) = self.world.send(&request, |session| session.get::<u32>("fuzz").unwrap());
            assert_eq!(answer.unwrap().unwrap(), Some(7), "what was stored does not come back");
        } else {
            assert_eq!(told, None, "a cookie is sent for what was not stored");
        }
        status == Status::Active
    }
}

fn headers(value: &[u8]) -> Option<HeaderMap> {
    let field = HeaderValue::from_bytes(&[b"__Host-id=", value].concat()).ok()?;
    Some(HeaderMap::from_iter([(COOKIE, field)]))
}

/// The target needs no secret nonce.
#[derive(Debug)]
struct Fixed;

impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        bytes.fill(7);
        Ok(())
    }
}
