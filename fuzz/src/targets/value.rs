//! Values, read as types that they may not be.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Debug,
    time::Duration,
};

use http::{HeaderValue, Request, header::COOKIE};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use session_core::{Session, SessionError};

use super::world::{ID, World};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    name: String,
    count: Option<u32>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
    Nothing,
    One(i64),
    Some { all: Vec<Item> },
}

struct Bench {
    world: World,
    /// A record without a value.
    frame: Vec<u8>,
}

thread_local! {
    static BENCH: Bench = {
        let world = World::new(|builder| builder);
        let frame = world.record_of(|session| session.mark_changed().unwrap()).to_vec();
        Bench { world, frame }
    };
}

/// The input is the value: a tag, and what it says.
///
/// Lists of nothing (`Vec<()>`) are not read: their bytes can claim any length, and serde counts up to it. Nor are types
/// that contain themselves, in postcard: each level takes a byte of the value and a piece of the stack.
pub(super) fn run(input: &[u8]) -> bool {
    BENCH.with(|bench| {
        let mut record = bench.frame.clone();
        record.extend_from_slice(&[0, 1, 0]);
        record.extend_from_slice(&u32::try_from(input.len()).unwrap().to_le_bytes());
        record.push(b'v');
        record.extend_from_slice(input);
        bench.world.desk.plant(&record);
        let mut request = Request::new(());
        let cookie = format!("__Host-id={ID}");
        request.headers_mut().insert(COOKIE, HeaderValue::from_str(&cookie).unwrap());
        let (_, answer) = bench.world.send(&request, |session| {
            let read = read_all(session);
            session.revert().unwrap();
            read
        });
        answer.unwrap().unwrap()
    })
}

/// Whether it is one of many types.
fn read_all(session: &Session) -> bool {
    let mut read = false;
    read |= is::<bool>(session);
    read |= is::<u8>(session)
        | is::<u16>(session)
        | is::<u32>(session)
        | is::<u64>(session)
        | is::<u128>(session);
    read |= is::<i8>(session)
        | is::<i16>(session)
        | is::<i32>(session)
        | is::<i64>(session)
        | is::<i128>(session);
    read |= is::<char>(session) | is::<String>(session) | is::<()>(session) | is::<Duration>(session);
    read |= is::<Option<u64>>(session) | is::<Option<String>>(session) | is::<(u8, String)>(session);
    read |= is::<Vec<u8>>(session)
        | is::<Vec<u64>>(session)
        | is::<Vec<String>>(session)
        | is::<[u16; 3]>(session);
    read |= is::<BTreeMap<String, Vec<u64>>>(session) | is::<HashMap<u8, Item>>(session);
    read |= is::<Item>(session) | is::<Vec<Item>>(session) | is::<Choice>(session);
    read |= is::<std::net::IpAddr>(session);
    let _ = (session.get::<f32>("v"), session.get::<f64>("v"), session.get::<serde_json::Value>("v"));
    read
}

/// Whether it is a value of this type; if so, it comes back when it is stored again.
fn is<T: DeserializeOwned + Serialize + PartialEq + Debug>(session: &Session) -> bool {
    match session.get::<T>("v") {
        Ok(value) => {
            let value = value.unwrap();
            match session.insert("w", &value) {
                Ok(()) => assert_eq!(session.get::<T>("w").unwrap().as_ref(), Some(&value)),
                Err(error) => assert!(matches!(error, SessionError::LimitExceeded { .. }), "{error}"),
            }
            true
        }
        Err(error) => {
            assert!(matches!(error, SessionError::Decode { .. }), "{error}");
            false
        }
    }
}
