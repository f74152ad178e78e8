//! Settings from text.

use http::{HeaderValue, Request, header::SET_COOKIE};
use session_core::{Expiry, SessionConfig, SessionManager, persist::SecretKey};

use super::world::{Desk, World};

const PREFIX: &str = "session.";

/// Each line is a pair with an equals sign in between.
pub(super) fn run(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let pairs: Vec<(String, &str)> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (format!("{PREFIX}{key}"), value))
        .take(64)
        .collect();
    for (key, value) in &pairs {
        let _ = value.parse::<session_core::Origin>();
        if let Ok(secret) = SecretKey::from_text(value) {
            assert_eq!(secret.expose_secret(), value.trim(), "a key has two spellings");
        }
        if key.strip_prefix(PREFIX) == Some("keys") {
            no_secret_is_shown(value);
        }
    }
    match SessionConfig::from_pairs(PREFIX, pairs) {
        Ok(config) => serve(config),
        Err(error) => {
            assert!(error.field().starts_with(PREFIX) && !error.to_string().is_empty());
            false
        }
    }
}

fn no_secret_is_shown(keys: &str) {
    let shown = match SessionConfig::from_pairs("", [("keys", keys)]) {
        Ok(config) => format!("{config:?}"),
        Err(error) => format!("{error} {error:?}"),
    };
    for key in keys.split(',').map(str::trim).filter(|key| key.len() >= 12) {
        assert!(!shown.contains(key), "a key is shown");
    }
}

/// Settings that are taken serve a request, with a cookie that browsers take.
fn serve(config: SessionConfig) -> bool {
    let mut served = false;
    for builder in [SessionManager::builder(Desk::default()), SessionManager::without_store()] {
        let Ok(manager) = builder.config(config.clone()).build() else { continue };
        let world = World { manager, desk: Desk::default() };
        served = true;
        let (response, answer) = world.send(&Request::new(()), |session| {
            let _ = session.insert("k", 1);
            let _ = session.authenticate("ann");
            let _ = (session.expires_at(), session.set_expiry(Expiry::NIST_AAL1));
        });
        if answer.is_none() {
            assert_eq!(response.status(), 302);
        }
        for field in response.headers().get_all(SET_COOKIE) {
            browsers_take(field);
        }
    }
    served
}

/// RFC 6265bis section 5.7.
fn browsers_take(field: &HeaderValue) {
    let text = field.to_str().expect("a cookie is not ASCII");
    let mut parts = text.split(';').map(str::trim);
    let pair = parts.next().unwrap();
    let (name, _) = pair.split_once('=').unwrap();
    assert!(pair.len() <= 4_096 && !name.is_empty());
    assert!(name.bytes().all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte)));
    let attributes: Vec<(String, &str)> = parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    let has = |name: &str| attributes.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    for (number, (name, value)) in attributes.iter().enumerate() {
        assert!(
            ["path", "domain", "secure", "httponly", "samesite", "partitioned", "max-age", "expires"]
                .contains(&&**name),
            "{text}"
        );
        assert!(
            value.len() <= 1_024 && !attributes[..number].iter().any(|(other, _)| other == name),
            "{text}"
        );
    }
    let lowered = name.to_ascii_lowercase();
    if lowered.starts_with("__host-") {
        assert!(has("secure").is_some() && has("path") == Some("/") && has("domain").is_none(), "{text}");
    }
    if lowered.starts_with("__secure-") || has("partitioned").is_some() || has("samesite") == Some("None") {
        assert!(has("secure").is_some(), "{text}");
    }
    if let Some(age) = has("max-age") {
        assert!(age.parse::<u64>().unwrap() <= 400 * 86_400, "{text}");
    }
    assert!(has("path").is_some_and(|path| path.starts_with('/')), "{text}");
}
