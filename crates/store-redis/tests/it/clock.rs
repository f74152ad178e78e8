//! The server's clock jumps, and the application's does not.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use session_core::{Expiry, ManualClock, Opened, RequestHead, SessionManager, Status};
use session_test_servers::{MovedClock, RedisRecipe};

use super::*;

const HOUR: i64 = 3_600;
const TEN_YEARS: i64 = 10 * 365 * 24 * HOUR;

struct Jumping {
    clock: MovedClock,
    server: RedisServer,
}

impl Jumping {
    fn start() -> Option<Self> {
        let clock = or_skip(MovedClock::new())?;
        let server = or_skip(RedisRecipe::default().clock(&clock).start())?;
        Some(Self { clock, server })
    }

    /// Moves the server's clock, and waits until it shows that.
    fn jump(&self, seconds: i64) {
        self.clock.move_by(seconds).unwrap();
        let expected = i64::try_from(unix(SystemTime::now())).unwrap() + seconds;
        for _ in 0..500 {
            let answer = self.server.ask("TIME").unwrap();
            let shown: i64 =
                answer.lines().find_map(|line| line.parse().ok().filter(|n| *n > 1_000_000)).unwrap();
            if (shown - expected).abs() < 60 {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server's clock does not move");
    }
}

fn unix(instant: SystemTime) -> u64 {
    instant.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn lasting(seconds: u64) -> Entry {
    Entry::new("there", SystemTime::now() + Duration::from_secs(seconds)).with_principal(principal(1))
}

/// Jumps that are shorter than a session's life, and jumps back however far, end nobody: the record is there, as it was,
/// can be written and is listed.
#[tokio::test]
async fn a_jump_of_the_servers_clock_ends_no_session_that_lives_longer() {
    let Some(jumping) = Jumping::start() else { return };
    let store = patient(jumping.server.port());
    let mut version = create(&store, &key(1), lasting(12 * 3_600)).await;
    for seconds in [HOUR, -HOUR, 11 * HOUR, -TEN_YEARS, 0] {
        jumping.jump(seconds);
        let stored = store.load(&key(1)).await.unwrap().unwrap();
        assert_eq!((&stored.bytes[..], stored.version), (&b"there"[..], version), "{seconds}");
        let written = store.write(&key(1), lasting(12 * 3_600), Expect::Version(version)).await.unwrap();
        let Written::Stored(next) = written else { panic!("{seconds}: {written:?}") };
        version = next;
        let listed = store.as_principal_index().unwrap().keys_of(&principal(1), None, 9).await.unwrap();
        assert_eq!(listed, [key(1)], "{seconds}");
    }
}

/// A server whose clock jumps past the end of sessions has none of them any more: absent, and no error. When it is right
/// again, sessions can be made as before, and what had ended stays away.
#[tokio::test]
async fn what_the_server_has_ended_is_absent_and_does_not_come_back() {
    let Some(jumping) = Jumping::start() else { return };
    let store = patient(jumping.server.port());
    let version = create(&store, &key(1), lasting(12 * 3_600)).await;
    for seconds in [TEN_YEARS, 0, -HOUR, -TEN_YEARS] {
        jumping.jump(seconds);
        assert_eq!(store.load(&key(1)).await.unwrap(), None, "{seconds}");
        let late = store.write(&key(1), lasting(12 * 3_600), Expect::Version(version)).await.unwrap();
        assert_eq!(late, Written::Conflict, "{seconds}");
        assert_eq!(store.remove(&key(1), Some(version)).await.unwrap(), Removed::Gone, "{seconds}");
        let listed = store.as_principal_index().unwrap().keys_of(&principal(1), None, 9).await.unwrap();
        assert!(listed.is_empty(), "{seconds}");
    }
    create(&store, &key(1), lasting(12 * 3_600)).await;
    assert!(store.load(&key(1)).await.unwrap().is_some());
}

/// Whether a session is over is for the core's clock to say: while the server's is ten years behind, or an hour, an expired
/// session is not served, though its record is there.
#[tokio::test]
async fn a_server_that_lives_in_the_past_serves_no_expired_session() {
    let Some(jumping) = Jumping::start() else { return };
    let now = Arc::new(ManualClock::at_unix(unix(SystemTime::now())));
    let expiry = Expiry { idle: Some(Duration::from_secs(1_800)), absolute: None };
    let manager = SessionManager::builder(patient(jumping.server.port())).clock(now.clone()).expiry(expiry);
    let manager = manager.build().unwrap();
    for seconds in [-TEN_YEARS, -HOUR] {
        jumping.jump(seconds);
        let (status, cookie) = visit(&manager, None).await;
        assert_eq!(status, Status::New);
        let cookie = cookie.unwrap();
        assert_eq!(visit(&manager, Some(&cookie)).await.0, Status::Active, "{seconds}");
        now.advance(Duration::from_secs(1_801));
        assert_eq!(visit(&manager, Some(&cookie)).await.0, Status::Expired, "{seconds}");
    }
}

/// What the session of a request was, and the cookie that is set.
async fn visit(manager: &SessionManager, cookie: Option<&str>) -> (Status, Option<String>) {
    let request = Request::builder().uri("/").header("cookie", cookie.unwrap_or_default()).body(()).unwrap();
    let Opened::Continue(lazy) = manager.open(&RequestHead::from(&request)).await else {
        panic!("a redirect")
    };
    let session = lazy.load().await.unwrap();
    let status = session.status();
    if status == Status::New {
        session.insert("k", 1).unwrap();
    }
    drop(session);
    let mut response = Response::new(());
    manager
        .close(lazy, StatusCode::OK)
        .await
        .map_err(|_| "not stored")
        .unwrap()
        .apply(response.headers_mut());
    let set = response.headers().get("set-cookie").map(|field| field.to_str().unwrap().to_owned());
    (status, set.and_then(|set| Some(set.split(';').next()?.to_owned())))
}
