//! A random generator that fails: nothing weaker is ever used instead.

use session_core::Status;

use super::{ids::is_status, prelude::*};

/// Without randomness no session starts: an error of the server, no cookie, no record (CVE-2021-3538).
pub async fn without_randomness_no_session_starts(site: Site) -> Result {
    // Shows: A30
    let app = site.start().await?;
    let visitor = app.client();
    site.dice.set_broken(true);
    visitor.ops([set("k", 1)]).await?.has_status(500)?.tells_nothing()?;
    ensure!(app.store.records() == 0, "a session is stored under an id that was not drawn");
    site.dice.set_broken(false);
    visitor.ops([set("k", 1)]).await?.has_status(200)?.issues()?;
    Ok(())
}

/// Without randomness nobody signs in or renews and no token is made: each is an error of its own, the session stays as
/// it is, and everything else works.
pub async fn without_randomness_nobody_signs_in(site: Site) -> Result {
    // Shows: A30
    let app = site.start().await?;
    let member = app.member("ann").await?;
    site.dice.set_broken(true);
    let reply = member
        .ops([authenticate("bob"), op("renew"), op("deauthenticate"), op("csrf"), set("k", 2), op("info")])
        .await?;
    let [login, renewal, logout, token, done, info] = reply.tells_nothing()?.results()?;
    for (name, answer) in [("login", login), ("renewal", renewal), ("logout", logout), ("token", token)] {
        ensure!(answer == error("random"), "without randomness a {name} answers {answer}");
    }
    ensure!(done == Value::Null && info["principal"] == "ann", "without randomness the session is {info}");
    ensure!(member.value("k").await? == 2, "without randomness nothing is stored");
    member.ops([op("destroy")]).await?.has_status(200)?.withdraws()?;
    Ok(())
}

/// A routine rotation that cannot draw an id is put off, and fails no request.
pub async fn a_rotation_without_randomness_is_put_off(site: Site) -> Result {
    // Shows: A30
    let app = site.start_with(|builder| builder.renew_every(std::time::Duration::from_secs(60))).await?;
    let member = app.member("ann").await?;
    app.advance(60);
    site.dice.set_broken(true);
    is_status(&member, Status::Active).await?;
    site.dice.set_broken(false);
    member.ops([get("k")]).await?.has_status(200)?.issues()?;
    Ok(())
}
