//! Several strategies at once: a cookie, and a header field for clients without one.

use http::{
    Request,
    header::{COOKIE, SET_COOKIE},
};
use session_core::Status;

use super::prelude::*;

/// Whoever presents the id in the field is told in the field, and gets no cookie; a new id goes into the cookie.
pub async fn who_presents_in_the_field_is_told_there(site: Site) -> Result {
    let app = site.start().await?;
    let id = app.visitor().await?.known_id()?;
    let reply = app.client().send(presenting(&app, None, Some(&id), [op("renew")])?).await?;
    let renewed = in_field(&reply)?.unwrap_or_default();
    ensure!(renewed.len() == 32 && renewed != id, "a new id is not told where the old one was presented");
    ensure!(!reply.headers.contains_key(SET_COOKIE), "a client that presents in the field gets a cookie");
    let reply = app.client().send(presenting(&app, None, Some(&renewed), [op("destroy")])?).await?;
    ensure!(in_field(&reply)?.as_deref() == Some(""), "an end is not told where the id was presented");
    ensure!(!reply.headers.contains_key(SET_COOKIE), "a client that presents in the field loses a cookie");
    let reply = app.client().send(presenting(&app, None, Some(&renewed), [set("k", 1)])?).await?;
    ensure!(
        reply.issues()? != renewed && in_field(&reply)?.is_none(),
        "a new id does not go into the cookie"
    );
    Ok(())
}

/// The first strategy that presents a live session wins; what is dead there does not hide what is alive elsewhere, and
/// what is ambiguous there is not decided elsewhere.
pub async fn the_first_that_is_alive_wins(site: Site) -> Result {
    let app = site.start().await?;
    let (one, other) = (app.visitor().await?, app.visitor().await?);
    one.run([set("k", "one")]).await?;
    other.run([set("k", "other")]).await?;
    let (one, other) = (one.known_id()?, other.known_id()?);
    let dead = app.dead_id().await?;
    for (cookie, field, value) in [
        (format!("__Host-id={one}"), &other, json!("one")),
        (format!("__Host-id={other}"), &one, json!("other")),
        (format!("__Host-id={dead}"), &other, json!("other")),
        ("__Host-id=x".to_owned(), &other, json!("other")),
        (format!("__Host-id={one}"), &dead, json!("one")),
        (format!("__Host-id={one}; __Host-id={other}"), &one, Value::Null),
    ] {
        let request = presenting(&app, Some(&cookie), Some(field), [get("k"), op("info")])?;
        let [k, info] = app.client().send(request).await?.results()?;
        ensure!(k == value, "of a cookie and a field the wrong one counts");
        let status = if value == Value::Null { Status::Unknown } else { Status::Active };
        ensure!(info["status"] == status.as_str(), "a session found by a chain is {}", info["status"]);
    }
    let request = presenting(&app, Some(&format!("__Host-id={dead}")), Some(&other), [op("renew")])?;
    let reply = app.client().send(request).await?;
    ensure!(
        in_field(&reply)?.is_some_and(|id| id != other),
        "a new id is not told where the session was found"
    );
    ensure!(!reply.headers.contains_key(SET_COOKIE), "a cookie is set beside the field");
    Ok(())
}

fn presenting(
    app: &App,
    cookie: Option<&str>,
    field: Option<&str>,
    ops: impl IntoIterator<Item = Value>,
) -> Result<Request<bytes::Bytes>> {
    let mut request = app.client().ops_request(ops)?;
    if let Some(cookie) = cookie {
        request.headers_mut().insert(COOKIE, cookie.parse()?);
    }
    if let Some(field) = field {
        request.headers_mut().insert("x-session-id", field.parse()?);
    }
    Ok(request)
}

fn in_field(reply: &Reply) -> Result<Option<String>> {
    let field = reply.headers.get("x-session-id").map(|id| id.to_str().map(str::to_owned));
    Ok(field.transpose()?)
}
