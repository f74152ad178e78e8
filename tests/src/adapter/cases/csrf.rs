//! Tokens against requests that another site makes in the user's name.

use std::collections::HashSet;

use super::prelude::*;

/// Tokens of one session all differ and are all right, in this request and in later ones (BREACH).
pub async fn tokens_differ_and_are_all_right(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    let mut tokens = HashSet::new();
    for _ in 0..20 {
        let [one, other] = visitor.run([op("csrf"), op("csrf")]).await?;
        tokens.extend([text(&one)?, text(&other)?]);
    }
    ensure!(tokens.len() == 40, "of 40 tokens {} differ", tokens.len());
    for token in &tokens {
        ensure!(visitor.one(check_csrf(token)).await? == true, "a token of the session is refused");
    }
    let mut starts: Vec<&str> = tokens.iter().map(|token| &token[token.len() / 2..]).collect();
    starts.sort_unstable();
    starts.dedup();
    ensure!(starts.len() == 40, "tokens of one session have a part in common");
    Ok(())
}

/// A visitor without a session who gets a token gets a session for it, announced once.
pub async fn a_token_starts_a_session(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    let reply = visitor.ops([op("csrf")]).await?;
    reply.has_status(200)?.issues()?;
    let [token] = reply.results()?;
    visitor.ops([op("csrf")]).await?.has_status(200)?.tells_nothing()?;
    ensure!(
        visitor.one(check_csrf(&text(&token)?)).await? == true,
        "the first token of a session is refused"
    );
    Ok(())
}

/// A wrong token is refused: of another session, of none, changed in any character, cut, padded, empty, or no token at
/// all; also where there is no session.
pub async fn a_wrong_token_is_refused(site: Site) -> Result {
    // Shows: A35
    let app = site.start().await?;
    let (visitor, other) = (app.visitor().await?, app.visitor().await?);
    let right = text(&visitor.one(op("csrf")).await?)?;
    let mut wrong = vec![
        text(&other.one(op("csrf")).await?)?,
        String::new(),
        " ".into(),
        "A".repeat(right.len()),
        right[1..].to_owned(),
        right[..right.len() - 1].to_owned(),
        format!("{right}="),
        format!("{right}A"),
        format!(" {right}"),
        "ä".repeat(right.len() / 2),
        "x".repeat(100_000),
        visitor.known_id()?,
    ];
    for position in 0..right.len() {
        let mut changed = right.clone().into_bytes();
        changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
        wrong.push(String::from_utf8(changed)?);
    }
    for (number, token) in wrong.iter().enumerate() {
        ensure!(visitor.one(check_csrf(token)).await? == false, "wrong token {number} is taken for right");
    }
    ensure!(
        app.client().one(check_csrf(&right)).await? == false,
        "a token is right where there is no session"
    );
    ensure!(visitor.one(check_csrf(&right)).await? == true, "a right token is refused after wrong ones");
    Ok(())
}

/// A token is worth nothing after a login, a renewal, signing out or the end of the session (CVE-2022-24895,
/// CVE-2023-29020).
pub async fn a_token_dies_with_the_id(site: Site) -> Result {
    // Shows: A49
    let app = site.start().await?;
    for ops in [
        vec![authenticate("ann")],
        vec![op("renew")],
        vec![op("deauthenticate")],
        vec![op("destroy"), set("k", 1)],
        vec![op("destroy"), op("csrf")],
    ] {
        let browser = app.member("cay").await?;
        let event = format!("{ops:?}");
        let old = text(&browser.one(op("csrf")).await?)?;
        let mut all = ops;
        all.push(check_csrf(&old));
        let reply = browser.ops(all).await?.has_status(200)?.body.clone();
        let answers: Vec<Value> = serde_json::from_slice(&reply)?;
        ensure!(answers.last() == Some(&json!(false)), "a token is right in the same request after {event}");
        let [right, new] = browser.run([check_csrf(&old), op("csrf")]).await?;
        ensure!(right == false, "a token is right after {event}");
        ensure!(browser.one(check_csrf(&text(&new)?)).await? == true, "a new token is refused after {event}");
    }
    Ok(())
}

/// A token issued in the request that signs in is right afterwards.
pub async fn a_token_issued_with_the_login_is_right(site: Site) -> Result {
    let app = site.start().await?;
    for browser in [app.client(), app.visitor().await?] {
        let [_, token, now] = {
            let [done, token] = browser.run([authenticate("ann"), op("csrf")]).await?;
            [done, token.clone(), browser.one(check_csrf(&text(&token)?)).await?]
        };
        ensure!(token.is_string() && now == true, "a token issued with the login is refused");
    }
    Ok(())
}

/// Parallel requests of one session get tokens that are all right afterwards.
pub async fn tokens_of_parallel_requests_are_all_right(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let flights =
        (0..16).map(|number| visitor.launch([op("csrf"), set("k", number)])).collect::<Result<Vec<_>>>()?;
    for reply in land_all(flights).await? {
        let [token, _] = reply.results()?;
        ensure!(
            visitor.one(check_csrf(&text(&token)?)).await? == true,
            "a token of a parallel request is refused"
        );
    }
    Ok(())
}

fn text(value: &Value) -> Result<String> {
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => fail!("a token is {value}"),
    }
}
