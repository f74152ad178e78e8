//! Guards against requests that another site makes in the user's name.

use std::{error::Error, fmt};

use rocket::{
    Data, Ignite, Request, Rocket, Sentinel,
    data::{self, FromData},
    form::{self, DataField, Form, FromForm, Options, ValueField},
    http::{Method, Status, ext::IntoOwned},
    outcome::Outcome,
    request::{self, FromRequest},
};
use session_core::{CSRF_FIELD, CSRF_HEADER, CsrfError, Origin};

use crate::{
    extract::{self, Session, SessionRejection},
    middleware::Attached,
    translate::Head,
};

/// A guard for requests of scripts: those that may change something need a token of the session in the field
/// `x-csrf-token`, and must not come from another site.
///
/// A request with a safe method (GET, HEAD, OPTIONS, TRACE) passes, and its session is not touched. All others get a
/// 403.
///
/// ```
/// # use rocket::delete;
/// use session_adapter_rocket::{Csrf, Session};
///
/// #[delete("/account")]
/// fn delete_account(_csrf: Csrf, session: Session) { /* … */ }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Csrf(());

/// A form whose request is not forged: like [`Form`], with a token of the session in the field `csrf_token` or in the
/// header field `x-csrf-token`. `T` does not see the token.
///
/// A request with a safe method passes without a token, as with [`Csrf`].
///
/// ```
/// # use rocket::{FromForm, get, post, response::{Redirect, content::RawHtml}, uri};
/// use session_adapter_rocket::{CsrfForm, Session, SessionError};
///
/// #[derive(FromForm)]
/// struct Order { cake: String }
///
/// #[get("/order")]
/// fn form(session: Session) -> Result<RawHtml<String>, SessionError> {
///     let token = session.csrf_token()?;
///     Ok(RawHtml(format!(r#"<form method="post"><input name="cake">
///                           <input type="hidden" name="csrf_token" value="{token}"></form>"#)))
/// }
///
/// #[post("/order", data = "<order>")]
/// fn order(session: Session, order: CsrfForm<Order>) -> Result<Redirect, SessionError> {
///     session.insert("cake", &order.0.cake)?;
///     Ok(Redirect::to(uri!(form)))
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CsrfForm<T>(pub T);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Csrf {
    type Error = CsrfRejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, CsrfRejection> {
        match check(request, None).await {
            Ok(()) => Outcome::Success(Self(())),
            Err(rejection) => Outcome::Error((rejection.report(request), rejection)),
        }
    }
}

#[rocket::async_trait]
impl<'r, T: FromForm<'r>> FromData<'r> for CsrfForm<T> {
    type Error = CsrfRejection;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        let (token, form) = match Form::<Guarded<'r, T>>::from_data(request, data).await {
            Outcome::Success(form) => {
                let Guarded { token, form } = form.into_inner();
                (token, Ok(form))
            }
            Outcome::Error((_, errors)) => (None, Ok(Err(errors))),
            Outcome::Forward(forward) => (None, Err(forward)),
        };
        if let Err(rejection) = check(request, token).await {
            return Outcome::Error((rejection.report(request), rejection));
        }
        match form {
            Ok(Ok(form)) => Outcome::Success(Self(form)),
            Ok(Err(errors)) => {
                Outcome::Error((errors.status(), CsrfRejection::Undecodable(errors.into_owned())))
            }
            Err(forward) => Outcome::Forward(forward),
        }
    }
}

async fn check(request: &Request<'_>, in_form: Option<&str>) -> Result<(), CsrfRejection> {
    if matches!(request.method(), Method::Get | Method::Head | Method::Options | Method::Trace) {
        return Ok(());
    }
    let session = Session::of(request).await?;
    let trusted: &[Origin] =
        request.rocket().state::<Attached>().map_or(&[], |attached| &attached.trusted_origins);
    let token = request.headers().get_one(CSRF_HEADER.as_str()).or(in_form);
    session.check_csrf(&Head::of(request).as_ref(), token, trusted)?;
    Ok(())
}

/// A form and the token that came with it. Whether the form is in order is looked at after the token.
struct Guarded<'r, T> {
    token: Option<&'r str>,
    form: form::Result<'r, T>,
}

struct Context<'r, T: FromForm<'r>> {
    token: Option<&'r str>,
    form: T::Context,
}

#[rocket::async_trait]
impl<'r, T: FromForm<'r>> FromForm<'r> for Guarded<'r, T> {
    type Context = Context<'r, T>;

    fn init(options: Options) -> Self::Context {
        Context { token: None, form: T::init(options) }
    }

    fn push_value(context: &mut Self::Context, field: ValueField<'r>) {
        if field.name.source() == CSRF_FIELD {
            context.token.get_or_insert(field.value);
        } else {
            T::push_value(&mut context.form, field);
        }
    }

    async fn push_data(context: &mut Self::Context, field: DataField<'r, '_>) {
        T::push_data(&mut context.form, field).await;
    }

    fn push_error(context: &mut Self::Context, error: form::Error<'r>) {
        T::push_error(&mut context.form, error);
    }

    fn finalize(context: Self::Context) -> form::Result<'r, Self> {
        Ok(Self { token: context.token, form: T::finalize(context.form) })
    }
}

impl Sentinel for Csrf {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        extract::is_missing(rocket)
    }
}

impl<T> Sentinel for CsrfForm<T> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        extract::is_missing(rocket)
    }
}

/// Why a guarded request was refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum CsrfRejection {
    /// The session could not be loaded.
    Session(SessionRejection),
    /// The request is forged, or lacks its token; 403.
    Forged(CsrfError),
    /// The form is not one of the type asked for; mostly 422.
    Undecodable(form::Errors<'static>),
}

impl CsrfRejection {
    fn report(&self, request: &Request<'_>) -> Status {
        match self {
            Self::Session(rejection) => rejection.report(request),
            Self::Forged(_) => Status::Forbidden,
            Self::Undecodable(errors) => errors.status(),
        }
    }
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

impl fmt::Display for CsrfRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(rejection) => rejection.fmt(f),
            Self::Forged(error) => error.fmt(f),
            Self::Undecodable(errors) => write!(f, "the form cannot be decoded: {errors}"),
        }
    }
}

impl Error for CsrfRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Session(rejection) => rejection.source(),
            Self::Forged(_) | Self::Undecodable(_) => None,
        }
    }
}
