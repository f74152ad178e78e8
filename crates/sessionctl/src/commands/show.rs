//! `sessionctl show HANDLE`.

use std::time::SystemTime;

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use session_core::{InspectedEntry, InspectedFormat, SessionHandle};

use super::list::Session;
use crate::{
    failure::Outcome,
    output::{self, Output},
    store_url::Opened,
    text, when,
};

/// Show what is known of one session: its times and sizes, and its keys
///
/// Looking at a session does not use it. Its id is never shown: a store does not have it. Values and the name of the
/// principal are shown only on request; they may be secrets and personal data.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The handle of the session: 64 hexadecimal digits, as `list` shows them
    handle: SessionHandle,
    /// Show the values: JSON as it is, postcard, which does not describe itself, as hexadecimal digits
    #[arg(long)]
    show_values: bool,
    /// Show who is signed in
    #[arg(long)]
    show_principal: bool,
}

#[derive(Serialize)]
struct Answer {
    store: &'static str,
    #[serde(flatten)]
    session: Session,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    namespace: String,
    key: String,
    bytes: usize,
    /// `json`, `postcard` or `unknown`.
    format: &'static str,
    /// Of postcard: what was stored, as in "a struct".
    kind: Option<&'static str>,
    /// JSON as it is, anything else as hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
}

pub(crate) async fn run(options: &Options, opened: &Opened, output: Output) -> Result<Outcome> {
    let Some(record) = opened.manager.inspect(options.handle).await? else {
        bail!("there is no session with this handle; a handle changes when its session is signed in to");
    };
    let now = SystemTime::now();
    let answer = Answer {
        store: opened.kind,
        session: Session::of(&record, options.show_principal, now),
        entries: record.entries().map(|entry| Entry::of(&entry, options.show_values)).collect(),
    };
    output.print(&answer, |answer| {
        let session = &answer.session;
        let time = |time: Option<SystemTime>| time.map(|time| when::told(time, now));
        let signed_in =
            time(record.authenticated_at()).or_else(|| session.signed_in.then(|| "yes".to_owned()));
        let facts = [
            ("session", Some(session.handle.clone())),
            ("state", Some(session.state.to_owned())),
            ("created", time(record.created())),
            ("last seen", time(record.last_seen())),
            ("signed in", signed_in.or_else(|| Some("no".to_owned()))),
            (
                "principal",
                session.principal.as_deref().map(|principal| text::printable(principal).into_owned()),
            ),
            ("expires", time(Some(record.expires_at()))),
            ("size", Some(text::size(record.bytes() as u64))),
        ];
        let facts = output::facts(facts.into_iter().filter_map(|(name, value)| Some((name, value?))));
        format!("{facts}\n{}", entries(&answer.entries, options.show_values))
    })?;
    Ok(Outcome::Done)
}

impl Entry {
    fn of(entry: &InspectedEntry<'_>, show_value: bool) -> Self {
        let (format, kind) = match entry.format() {
            InspectedFormat::Json => ("json", None),
            InspectedFormat::Postcard(kind) => ("postcard", Some(kind)),
            _ => ("unknown", None),
        };
        Self {
            namespace: entry.namespace().to_owned(),
            key: entry.key().to_owned(),
            bytes: entry.length(),
            format,
            kind,
            value: show_value.then(|| value(entry)),
        }
    }
}

fn value(entry: &InspectedEntry<'_>) -> Value {
    let bytes = entry.expose_secret();
    let parsed = match entry.format() {
        InspectedFormat::Json => serde_json::from_slice(bytes).ok(),
        _ => None,
    };
    parsed.unwrap_or_else(|| data_encoding::HEXLOWER.encode(bytes).into())
}

fn entries(entries: &[Entry], show_values: bool) -> String {
    if entries.is_empty() {
        return "no keys".to_owned();
    }
    let mut header = vec!["namespace", "key", "bytes", "format"];
    header.extend(show_values.then_some("value"));
    let mut table = output::table(&header);
    for entry in entries {
        let format = match entry.kind {
            Some(kind) => format!("{}, {kind}", entry.format),
            None => entry.format.to_owned(),
        };
        let mut row = vec![
            text::printable(&entry.namespace).into_owned(),
            text::printable(&entry.key).into_owned(),
            entry.bytes.to_string(),
            format,
        ];
        row.extend(entry.value.as_ref().map(|value| match value {
            Value::String(digits) if entry.format != "json" => digits.clone(),
            json => text::printable(&json.to_string()).into_owned(),
        }));
        table.add_row(row);
    }
    output::align_right(&mut table, &[2]);
    table.to_string()
}
