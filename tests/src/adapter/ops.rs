//! Short names for the operations of the fixture, so that a case reads like what it does.

use serde_json::{Value, json};

pub(super) fn op(name: &str) -> Value {
    json!({ "op": name })
}

pub(super) fn get(key: &str) -> Value {
    json!({ "op": "get", "key": key })
}

pub(super) fn set(key: &str, value: impl Into<Value>) -> Value {
    json!({ "op": "set", "key": key, "value": value.into() })
}

pub(super) fn remove(key: &str) -> Value {
    json!({ "op": "remove", "key": key })
}

pub(super) fn incr(key: &str) -> Value {
    json!({ "op": "incr", "key": key, "by": 1 })
}

pub(super) fn authenticate(principal: &str) -> Value {
    json!({ "op": "authenticate", "principal": principal })
}

pub(super) fn flash(text: &str) -> Value {
    json!({ "op": "flash", "text": text })
}

pub(super) fn check_csrf(token: &str) -> Value {
    json!({ "op": "check_csrf", "token": token })
}

pub(super) fn end(handle: &str) -> Value {
    json!({ "op": "end", "handle": handle })
}

pub(super) fn set_idle(seconds: u64) -> Value {
    json!({ "op": "set_idle", "secs": seconds })
}

pub(super) fn set_expires_at(seconds: u64) -> Value {
    json!({ "op": "set_expires_at", "secs": seconds })
}

pub(super) fn header(name: &str, value: &str) -> Value {
    json!({ "op": "header", "name": name, "value": value })
}

pub(super) fn status(code: u16) -> Value {
    json!({ "op": "status", "code": code })
}

/// The same operation in a namespace.
pub(super) fn within(namespace: &str, mut op: Value) -> Value {
    op["ns"] = json!(namespace);
    op
}

/// The answer of an operation that failed.
pub(super) fn error(kind: &str) -> Value {
    json!({ "error": kind })
}
