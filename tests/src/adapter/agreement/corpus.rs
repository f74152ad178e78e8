//! Reads the corpus.
//!
//! ```text
//! [cookie chain]                          the strategies that the following requests are for, or `all`
//! # a comment
//! a ops {"op":"set","key":"k","value":1}  client a sends POST /ops with an array of these
//! a GET /?x=1                             client a sends what it holds and this
//! - GET /                                 somebody who holds nothing
//!   cookie: __Host-id=<a>; x=\xff         with one more field; <a> is what client a holds, <a.upper> a variation of it
//! - GET /?x=<=y*2000>                     <=y*2000> is 2000 times y
//! ! advance 600                           the clock goes on
//! ! fail load unavailable                 the store fails from now on …
//! ! heal                                  … until it is healed
//! ```

use session_core::StoreErrorKind;

use super::super::{persist::Persist, probe::Call};
use crate::{
    Failure, Result,
    failure::{ensure, fail},
};

const CORPUS: &str = include_str!("corpus.txt");

/// One line of the corpus.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Its number, for reports.
    pub(super) line: usize,
    pub(super) action: Action,
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    Send {
        client: Option<String>,
        method: String,
        target: String,
        fields: Vec<(String, String)>,
        body: String,
    },
    Advance(u64),
    Fail(Call, StoreErrorKind),
    Heal,
}

impl Step {
    #[cfg(test)]
    pub(super) fn is_request(&self) -> bool {
        matches!(self.action, Action::Send { .. })
    }
}

/// What the corpus has for a strategy.
///
/// # Errors
/// For a line that makes no sense.
pub(super) fn steps(persist: Persist) -> Result<Vec<Step>> {
    let (mut steps, mut here): (Vec<Step>, _) = (Vec::new(), false);
    for (number, text) in CORPUS.lines().enumerate() {
        let line = number + 1;
        let wrong = |why: &str| Failure::new(format!("line {line} of the corpus {why}"));
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if let Some(names) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            for name in names.split(' ').filter(|name| *name != "all") {
                name.parse::<Persist>()?;
            }
            here = names.split(' ').any(|name| name == "all" || name == persist.name());
            continue;
        }
        if !here {
            continue;
        }
        if let Some(field) = text.strip_prefix("  ") {
            let (name, value) = field.split_once(": ").ok_or_else(|| wrong("is no field"))?;
            match steps.last_mut().map(|step| &mut step.action) {
                Some(Action::Send { fields, .. }) => fields.push((name.to_owned(), value.to_owned())),
                _ => fail!("line {line} of the corpus belongs to no request"),
            }
            continue;
        }
        let action = match text.strip_prefix("! ") {
            Some(command) => self::command(command).ok_or_else(|| wrong("is no command"))?,
            None => request(text).ok_or_else(|| wrong("is no request"))?,
        };
        steps.push(Step { line, action });
    }
    ensure!(!steps.is_empty(), "the corpus has nothing for {persist}");
    Ok(steps)
}

fn command(text: &str) -> Option<Action> {
    let words: Vec<&str> = text.split(' ').collect();
    Some(match words[..] {
        ["advance", seconds] => Action::Advance(seconds.parse().ok()?),
        ["heal"] => Action::Heal,
        ["fail", call, kind] => {
            let call = match call {
                "load" => Call::Load,
                "write" => Call::Write,
                "remove" => Call::Remove,
                _ => return None,
            };
            let kind = match kind {
                "unavailable" => StoreErrorKind::Unavailable,
                "overloaded" => StoreErrorKind::Overloaded,
                "full" => StoreErrorKind::Full,
                "corrupt" => StoreErrorKind::Corrupt,
                "indeterminate" => StoreErrorKind::Indeterminate,
                _ => return None,
            };
            Action::Fail(call, kind)
        }
        _ => return None,
    })
}

fn request(text: &str) -> Option<Action> {
    let (client, rest) = text.split_once(' ')?;
    let (method, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (method, target, body) = match method {
        "ops" => ("POST", "/ops", format!("[{rest}]")),
        method => {
            let (target, body) = rest.split_once(' ').unwrap_or((rest, ""));
            (method, target, body.to_owned())
        }
    };
    let client = (client != "-").then(|| client.to_owned());
    let (method, target) = (method.to_owned(), target.to_owned());
    Some(Action::Send { client, method, target, fields: Vec::new(), body })
}
