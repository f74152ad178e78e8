//! Sessions that travel with their clients: what that is good for, and what it costs.

use session_core::{Limit, SessionError, Status};

use super::{handler::open, ids::is_status, prelude::*};
use crate::adapter::base64url;

/// A copy of the cookie stays valid after a logout and after a login, until its own times end it: nobody can call it back.
pub async fn a_copy_stays_valid_until_its_times_end_it(site: Site) -> Result {
    // Shows: A25
    let app = site.start().await?;
    let member = app.member("ann").await?;
    let copy = member.copy();
    member.ops([op("destroy")]).await?.has_status(200)?.withdraws()?;
    is_status(&member, Status::New).await?;
    ensure!(
        copy.one(op("info")).await?["principal"] == "ann",
        "a copy is called back, which is promised nowhere"
    );
    app.advance(1_800);
    is_status(&copy, Status::Expired).await
}

/// Of two parallel responses the one that the client gets last wins, whole.
pub async fn the_last_response_wins(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let (one, other) = (visitor.copy(), visitor.copy());
    one.run([set("one", 1)]).await?;
    let last = other.ops([set("other", 2)]).await?;
    visitor.learn(&last.headers)?;
    let keys = visitor.one(op("keys")).await?;
    ensure!(keys == json!(["k", "other"]), "of two parallel responses {keys} are left");
    Ok(())
}

/// What does not fit into a cookie is refused where it is put in, with both sizes named; what fits is sent in a cookie of
/// 4096 bytes at most, and the session stays as it was.
pub async fn what_does_not_fit_is_refused_with_its_sizes(site: Site) -> Result {
    // Shows: A13
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let session = open(&app, &visitor).await?.load().await?;
    match session.insert("large", "v".repeat(4_000)) {
        Err(error @ SessionError::LimitExceeded { limit: Limit::RecordBytes, actual, allowed }) => {
            ensure!(
                actual > 4_000 && (2_900..3_072).contains(&allowed),
                "{actual} of {allowed} bytes do not fit"
            );
            let text = error.to_string();
            let named = text.contains(&actual.to_string()) && text.contains(&allowed.to_string());
            ensure!(named, "the error does not name the sizes: {text}");
        }
        other => fail!("4000 bytes in a cookie are {other:?}"),
    }
    let reply = visitor.ops([set("large", "v".repeat(4_000))]).await?;
    let [refused] = reply.tells_nothing()?.results()?;
    ensure!(refused == error("limit-exceeded"), "4000 bytes in a cookie are answered with {refused}");
    let reply = visitor.ops([set("fits", "v".repeat(2_800))]).await?;
    ensure!(reply.issues()?.len() <= 4_096, "a cookie is larger than browsers take");
    let keys = visitor.one(op("keys")).await?;
    ensure!(keys == json!(["fits", "k"]), "after what does not fit the keys are {keys}");
    Ok(())
}

/// A signed session can be read by its client, an encrypted one cannot; neither shows the key.
pub async fn only_an_encrypted_session_is_unreadable(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    visitor.run([set("name", "tea-with-milk"), authenticate("ann@example.org")]).await?;
    let bytes = base64url::decode(&visitor.known_id()?)?;
    for text in ["tea-with-milk", "ann@example.org"] {
        let readable = bytes.windows(text.len()).any(|window| window == text.as_bytes());
        ensure!(readable == (site.persist == Persist::SealedSigned), "`{text}` can be read: {readable}");
    }
    Ok(())
}
