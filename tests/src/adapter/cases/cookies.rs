//! How the `Cookie` field is read: byte for byte, and nothing of other cookies ever matters.

use http::header::COOKIE;
use session_core::Status;

use super::prelude::*;
use crate::store::sample::{Random, pattern};

/// No other spelling of the cookie's name is read as it, so nobody can get around the `__Host-` prefix
/// (CVE-2020-7070, CVE-2022-31629, CVE-2023-23934).
pub async fn no_other_spelling_of_the_name_is_ours(site: Site) -> Result {
    // Shows: A8
    let app = site.start().await?;
    let id = app.visitor().await?.known_id()?;
    let forgeries: [&[u8]; 34] = [
        b"__host-id=ID",
        b"__HOST-ID=ID",
        b"__Host-ID=ID",
        b"%5f%5fHost-id=ID",
        b"__%48ost-id=ID",
        b"__Host%2did=ID",
        b"\"__Host-id\"=ID",
        b"'__Host-id'=ID",
        b"=__Host-id=ID",
        b"==__Host-id=ID",
        b"; =__Host-id=ID",
        b"a__Host-id=ID",
        b"__Host-id2=ID",
        b"__Host-i=ID",
        b"__Host-=ID",
        b"_Host-id=ID",
        b"..Host-id=ID",
        b"__Host.id=ID",
        b"__Host_id=ID",
        b"__Host-id[]=ID",
        b"__Host-id[0]=ID",
        b"$__Host-id=ID",
        b"id=ID",
        b"__Secure-id=ID",
        b"Host-id=ID",
        b"\xe2\x80\x80__Host-id=ID",
        b"\xe2\x80\xa8__Host-id=ID",
        b"\xc2\x85__Host-id=ID",
        b"\xe3\x80\x80__Host-id=ID",
        b"\xc2\xa0__Host-id=ID",
        b"\xa0__Host-id=ID",
        b"__Host-id\xc2\xa0=ID",
        b"__Host-id:ID",
        b"__Host-id ID",
    ];
    for forgery in forgeries {
        let shown = String::from_utf8_lossy(forgery).into_owned();
        let status = status_of(&app, &[&replaced(forgery, &id)]).await?;
        ensure!(status == Status::New.as_str(), "`{shown}` is read as the session's cookie");
    }
    Ok(())
}

/// Values keep their bytes: what is quoted, percent-encoded or padded with anything but spaces and tabs is no id.
pub async fn a_value_is_not_decoded(site: Site) -> Result {
    // Shows: A7
    let app = site.start().await?;
    let id = app.visitor().await?.known_id()?;
    for forgery in [
        &b"__Host-id=\"ID\""[..],
        b"__Host-id=%22ID%22",
        b"__Host-id=ID%20",
        b"__Host-id=ID\xc2\xa0",
        b"__Host-id=\xe3\x80\x80ID",
        b"__Host-id=s:ID",
        b"__Host-id=ID.sig",
        b"__Host-id=ID,",
        b"__Host-id=ID, a=b",
        b"__Host-id==ID",
        b"__Host-id=\\ID",
    ] {
        let shown = String::from_utf8_lossy(forgery).into_owned();
        let status = status_of(&app, &[&replaced(forgery, &id)]).await?;
        ensure!(status != Status::Active.as_str(), "`{shown}` is read as an id");
    }
    Ok(())
}

/// Spaces and tabs around name and value mean nothing, nor do empty pairs and pairs without a name.
pub async fn blanks_around_a_pair_mean_nothing(site: Site) -> Result {
    let app = site.start().await?;
    let id = app.visitor().await?.known_id()?;
    for field in [
        &b"__Host-id=ID"[..],
        b"  __Host-id=ID\t",
        b"a=1;__Host-id=ID;b=2",
        b"a=1;\t__Host-id = \tID ; b",
        b";;; __Host-id=ID;",
        b"=; =x; x=; __Host-id=ID; ==",
        b"flag; __Host-id=ID",
    ] {
        let shown = String::from_utf8_lossy(field).into_owned();
        let status = status_of(&app, &[&replaced(field, &id)]).await?;
        ensure!(status == Status::Active.as_str(), "the cookie is not found in `{shown}`");
    }
    Ok(())
}

