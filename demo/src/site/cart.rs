//! The cart: what many requests change at once.

use axum::{
    Json, Router,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::{HeaderMap, header::ACCEPT};
use serde::Deserialize;
use serde_json::json;
use session_adapter_axum::{CsrfForm, Session, SessionError};

use super::{
    page::{Page, TROUBLE, existing_token},
    problem::no_such_tea,
};
use crate::{
    shop::{CART, DELIVERY, Tea},
    view,
};

/// `/cart` and what changes it.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/cart", get(show))
        .route("/cart/add", post(add))
        .route("/cart/change", post(change))
        .route("/cart/empty", post(empty))
        .route("/cart/order", post(order))
}

#[derive(Debug, Deserialize)]
struct Tins {
    tea: String,
    #[serde(default = "one")]
    tins: u32,
}

fn one() -> u32 {
    1
}

async fn show(session: Session) -> Result<Page, SessionError> {
    let cart = session.get(CART)?.unwrap_or_default();
    let content = view::cart::cart(&cart, existing_token(&session)?.as_deref());
    Ok(Page::new(&session, "Cart", content)?)
}

/// Scripts get the new count, forms a redirect.
async fn add(
    session: Session,
    headers: HeaderMap,
    CsrfForm(asked): CsrfForm<Tins>,
) -> Result<Response, SessionError> {
    let Some(tea) = Tea::find(&asked.tea) else { return no_such_tea() };
    session.update(CART, move |cart| cart.add(tea, asked.tins))?;
    if headers.get(ACCEPT).is_some_and(|accept| accept == "application/json") {
        // Stored now instead of at the end of the request, to answer with what is in the store: this request may have
        // been made again on top of another one.
        session.save().await?;
        let count = session.get(CART)?.unwrap_or_default().count();
        return Ok(Json(json!({ "tea": tea.name, "count": count })).into_response());
    }
    session.flash(format!("{} is in your cart.", tea.name))?;
    Ok(Redirect::to("/cart").into_response())
}

async fn change(session: Session, CsrfForm(asked): CsrfForm<Tins>) -> Result<Response, SessionError> {
    let Some(tea) = Tea::find(&asked.tea) else { return no_such_tea() };
    session.update(CART, move |cart| cart.set(tea, asked.tins))?;
    session.flash(match asked.tins {
        0 => format!("{} is back on the shelf.", tea.name),
        _ => format!("{}: changed.", tea.name),
    })?;
    Ok(Redirect::to("/cart").into_response())
}

async fn empty(session: Session, _: CsrfForm<()>) -> Result<Redirect, SessionError> {
    session.remove(CART)?;
    session.flash("Your cart is empty.")?;
    Ok(Redirect::to("/cart"))
}

async fn order(session: Session, _: CsrfForm<()>) -> Result<Redirect, SessionError> {
    if session.get(DELIVERY)?.is_none() {
        session.flash_to(TROUBLE, "Where should it go? Tell us, then order again.")?;
        return Ok(Redirect::to("/delivery"));
    }
    session.remove(CART)?;
    session.flash("Thank you! This is a demo: nothing was sent, and nothing has to be paid.")?;
    Ok(Redirect::to("/"))
}
