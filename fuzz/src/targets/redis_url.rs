//! URLs and prefixes of Redis.

use session_core::StoreKey;
use session_store_redis::{BuildError, RedisStore};

use super::database_url::password;
use crate::redis_layout::Layout;

/// The first line is a URL, the second a prefix, the third the name of a key.
pub(super) fn run(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (url, prefix, name) = (line(), line(), line());
    let built = RedisStore::builder(url).prefix(prefix).build();
    let shown = match &built {
        Ok(store) => format!("{store:?}"),
        Err(error) => format!("{error} {error:?}"),
    };
    // The path of a socket is no secret, whatever it looks like.
    let password = password(url).filter(|_| !url.contains("unix:"));
    assert!(!password.is_some_and(|password| shown.contains(password)), "a password is shown");
    let layout = match Layout::new(prefix.to_owned()) {
        Ok(layout) => layout,
        Err(_) => {
            assert!(matches!(built, Err(BuildError::Prefix)), "a prefix is taken that cannot be used");
            return false;
        }
    };
    if let Some(key) = layout.key_of(name.as_bytes()) {
        assert_eq!(layout.record(&key), name, "a key has two names");
        assert!(layout.is_ours(name.as_bytes()));
    }
    let key = StoreKey::from_bytes([7; 32]);
    let own = layout.record(&key);
    assert_eq!(layout.key_of(own.as_bytes()), Some(key));
    // What is under one prefix is under no other.
    if let Ok(other) = Layout::new(name.to_owned())
        && name != prefix
    {
        assert!(
            other.key_of(own.as_bytes()).is_none() && !other.is_ours(own.as_bytes()),
            "{prefix} and {name} mix"
        );
    }
    built.is_ok()
}