/// Cookies may come in several fields, as HTTP/2 splits them, with ours in any of them (RFC 9113 section 8.2.3).
pub async fn cookies_may_come_in_several_fields(site: Site) -> Result {
    // Shows: A9
    let app = site.start().await?;
    let id = app.visitor().await?.known_id()?;
    let ours = replaced(b"__Host-id=ID", &id);
    for fields in [[&ours[..], b"a=1", b"b=2"], [b"a=1", &ours, b"b=2"], [b"a=1", b"\xff", &ours]] {
        let status = status_of(&app, &fields).await?;
        ensure!(status == Status::Active.as_str(), "the cookie is not found in the second or third field");
    }
    Ok(())
}

/// Quotes do not join pairs, and `$Version` means nothing: no cookie sandwich.
pub async fn quotes_and_versions_mean_nothing(site: Site) -> Result {
    // Shows: A11
    let app = site.start().await?;
    let id = app.visitor().await?.known_id()?;
    for field in [
        &b"$Version=1; a=\"x; __Host-id=ID; b=y\""[..],
        b"a=\"; __Host-id=ID; b=\"",
        b"$Version=\"1\"; __Host-id=ID; $Path=\"/\"; $Domain=\"x\"",
        b"a=\\\"; __Host-id=ID",
        b"a='; __Host-id=ID; b='",
    ] {
        let shown = String::from_utf8_lossy(field).into_owned();
        let status = status_of(&app, &[&replaced(field, &id)]).await?;
        ensure!(status == Status::Active.as_str(), "the cookie is not found in `{shown}`");
    }
    Ok(())
}

/// Whatever characters the cookies of others have, ours is found (D31).
pub async fn characters_of_other_cookies_never_matter(site: Site) -> Result {
    // Shows: A10
    ours_is_found_among(&site, |noise| String::from_utf8_lossy(&noise).into_owned().into_bytes()).await
}

/// Whatever bytes the cookies of others have, UTF-8 or not, ours is found (D31).
pub async fn bytes_of_other_cookies_never_matter(site: Site) -> Result {
    // Shows: A10
    ours_is_found_among(&site, |noise| noise).await
}

async fn ours_is_found_among(site: &Site, spelled: fn(Vec<u8>) -> Vec<u8>) -> Result {
    let app = site.start().await?;
    let id = app.visitor().await?.known_id()?;
    let ours = replaced(b"; __Host-id=ID; ", &id);
    let mut random = Random::new(7);
    for round in 0..site.rounds(500) {
        let noise = |length: u64, seed| {
            let length = usize::try_from(length).unwrap_or_default();
            // Everything that may stand in a field but what would end the pair or name our cookie.
            let allowed = |byte: &u8| *byte >= 0x20 && *byte != 0x7f && *byte != b';';
            spelled(pattern(length, seed).into_iter().filter(allowed).collect())
        };
        let field =
            [noise(random.below(200), 2 * round), ours.clone(), noise(random.below(200), 2 * round + 1)];
        let status = status_of(&app, &[&field.concat()]).await?;
        ensure!(status == Status::Active.as_str(), "bytes of other cookies hide ours (round {round})");
    }
    Ok(())
}

/// A cookie for another path, which a browser sends first, does not lock the user out.
pub async fn a_planted_cookie_does_not_lock_the_user_out(site: Site) -> Result {
    // Shows: A9
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let id = visitor.known_id()?;
    for planted in ["x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let field = format!("__Host-id={planted}; __Host-id={id}");
        let status = status_of(&app, &[field.as_bytes()]).await?;
        ensure!(status == Status::Active.as_str(), "a cookie planted by another host locks the user out");
    }
    Ok(())
}

async fn status_of(app: &App, fields: &[&[u8]]) -> Result<Value> {
    let client = app.client();
    let [info] = client.send(client.with_fields(&COOKIE, fields, [op("info")])?).await?.results()?;
    Ok(info["status"].clone())
}

/// `text` with its last `ID` replaced by an id.
fn replaced(text: &[u8], id: &str) -> Vec<u8> {
    match text.windows(2).rposition(|two| two == b"ID") {
        Some(at) => [&text[..at], id.as_bytes(), &text[at + 2..]].concat(),
        None => text.to_vec(),
    }
}
