//! Guards against requests that another site makes in the user's name.

use std::{error::Error, fmt};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, rejection::BytesRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, request::Parts};
use serde::de::DeserializeOwned;
use session_core::{CSRF_HEADER, CsrfError, RequestHead, TokenForm};

use crate::{
    extract::{Session, SessionRejection},
    middleware::Attached,
};

/// A guard for requests of scripts: those that may change something need a token of the session in the field
/// `x-csrf-token`, and must not come from another site.
///
/// A request with a safe method (GET, HEAD, OPTIONS, TRACE) passes, and its session is not touched; so the guard can
/// be put on a whole router.
///
/// ```
/// # use axum::{Router, middleware::from_extractor, routing::post};
/// use session_adapter_axum::{Csrf, Session};
///
/// async fn delete_account(_: Csrf, session: Session) { /* … */ }
/// async fn api() { /* … */ }
///
/// let app: Router = Router::new()
///     .route("/api", post(api))
///     .route_layer(from_extractor::<Csrf>())           // for every route above
///     .route("/account/delete", post(delete_account)); // for one handler
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Csrf(());

/// An urlencoded form whose request is not forged: like `axum::Form`, with a token of the session in the field
/// `csrf_token` or in the header field `x-csrf-token`. `T` does not see the token.
///
/// A request with a safe method passes without a token, as with [`Csrf`]; the form is then taken from the query.
///
/// ```
/// # use axum::{Router, response::{Html, Redirect}, routing::get};
/// # use serde::Deserialize;
/// use session_adapter_axum::{CsrfForm, Session, SessionError};
///
/// #[derive(Deserialize)]
/// struct Order { cake: String }
///
/// async fn form(session: Session) -> Result<Html<String>, SessionError> {
///     let token = session.csrf_token()?;
///     Ok(Html(format!(r#"<form method="post"><input name="cake">
///                        <input type="hidden" name="csrf_token" value="{token}"></form>"#)))
/// }
///
/// async fn order(session: Session, CsrfForm(order): CsrfForm<Order>) -> Result<Redirect, SessionError> {
///     session.insert("cake", &order.cake)?;
///     Ok(Redirect::to("/"))
/// }
///
/// let app: Router = Router::new().route("/", get(form).post(order));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CsrfForm<T>(pub T);

impl<S: Send + Sync> FromRequestParts<S> for Csrf {
    type Rejection = CsrfRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, CsrfRejection> {
        if !parts.method.is_safe() {
            let attached = Attached::of(parts)?;
            check(attached, &attached.load().await?, parts, token_in_header(&parts.headers))?;
        }
        Ok(Self(()))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for CsrfForm<T> {
    type Rejection = CsrfRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, CsrfRejection> {
        let (mut parts, body) = request.into_parts();
        if parts.method.is_safe() {
            return decode(parts.uri.query().unwrap_or_default().as_bytes());
        }
        let attached = Attached::of(&parts)?.clone();
        let session = attached.load().await?;
        let form = if TokenForm::is_declared(&parts.headers) {
            let mut request = Request::new(body);
            // The limit of the body is in there.
            *request.extensions_mut() = std::mem::take(&mut parts.extensions);
            Some(Bytes::from_request(request, state).await.map_err(CsrfRejection::Body)?)
        } else {
            None
        };
        let in_form = form.as_deref().and_then(|form| TokenForm::new(form).token());
        let token = token_in_header(&parts.headers).or(in_form.as_deref());
        check(&attached, &session, &parts, token)?;
        decode(&TokenForm::new(&form.ok_or(CsrfRejection::NotAForm)?).without_token())
    }
}

fn check(
    attached: &Attached,
    session: &Session,
    parts: &Parts,
    token: Option<&str>,
) -> Result<(), CsrfRejection> {
    session.check_csrf(&RequestHead::from(parts), token, attached.trusted_origins())?;
    Ok(())
}

fn token_in_header(headers: &HeaderMap) -> Option<&str> {
    headers.get(CSRF_HEADER).map(|token| token.to_str().unwrap_or_default())
}

fn decode<T: DeserializeOwned>(form: &[u8]) -> Result<CsrfForm<T>, CsrfRejection> {
    serde_urlencoded::from_bytes(form).map(CsrfForm).map_err(|error| CsrfRejection::Undecodable(error.into()))
}

/// Why a guarded request was refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum CsrfRejection {
    /// The session could not be loaded.
    Session(SessionRejection),
    /// The request is forged, or lacks its token; 403.
    Forged(CsrfError),
    /// The body of the request is not an urlencoded form; 415.
    NotAForm,
    /// The body of the request could not be read, or is too large.
    Body(BytesRejection),
    /// The form is not one of the type asked for; 422.
    Undecodable(Box<dyn Error + Send + Sync>),
}

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

impl IntoResponse for CsrfRejection {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Session(rejection) => return rejection.into_response(),
            Self::Body(rejection) => return rejection.into_response(),
            Self::Forged(_) => StatusCode::FORBIDDEN,
            Self::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Undecodable(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        (status, format!("{self}\n")).into_response()
    }
}

impl fmt::Display for CsrfRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(rejection) => rejection.fmt(f),
            Self::Forged(error) => error.fmt(f),
            Self::NotAForm => f.write_str("the body is not of the type application/x-www-form-urlencoded"),
            Self::Body(rejection) => rejection.fmt(f),
            Self::Undecodable(error) => write!(f, "the form cannot be decoded: {error}"),
        }
    }
}

impl Error for CsrfRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Session(rejection) => rejection.source(),
            Self::Forged(_) | Self::NotAForm => None,
            Self::Body(rejection) => rejection.source(),
            Self::Undecodable(error) => error.source(),
        }
    }
}
