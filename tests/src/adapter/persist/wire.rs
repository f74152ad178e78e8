//! How a client presents what it holds, and reads what it is told.

use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Uri,
    header::{COOKIE, SET_COOKIE},
};

use super::{Persist, Told};
use crate::{Result, adapter::set_cookie::SetCookie, failure::fail, fixture::OWN_ID};

/// The default name of the field of [`Header`](session_core::persist::Header).
const FIELD: &str = "x-session-id";
/// The default name of the parameter of [`Query`](session_core::persist::Query), as it stands in a query.
const PARAMETER: &str = "sid=";

impl Persist {
    /// The header fields of requests that answers have to vary on.
    pub(in crate::adapter) fn vary(self) -> Vec<HeaderName> {
        match self {
            Self::Cookie | Self::SignedCookie | Self::SealedSigned | Self::SealedEncrypted => vec![COOKIE],
            Self::Header => vec![HeaderName::from_static(FIELD)],
            Self::Chain => vec![COOKIE, HeaderName::from_static(FIELD)],
            Self::External => vec![HeaderName::from_static(OWN_ID)],
            Self::Query => Vec::new(),
        }
    }

    /// Adds what a client holds to a request, beside what is there. `cookie` is the name of the cookie.
    pub(in crate::adapter) fn present<B>(
        self,
        request: &mut Request<B>,
        cookie: &str,
        held: &[u8],
    ) -> Result {
        let (field, value) = match self {
            Self::Query => {
                *request.uri_mut() = with_parameter(request.uri(), &in_query(held))?;
                return Ok(());
            }
            Self::Header => (HeaderName::from_static(FIELD), held.to_vec()),
            Self::External => (HeaderName::from_static(OWN_ID), held.to_vec()),
            _ => (COOKIE, [cookie.as_bytes(), b"=", held].concat()),
        };
        request.headers_mut().append(field, HeaderValue::from_bytes(&value)?);
        Ok(())
    }

    /// What a response says about the id.
    pub(in crate::adapter) fn told(self, headers: &HeaderMap, cookie: &str) -> Result<Told> {
        let mut told = match self {
            Self::Header => fields(headers, FIELD, |id| Ok(told(id)))?,
            Self::External => fields(headers, OWN_ID, |id| Ok(told(id)))?,
            Self::Query => fields(headers, OWN_ID, |link| match in_link(link) {
                Some(id) => Ok(told(id)),
                None if link.is_empty() => Ok(Told::Withdrawn),
                None => fail!("a link of the application carries no id"),
            })?,
            _ => {
                let all: Vec<SetCookie<'_>> =
                    headers.get_all(SET_COOKIE).iter().map(SetCookie::parse).collect::<Result<_>>()?;
                all.into_iter().filter(|set| set.name == cookie).map(|set| told(set.value)).collect()
            }
        };
        match (told.pop(), told.len()) {
            (None, _) => Ok(Told::Nothing),
            (Some(told), 0) => Ok(told),
            (_, more) => fail!("a response tells about its session {} times, not once", more + 1),
        }
    }

    /// Places in a request where this strategy must not look for what a client holds: header fields, and targets.
    pub(in crate::adapter) fn elsewhere(self, held: &str) -> (Vec<(HeaderName, String)>, Vec<String>) {
        let all = [
            (COOKIE, format!("__Host-id={held}; id={held}")),
            (HeaderName::from_static(FIELD), held.to_owned()),
            (HeaderName::from_static(OWN_ID), held.to_owned()),
            (HeaderName::from_static("authorization"), format!("Bearer {held}")),
        ];
        let fields = all.into_iter().filter(|(field, _)| !self.vary().contains(field)).collect();
        let mut targets = vec![
            format!("/ops?id={held}"),
            format!("/ops?__Host-id={held}&x-session-id={held}&session={held}"),
            format!("/ops?xsid={held}&SID={held}&sid[]={held}&%73id={held}&sid%3d{held}"),
        ];
        if self != Self::Query {
            targets.push(format!("/ops?sid={held}"));
        }
        (fields, targets)
    }

    /// The id in what a client holds: a signature is not part of it.
    pub(in crate::adapter) fn id_in(self, held: &str) -> &str {
        match self {
            Self::SignedCookie => held.split_once('.').map_or(held, |(id, _)| id),
            _ => held,
        }
    }
}

/// The target of a redirect, taken as browsers do for a reference that is a query only.
///
/// # Errors
/// For any other reference: it could lead elsewhere.
pub(in crate::adapter) fn redirected(from: &Uri, location: &HeaderValue) -> Result<(Uri, String)> {
    let location = location.to_str()?;
    let Some(query) = location.strip_prefix('?') else { fail!("a redirect leads to another place") };
    let Some(id) = in_link(location) else { fail!("a redirect carries no id") };
    Ok((format!("{}?{query}", from.path()).parse()?, id.to_owned()))
}

/// The id in a link of the application.
fn in_link(link: &str) -> Option<&str> {
    let (_, query) = link.split_once('?')?;
    query.split('&').find_map(|parameter| parameter.strip_prefix(PARAMETER))
}

fn fields(headers: &HeaderMap, name: &str, told: impl Fn(&str) -> Result<Told>) -> Result<Vec<Told>> {
    headers.get_all(name).iter().map(|value| told(value.to_str()?)).collect()
}

fn told(value: &str) -> Told {
    if value.is_empty() { Told::Withdrawn } else { Told::Issued(value.to_owned()) }
}

/// A value as it can stand in a query: what may not is percent-encoded, and everything else stays as it is.
fn in_query(held: &[u8]) -> String {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%=/+,:@!$()*;?'".contains(&byte);
    let spelled = |byte: &u8| match *byte {
        byte if allowed(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    held.iter().map(spelled).collect()
}

fn with_parameter(uri: &Uri, value: &str) -> Result<Uri> {
    let before = uri.query().map(|query| format!("{query}&")).unwrap_or_default();
    Ok(format!("{}?{before}{PARAMETER}{value}", uri.path()).parse()?)
}
