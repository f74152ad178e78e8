//! Where the tea goes.

use axum::{Router, response::Redirect, routing::get};
use session_adapter_axum::{CsrfForm, Session, SessionError};

use super::page::{Page, TROUBLE};
use crate::{
    shop::{DELIVERY, Delivery},
    view,
};

/// A token as it would look in somebody else's session.
const FOREIGN_TOKEN: &str = "c29tZWJvZHkgZWxzZSdzIHRva2VuOiBpdCBpcyBub3QgeW91cnMgdG8gYmUgdXNl";

/// `/delivery`.
pub(super) fn routes() -> Router {
    Router::new().route("/delivery", get(form).post(save))
}

async fn form(session: Session) -> Result<Page, SessionError> {
    let delivery = session.get(DELIVERY)?.unwrap_or_default();
    let content = view::delivery::delivery(&delivery, &session.csrf_token()?, FOREIGN_TOKEN);
    Ok(Page::new(&session, "Delivery", content)?)
}

async fn save(session: Session, CsrfForm(delivery): CsrfForm<Delivery>) -> Result<Redirect, SessionError> {
    if delivery.address.trim().is_empty() {
        session.flash_to(TROUBLE, "Please tell us an address.")?;
    } else {
        session.insert(DELIVERY, delivery)?;
        session.flash("We know where you live now.")?;
    }
    Ok(Redirect::to("/delivery"))
}
