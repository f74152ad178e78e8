//! Guards against requests that another site makes in the user's name.

use std::{error::Error, fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri, uri};
use serde::de::DeserializeOwned;
use session_core::{CSRF_HEADER, CsrfError, RequestHead, TokenForm};
use warp::{
    Filter, Rejection, Reply,
    reject::Reject,
    reply::{self, Response},
};

use crate::{
    extract::{SessionRejection, attached},
    middleware::Attached,
};

/// A guard for requests of scripts: those that may change something need a token of the session in the field
/// `x-csrf-token`, and must not come from another site.
///
/// A request with a safe method (GET, HEAD, OPTIONS, TRACE) passes, and its session is not touched. Rejects with
/// [`CsrfRejection`].
///
/// ```
/// # use warp::Filter;
/// use session_adapter_warp::{csrf, session};
///
/// let delete_account = warp::path!("account" / "delete").and(csrf()).and(session()).map(|session| { /* … */ });
/// ```
pub fn csrf() -> impl Filter<Extract = (), Error = Rejection> + Copy + Send + Sync + 'static {
    guarded()
        .and_then(|guarded: Guarded| async move { guarded.check(None).await.map_err(Rejection::from) })
        .untuple_one()
}

/// An urlencoded form whose request is not forged: like `warp::body::form`, with a token of the session in the field
/// `csrf_token` or in the header field `x-csrf-token`. `T` does not see the token.
///
/// A request with a safe method passes without a token, as with [`csrf`]; the form is then taken from the query.
/// Rejects with [`CsrfRejection`]. As with warp's own filters, the size of the body is limited by
/// `warp::body::content_length_limit` in front.
///
/// ```
/// # use warp::Filter;
/// # use serde::Deserialize;
/// use session_adapter_warp::{Session, SessionError, csrf_form, session};
///
/// #[derive(Deserialize)]
/// struct Order { cake: String }
///
/// async fn form(session: Session) -> Result<impl warp::Reply, SessionError> {
///     let token = session.csrf_token()?;
///     Ok(warp::reply::html(format!(r#"<form method="post"><input name="cake">
///         <input type="hidden" name="csrf_token" value="{token}"></form>"#)))
/// }
///
/// async fn order(order: Order, session: Session) -> Result<&'static str, SessionError> {
///     session.insert("cake", &order.cake)?;
///     Ok("thank you")
/// }
///
/// let routes = warp::get().and(session()).then(form).or(
///     warp::post().and(warp::body::content_length_limit(4096)).and(csrf_form()).and(session()).then(order));
/// ```
pub fn csrf_form<T>() -> impl Filter<Extract = (T,), Error = Rejection> + Copy + Send + Sync + 'static
where
    T: DeserializeOwned + Send + 'static,
{
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    guarded().and(query).and(warp::body::bytes()).and_then(
        |guarded: Guarded, query: String, body: Bytes| async move {
            guarded.form(&query, &body).await.map_err(Rejection::from)
        },
    )
}

fn guarded() -> impl Filter<Extract = (Guarded,), Error = Rejection> + Copy + Send + Sync + 'static {
    attached()
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .map(|attached: Attached, method, headers| Guarded { attached, method, headers })
}

/// What is known of a guarded request.
struct Guarded {
    attached: Attached,
    method: Method,
    headers: HeaderMap,
}

impl Guarded {
    async fn form<T: DeserializeOwned>(&self, query: &str, body: &[u8]) -> Result<T, CsrfRejection> {
        if self.method.is_safe() {
            return decode(query.as_bytes());
        }
        let form = TokenForm::is_declared(&self.headers).then(|| TokenForm::new(body));
        self.check(form.and_then(TokenForm::token).as_deref()).await?;
        decode(&form.ok_or(CsrfRejection::NotAForm)?.without_token())
    }

    async fn check(&self, in_form: Option<&str>) -> Result<(), CsrfRejection> {
        if self.method.is_safe() {
            return Ok(());
        }
        let session = self.attached.load().await?;
        let mut target = uri::Parts::default();
        target.authority = self.attached.authority.clone();
        let target = Uri::from_parts(target).unwrap_or_default();
        let head = RequestHead::new(&self.method, &target, &self.headers);
        let in_header = self.headers.get(CSRF_HEADER).map(|token| token.to_str().unwrap_or_default());
        session.check_csrf(&head, in_header.or(in_form), self.attached.trusted_origins())?;
        Ok(())
    }
}

fn decode<T: DeserializeOwned>(form: &[u8]) -> Result<T, CsrfRejection> {
    serde_urlencoded::from_bytes(form).map_err(|error| CsrfRejection::Undecodable(Arc::new(error)))
}

/// Why a guarded request was refused. Answered like a [`SessionRejection`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CsrfRejection {
    /// The session could not be loaded.
    Session(SessionRejection),
    /// The request is forged, or lacks its token; 403.
    Forged(CsrfError),
    /// The body of the request is not an urlencoded form; 415.
    NotAForm,
    /// The form is not one of the type asked for; 422.
    Undecodable(Arc<dyn Error + Send + Sync>),
}

impl Reject for CsrfRejection {}

impl From<SessionRejection> for CsrfRejection {
    fn from(rejection: SessionRejection) -> Self {
        Self::Session(rejection)
    }
}

impl From<CsrfError> for CsrfRejection {
    fn from(error: CsrfError) -> Self {
        Self::Forged(error)
    }
}

impl Reply for CsrfRejection {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Session(rejection) => return rejection.into_response(),
            Self::Forged(_) => StatusCode::FORBIDDEN,
            Self::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Undecodable(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        reply::with_status(format!("{self}\n"), status).into_response()
    }
}

impl fmt::Display for CsrfRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(rejection) => rejection.fmt(f),
            Self::Forged(error) => error.fmt(f),
            Self::NotAForm => f.write_str("the body is not of the type application/x-www-form-urlencoded"),
            Self::Undecodable(error) => write!(f, "the form cannot be decoded: {error}"),
        }
    }
}

impl Error for CsrfRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Session(rejection) => rejection.source(),
            Self::Forged(_) | Self::NotAForm => None,
            Self::Undecodable(error) => error.source(),
        }
    }
}
