//! Tokens and checks against requests that another site makes in the user's name.

use http::{HeaderName, Method, header};
use subtle::ConstantTimeEq;

use crate::{error::SessionError, event::EventKind, lazy::Inner, request::RequestHead, session::Session};

/// The header field in which scripts send the token.
pub const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
/// The form field in which forms send the token.
pub const CSRF_FIELD: &str = "csrf_token";

const SECRET: usize = 24;

/// CSRF tokens.
///
/// The secret is drawn with the session and replaced with the id whenever privileges change, so a token from before a
/// login is worth nothing after it (CVE-2022-24895). Each token is masked with fresh random bytes, so that a compressed
/// page never shows the same secret twice (BREACH).
impl Session {
    /// A token for a form or a script of this response. A visitor without a session gets one.
    ///
    /// # Errors
    /// [`SessionError::Random`], and those of every change for a visitor without a session.
    pub fn csrf_token(&self) -> Result<String, SessionError> {
        let mut mask = [0; SECRET];
        self.0.shared.random.fill(&mut mask)?;
        let secret = self.0.csrf_secret()?;
        let mut token = [0; 2 * SECRET];
        token[..SECRET].copy_from_slice(&mask);
        for (masked, (mask, secret)) in token[SECRET..].iter_mut().zip(mask.iter().zip(secret)) {
            *masked = mask ^ secret;
        }
        Ok(data_encoding::BASE64URL_NOPAD.encode(&token))
    }

    /// Whether `token` is one of this session. Takes the same time for every token of the right length.
    #[must_use]
    pub fn verify_csrf(&self, token: &str) -> bool {
        let Some(secret) = self.0.state().csrf_secret() else { return false };
        let Some(presented) = unmask(token) else { return false };
        presented.ct_eq(&secret).into()
    }

    /// Checks a request that may change something: where it comes from and which token it carries.
    ///
    /// `token` is what the request carried in [`CSRF_HEADER`] or [`CSRF_FIELD`]; `trusted_origins` are origins other
    /// than the request's own from which it may come, such as `https://admin.example.com`.
    ///
    /// # Errors
    /// [`CsrfError`]; the answer is 403.
    pub fn check_csrf(
        &self,
        head: &RequestHead<'_>,
        token: Option<&str>,
        trusted_origins: &[impl AsRef<str>],
    ) -> Result<(), CsrfError> {
        let checked = check_origin(head, trusted_origins).and_then(|()| match token {
            None => Err(CsrfError::TokenMissing),
            Some(token) if self.verify_csrf(token) => Ok(()),
            Some(_) => Err(CsrfError::TokenWrong),
        });
        if checked.is_err() && !is_safe(head.method) {
            let key = self.0.state().live.as_ref().map(|live| live.key);
            self.0.shared.events.emit(EventKind::ForgeryRefused, key.as_ref());
        }
        if is_safe(head.method) { Ok(()) } else { checked }
    }
}

impl Inner {
    /// The secret of the session; a visitor without one gets one, the same for all who ask in this request.
    fn csrf_secret(&self) -> Result<[u8; SECRET], SessionError> {
        let mut state = self.state();
        if let Some(secret) = state.csrf_secret() {
            return Ok(secret);
        }
        state.check_mutable()?;
        let (_, drawn) = self.shared.draw()?;
        state.begin_anew();
        state.pending.intent.csrf_secret = Some(drawn);
        state.epoch += 1;
        Ok(drawn)
    }
}

/// Why a request was refused as forged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CsrfError {
    /// The browser says that another site made it.
    CrossSite,
    /// It carries no token.
    TokenMissing,
    /// Its token is not one of this session.
    TokenWrong,
}

impl std::fmt::Display for CsrfError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::CrossSite => "the request comes from another site",
            Self::TokenMissing => "the request carries no CSRF token",
            Self::TokenWrong => "the CSRF token is not one of this session",
        })
    }
}

impl std::error::Error for CsrfError {}

/// What browsers say about where a request comes from (Fetch Metadata, RFC 6454). A request that says nothing is left
/// to the token.
fn check_origin(head: &RequestHead<'_>, trusted: &[impl AsRef<str>]) -> Result<(), CsrfError> {
    let field = |name| head.headers.get(name).map(http::HeaderValue::as_bytes);
    let origin = field(header::ORIGIN);
    if origin.is_some_and(|origin| trusted.iter().any(|trusted| trusted.as_ref().as_bytes() == origin)) {
        return Ok(());
    }
    match field(HeaderName::from_static("sec-fetch-site")) {
        Some(b"same-origin" | b"none") => return Ok(()),
        Some(_) => return Err(CsrfError::CrossSite),
        None => {}
    }
    let Some(origin) = origin else { return Ok(()) };
    let own =
        field(header::HOST).or_else(|| head.uri.authority().map(|authority| authority.as_str().as_bytes()));
    let from = origin.strip_prefix(b"https://").or_else(|| origin.strip_prefix(b"http://"));
    match (from, own) {
        (Some(from), Some(own)) if from.eq_ignore_ascii_case(own) => Ok(()),
        _ => Err(CsrfError::CrossSite),
    }
}

/// RFC 9110 section 9.2.1.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

fn unmask(token: &str) -> Option<[u8; SECRET]> {
    let mut bytes = [0; 2 * SECRET];
    if token.len() != data_encoding::BASE64URL_NOPAD.encode_len(bytes.len()) {
        return None;
    }
    data_encoding::BASE64URL_NOPAD.decode_mut(token.as_bytes(), &mut bytes).ok()?;
    let mut secret = [0; SECRET];
    for (secret, (mask, masked)) in secret.iter_mut().zip(bytes[..SECRET].iter().zip(&bytes[SECRET..])) {
        *secret = mask ^ masked;
    }
    Some(secret)
}
