//! One of the two applications, and the clients that send it the corpus.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use session_core::ManualClock;

use super::{
    corpus::{Action, Step},
    observed::Observed,
};
use crate::{
    Failure, Result,
    adapter::{
        application::Starter,
        case::Need,
        client::Client,
        dice::Dice,
        persist::Persist,
        probe::Probe,
        runner::START,
        site::{App, Site},
    },
    store::Reference,
};

pub(super) struct Side {
    app: App,
    dice: Dice,
    clients: HashMap<String, Client>,
}

pub(super) struct Taken {
    /// The request, as it was sent.
    pub(super) request: Request<Bytes>,
    pub(super) answer: Observed,
}

impl Side {
    /// The application, with everything that both sides must have in common.
    pub(super) async fn start(starter: Starter, persist: Persist) -> Result<Self> {
        let site = Site {
            starter,
            persist,
            cookie: None,
            store: Probe::new(Arc::new(Reference::new())),
            clock: Arc::new(ManualClock::at_unix(START)),
            dice: Dice::seeded(0),
            scale: 1,
            brief: false,
            hurried: false,
        };
        let rotates = site.can(Need::Rotation);
        let quarter = Duration::from_secs(900);
        let app =
            site.start_with(|builder| if rotates { builder.renew_every(quarter) } else { builder }).await?;
        Ok(Self { app, dice: site.dice, clients: HashMap::new() })
    }

    /// Does what a line of the corpus says; the answer, if it is a request.
    pub(super) async fn take(&mut self, step: &Step) -> Result<Option<Taken>> {
        match &step.action {
            Action::Advance(seconds) => self.app.advance(*seconds),
            Action::Fail(call, kind) => self.app.store.fail(*call, *kind),
            Action::Heal => self.app.store.heal(),
            Action::Send { client, method, target, fields, body } => {
                // One answer that differs must not make all that follow differ.
                self.dice.reseed(step.line as u64);
                let wrong =
                    |error: Failure| Failure::new(format!("line {} of the corpus: {error}", step.line));
                let sent = self.send(client.as_deref(), method, target, fields, body).await;
                return sent.map(Some).map_err(wrong);
            }
        }
        Ok(None)
    }

    async fn send(
        &mut self,
        client: Option<&str>,
        method: &str,
        target: &str,
        fields: &[(String, String)],
        body: &str,
    ) -> Result<Taken> {
        let target = self.filled_in(target)?;
        let body = Bytes::from(self.filled_in(body)?);
        let fields: Vec<(HeaderName, HeaderValue)> = fields
            .iter()
            .map(|(name, value)| {
                let value = unescaped(&self.filled_in(value)?);
                Ok((HeaderName::try_from(name)?, HeaderValue::from_bytes(&value)?))
            })
            .collect::<Result<_>>()?;
        let client = match client {
            Some(name) => self.client(name).clone(),
            None => self.app.client(),
        };
        let mut request =
            client.request(Method::from_bytes(method.as_bytes())?, &String::from_utf8(target)?, body)?;
        for (name, value) in fields {
            request.headers_mut().append(name, value);
        }
        let reply = client.send_once(request.clone()).await?;
        client.keep_redirect(&request, &reply)?;
        let answer = Observed { status: reply.status, headers: reply.headers, body: reply.body };
        Ok(Taken { request, answer })
    }

    fn client(&mut self, name: &str) -> &Client {
        let app = &self.app;
        self.clients.entry(name.to_owned()).or_insert_with(|| app.client())
    }

    /// The text with `<a>` replaced by what client `a` holds, and `<=x*3>` by `xxx`.
    fn filled_in(&mut self, text: &str) -> Result<Vec<u8>> {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once('<') {
            let Some((name, behind)) = after.split_once('>') else {
                return Err(Failure::new("a `<` without `>`"));
            };
            filled += before;
            rest = behind;
            if let Some((text, times)) = name.strip_prefix('=').and_then(|text| text.split_once('*')) {
                filled += &text.repeat(times.parse()?);
                continue;
            }
            let (client, variation) = name.split_once('.').unwrap_or((name, ""));
            let held = self.client(client).id().unwrap_or_else(|| "A".repeat(32));
            filled += &varied(&held, variation)?;
        }
        Ok((filled + rest).into_bytes())
    }
}

/// Something that looks like what a client holds and is not.
fn varied(held: &str, variation: &str) -> Result<String> {
    let other = |character: &str| if character == "A" { "B" } else { "A" };
    let (start, end) = held.split_at(held.len().saturating_sub(1));
    Ok(match variation {
        "" => held.to_owned(),
        "upper" => held.to_uppercase(),
        "lower" => held.to_lowercase(),
        "percent" => format!("%{:02X}{}", held.as_bytes()[0], &held[1..]),
        "cut" => start.to_owned(),
        "longer" => format!("{held}A"),
        "first" => format!("{}{}", other(&held[..1]), &held[1..]),
        "last" => format!("{start}{}", other(end)),
        "reversed" => held.chars().rev().collect(),
        _ => return Err(Failure::new(format!("there is no variation `{variation}`"))),
    })
}

/// The bytes that `\xNN` spells.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let [first, behind @ ..] = rest {
        let digits = behind.strip_prefix(b"x").filter(|_| *first == b'\\').and_then(|digits| digits.get(..2));
        let byte = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[3..] } else { behind };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_bytes() {
        assert_eq!(unescaped(br"a\xff\x00b\y"), b"a\xff\x00b\\y");
    }

    #[test]
    fn variations_differ_from_what_is_held() {
        for variation in ["upper", "lower", "percent", "cut", "longer", "first", "last", "reversed"] {
            assert_ne!(varied("aBcdA", variation).unwrap(), "aBcdA", "{variation}");
        }
        assert!(varied("aBcdA", "none").is_err());
    }
}
