//! Records, as a store hands them out.

use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderValue, Request, header::COOKIE};
use session_core::{Inspection, RecordState, SessionError, Status, StoreErrorKind, StoreKey};

use super::world::{ID, World, cookie_of};

thread_local! {
    static WORLD: World = World::new(|builder| builder);
}

const OWN: &str = "fuzz";

/// The input is what the store has.
pub(super) fn run(input: &[u8]) -> bool {
    WORLD.with(|world| {
        world.desk.plant(input);
        let inspected = inspect(input);
        let mut request = Request::new(());
        let cookie = format!("__Host-id={ID}");
        request.headers_mut().insert(COOKIE, HeaderValue::from_str(&cookie).unwrap());
        let (response, answer) = world.send(&request, |session| {
            let status = session.status();
            for key in session.keys() {
                let _ = (
                    session.get::<u64>(&*key),
                    session.get::<String>(&*key),
                    session.get::<Vec<bool>>(&*key),
                );
            }
            let _ = (session.principal(), session.created(), session.expires_at(), session.last_seen());
            let _ = session.verify_csrf("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
            assert!(!format!("{session:?}").contains(ID), "an id is shown");
            (status, session.insert(OWN, 7_u32))
        });
        let told = cookie_of(response.headers()).is_some();
        let written = world.desk.shelf().written.pop();
        let Some(inspected) = inspected else {
            let Err(SessionError::Store(error)) = answer.unwrap() else { panic!("damage is not told") };
            assert_eq!(error.kind(), StoreErrorKind::Corrupt);
            assert!(!told && written.is_none(), "damage is written over, or makes another session");
            return false;
        };
        match answer.unwrap().unwrap() {
            (Status::Active | Status::New, Ok(())) if !response.status().is_server_error() => {
                assert_ne!(inspected.state(), RecordState::Superseded);
                let saved = inspect(&written.unwrap().bytes).expect("what was stored cannot be read");
                assert_same(&inspected, &saved);
            }
            // Beyond a limit.
            (Status::Active | Status::New, _) => {
                assert!(written.is_none() && !told, "a refused change is stored")
            }
            (Status::Superseded, inserted) => {
                assert!(inserted.is_err() && written.is_none() && !told, "a replaced id is written under");
                assert_eq!(inspected.state(), RecordState::Superseded);
            }
            (Status::Expired | Status::Unknown, inserted) => {
                inserted.unwrap();
                let fresh = inspect(&written.unwrap().bytes).unwrap();
                assert_eq!(fresh.entries().count(), 1, "a new session has what an old one had");
                assert!(told && !fresh.is_signed_in());
            }
            (status, _) => panic!("a record makes a session that is {status:?}"),
        }
        true
    })
}

fn inspect(bytes: &[u8]) -> Option<Inspection> {
    let record = Bytes::copy_from_slice(bytes);
    let inspection = Inspection::of(&StoreKey::from_bytes([7; 32]), record, SystemTime::UNIX_EPOCH).ok()?;
    let _ = (inspection.created(), inspection.last_seen(), inspection.authenticated_at());
    let length: usize =
        inspection.entries().map(|entry| entry.expose_secret().len() + entry.key().len()).sum();
    assert!(length <= bytes.len());
    for entry in inspection.entries() {
        let _ = (entry.format(), entry.namespace());
    }
    Some(inspection)
}

/// Everything but our own key is in both, byte for byte.
fn assert_same(before: &Inspection, after: &Inspection) {
    assert_eq!(before.expose_principal(), after.expose_principal());
    assert_eq!(before.created(), after.created());
    assert_eq!(before.authenticated_at(), after.authenticated_at());
    let entries = |inspection: &Inspection| {
        let mut entries: Vec<_> = inspection
            .entries()
            .filter(|entry| (entry.namespace(), entry.key()) != ("", OWN))
            .map(|entry| {
                (entry.namespace().to_owned(), entry.key().to_owned(), entry.expose_secret().to_vec())
            })
            .collect();
        entries.sort();
        entries
    };
    assert_eq!(entries(before), entries(after), "what was stored is not what was there");
    assert_eq!(after.entries().filter(|entry| (entry.namespace(), entry.key()) == ("", OWN)).count(), 1);
}
