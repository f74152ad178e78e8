//! What is attacked, one file for each reader of foreign bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a target that cannot go on has failed")]

mod config;
mod cookie_header;
mod database_url;
mod file_record;
mod form;
mod id;
mod query;
mod record;
mod redis_record;
mod redis_url;
mod sealed_cookie;
mod value;
mod world;

/// Something that reads bytes which others chose.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Target {
    /// Its name, which is that of its folder in the corpus.
    pub name: &'static str,
    /// What it reads, and what must hold.
    pub about: &'static str,
    /// Panics if a promise is broken; else answers whether the input got past the outermost check.
    pub run: fn(&[u8]) -> bool,
    /// How many bytes of memory it may have allocated at once, for an input of this length.
    pub most_bytes: fn(usize) -> usize,
}

impl Target {
    /// The target of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }
}

/// Every target.
pub const TARGETS: &[Target] = &[
    target(
        "cookie_header",
        "Cookie fields: exactly the ids that a naive reading finds are looked up",
        cookie_header::run,
    ),
    target("id", "ids, handles and keys: one spelling each", id::run),
    target("record", "stored records: damage is told, what is kept comes back", record::run),
    Target {
        most_bytes: reserved,
        ..target("value", "stored values, read as types that they may not be", value::run)
    },
    target(
        "sealed_cookie",
        "sealed cookies: what is not authentic is nothing, what is comes back",
        sealed_cookie::run,
    ),
    target("query", "queries and links: every other parameter stays, no id leaves, no loop", query::run),
    target("form", "urlencoded forms, tokens and origins: as the URL standard reads them", form::run),
    Target {
        most_bytes: managers,
        ..target(
            "config",
            "settings from text: refused, or a cookie that browsers take; no secret in an error",
            config::run,
        )
    },
    target("database_url", "URLs and names of tables: nothing of a password in an error", database_url::run),
    target("redis_url", "URLs and prefixes of Redis: nothing of a password in an error", redis_url::run),
    target(
        "file_record",
        "files of store-file: damage is told, what is read is what was written",
        file_record::run,
    ),
    target("redis_record", "records and names of store-redis, the same", redis_record::run),
];

const fn target(name: &'static str, about: &'static str, run: fn(&[u8]) -> bool) -> Target {
    Target { name, about, run, most_bytes: proportional }
}

/// Attack A22: no small input makes a large allocation.
const fn proportional(length: usize) -> usize {
    16 * length + (64 << 10)
}

/// A manager has 512 gates, whatever its settings are.
const fn managers(length: usize) -> usize {
    proportional(length) + (64 << 10)
}

/// Serde reserves up to 1 MiB for each collection that is being read, whatever length its bytes claim, and an empty
/// text of one byte takes 24 bytes in a list that doubles as it grows. Which types are read is the application's choice.
const fn reserved(length: usize) -> usize {
    96 * length + (4 << 20)
}
