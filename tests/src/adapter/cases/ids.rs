//! What counts as an id, and what becomes of one that names nothing.

use session_core::Status;

use super::prelude::*;
use crate::adapter::base64url;

/// An unknown id is never adopted: the next write draws another one, and nothing is ever kept under the one presented
/// (fixation, CVE-2024-38513, D11, D30).
pub async fn an_unknown_id_is_never_adopted(site: Site) -> Result {
    // Shows: A1
    let app = site.start().await?;
    let unknown = app.dead_id().await?;
    let planted = app.client().with_id(&unknown);
    let [info, _, _] = planted.run([op("info"), set("k", 1), authenticate("ann")]).await?;
    ensure!(info["status"] == Status::Unknown.as_str(), "an unknown id has the status {}", info["status"]);
    ensure!(planted.known_id()? != unknown, "an unknown id is adopted");
    is_status(&app.client().with_id(&unknown), Status::Unknown).await?;
    ensure!(app.store.records() == 1, "{} records are kept for one session", app.store.records());
    ensure!(app.log.count(EventKind::UnknownId) > 0, "an unknown id is not reported");
    Ok(())
}

/// An unknown id is not withdrawn: the answer could cross with that of a login in another request (D21).
pub async fn an_unknown_id_is_not_withdrawn(site: Site) -> Result {
    let app = site.start().await?;
    let unknown = app.dead_id().await?;
    app.store.reset();
    for ops in [
        vec![get("k")],
        vec![op("destroy")],
        vec![op("renew")],
        vec![op("deauthenticate")],
        vec![remove("k")],
    ] {
        app.client().with_id(&unknown).ops(ops).await?.has_status(200)?.tells_nothing()?;
    }
    ensure!(app.store.calls().writes == 0, "a request with an unknown id that changes nothing is written");
    Ok(())
}

/// A value that is no id is as good as none: no store call, no error, and the session that it may start has another id
/// (D31, CVE-2013-7489's path traversal class).
pub async fn a_malformed_id_is_no_id(site: Site) -> Result {
    // Shows: A3, A39
    let app = site.start().await?;
    let client = app.client();
    let long = "A".repeat(8_000);
    let malformed: [&[u8]; 22] = [
        b"",
        b" ",
        b"x",
        &[b'A'; 31],
        &[b'A'; 33],
        long.as_bytes(),
        b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+",
        b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/",
        b"AAAAAAAAAAAAAAA AAAAAAAAAAAAAAAA",
        b"%41AAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        b"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
        b"'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'",
        b"AAAAAAAAAAAAAAAA,AAAAAAAAAAAAAAA",
        b"../../../../../../../etc/passwd.",
        b"..%2f..%2f..%2f..%2f..%2f..%2f..",
        b"..\\..\\..\\..\\..\\..\\..\\..\\..\\..\\..",
        b"' OR '1'='1' -- AAAAAAAAAAAAAAAA",
        &[0xff; 32],
        &[0x80; 32],
        "ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ".as_bytes(),
        b"{\"$gt\": \"\"}AAAAAAAAAAAAAAAAAAAAA",
    ];
    for id in malformed {
        let shown = String::from_utf8_lossy(&id[..id.len().min(40)]).into_owned();
        app.store.reset();
        let [info] = client.send(client.presenting(&[id], [op("info")])?).await?.results()?;
        ensure!(info["status"] == Status::New.as_str(), "`{shown}` has the status {}", info["status"]);
        ensure!(app.store.calls() == Calls::default(), "`{shown}` costs {:?}", app.store.calls());
        let reply = client.send(client.presenting(&[id], [set("k", 1)])?).await?;
        ensure!(reply.has_status(200)?.issues()?.as_bytes() != id, "`{shown}` is adopted");
    }
    Ok(())
}

/// Ids that look like a default, such as one character repeated, name nothing: not for a new visitor, not beside live
/// sessions, and what is stored under one of them is found under none (CVE-2015-3982).
pub async fn a_null_id_names_nothing(site: Site) -> Result {
    // Shows: A3
    let app = site.start().await?;
    let nulls = ["0", "A", "_", "-", "f", "1"].map(|character| character.repeat(32));
    for _ in 0..2 {
        for null in &nulls {
            let client = app.client().with_id(null);
            is_status(&client, site.status_of_a_stranger()).await?;
            let id = client.ops([set("k", 1), authenticate("ann")]).await?.issues()?;
            ensure!(!nulls.contains(&id), "an id of one character is handed out");
        }
    }
    ensure!(
        !site.persist.has_store() || app.store.records() == 2 * nulls.len(),
        "{} sessions that began with null ids are {} records",
        2 * nulls.len(),
        app.store.records()
    );
    Ok(())
}

/// A live id has one spelling: whatever else decodes, folds or trims to it is not it.
pub async fn no_other_spelling_of_an_id_is_taken(site: Site) -> Result {
    // Shows: A7
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let id = visitor.known_id()?;
    let percent = format!("%{:02X}{}", id.as_bytes()[0], &id[1..]);
    let mut spellings = vec![
        percent,
        format!("\"{id}\""),
        format!("'{id}'"),
        format!("{id}="),
        format!("{id}=="),
        format!("={id}"),
        format!("{id}\u{a0}"),
        format!("\u{3000}{id}"),
        format!("{id}."),
        format!("{id}A"),
        id[..31].to_owned(),
        id.to_lowercase(),
        id.to_uppercase(),
        id.replace('-', "+").replace('_', "/"),
        id.chars().rev().collect(),
    ];
    spellings.retain(|spelling| *spelling != id);
    for spelling in spellings {
        let request = visitor.presenting(&[spelling.as_bytes()], [op("info")])?;
        let [info] = visitor.send(request).await?.results()?;
        ensure!(info["status"] != Status::Active.as_str(), "another spelling of an id is taken for it");
    }
    Ok(())
}

/// Ids that differ in one character are different ids.
pub async fn every_character_of_an_id_counts(site: Site) -> Result {
    // Shows: A7
    let app = site.start().await?;
    let id = app.visitor().await?.known_id()?;
    for position in 0..id.len() {
        let mut other = id.clone().into_bytes();
        other[position] = if other[position] == b'A' { b'B' } else { b'A' };
        is_status(&app.client().with_id(&String::from_utf8(other)?), site.status_of_a_stranger()).await?;
    }
    Ok(())
}

/// Who reads the store learns nothing to present: neither a stored key nor a handle is an id in any spelling
/// (rack#1431).
pub async fn a_stored_key_is_no_id(site: Site) -> Result {
    // Shows: A6
    let app = site.start().await?;
    let member = app.member("ann").await?;
    let handle = member.one(op("info")).await?["handle"].as_str().unwrap_or_default().to_owned();
    ensure!(handle.len() == 64, "the handle of a session is not 64 digits");
    let mut spellings = vec![handle.clone(), handle[..32].to_owned(), handle[32..].to_owned()];
    for key in app.store.asked() {
        let base64 = base64url::encode(key.as_bytes());
        spellings.extend([
            base64[..32].to_owned(),
            base64[base64.len() - 32..].to_owned(),
            base64,
            key.to_hex(),
        ]);
    }
    for spelling in spellings {
        let request = member.presenting(&[spelling.as_bytes()], [op("info")])?;
        let [info] = member.send(request).await?.results()?;
        let known = info["status"] != Status::Unknown.as_str() && info["status"] != Status::New.as_str();
        ensure!(!known, "what the store knows is taken for an id");
    }
    Ok(())
}

/// Two live ids are as good as none, in either order: which of them is the user's own cannot be told (cookie
/// tossing). Neither session is harmed, and the ambiguity is reported.
pub async fn two_live_ids_are_as_good_as_none(site: Site) -> Result {
    // Shows: A9
    let app = site.start().await?;
    let (one, other) = (app.visitor().await?, app.visitor().await?);
    let (first, second) = (one.known_id()?, other.known_id()?);
    for ids in [[first.as_bytes(), second.as_bytes()], [second.as_bytes(), first.as_bytes()]] {
        let reply = one.send(one.stranger().presenting(&ids, [op("info"), get("k"), op("keys")])?).await?;
        let [info, value, keys] = reply.tells_nothing()?.results()?;
        ensure!(
            info["status"] == Status::Unknown.as_str(),
            "two live ids have the status {}",
            info["status"]
        );
        ensure!(value == Value::Null && keys == json!([]), "of two live ids one is used");
    }
    ensure!(app.log.count(EventKind::AmbiguousId) == 2, "the ambiguity of two live ids is not reported");
    for client in [one, other] {
        ensure!(
            client.value("k").await? == 1,
            "a session was harmed by a request that presented another as well"
        );
    }
    Ok(())
}

/// The same id twice is one id.
pub async fn the_same_id_twice_is_one_id(site: Site) -> Result {
    // Shows: A9
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let id = visitor.known_id()?;
    app.store.reset();
    let request =
        visitor.presenting(&[id.as_bytes(), id.as_bytes(), id.as_bytes()], [op("info"), get("k")])?;
    let [info, value] = visitor.send(request).await?.tells_nothing()?.results()?;
    ensure!(info["status"] == Status::Active.as_str() && value == 1, "an id that comes twice is not used");
    ensure!(
        app.store.calls().loads == app.calls(ONE).loads,
        "an id that comes three times is loaded {:?}",
        app.store.calls()
    );
    Ok(())
}

/// Of several ids the one that is alive is used, wherever it stands (cookie tossing, RFC 6265bis section 5.7.3).
pub async fn a_live_id_among_dead_ones_is_used(site: Site) -> Result {
    // Shows: A9
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let id = visitor.known_id()?;
    let others = app.dead_ids(2).await?;
    let (live, dead, more) = (id.as_bytes(), others[0].as_bytes(), others[1].as_bytes());
    for ids in [vec![dead, live], vec![live, dead], vec![dead, live, more], vec![b"x", live], vec![live, b""]]
    {
        let number = ids.len();
        let [info, value] =
            visitor.send(visitor.presenting(&ids, [op("info"), get("k")])?).await?.results()?;
        let used = info["status"] == Status::Active.as_str() && value == 1;
        ensure!(used, "a live id among {number} is not used");
    }
    Ok(())
}

/// More than four different ids are none, and cost no more than four would.
pub async fn too_many_ids_are_none(site: Site) -> Result {
    // Shows: A9, A12
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let id = visitor.known_id()?;
    let others = app.dead_ids(64).await?;
    let mut ids: Vec<&[u8]> = others.iter().map(String::as_bytes).collect();
    ids.insert(3, id.as_bytes());
    let active = |info: &Value| info["status"] == Status::Active.as_str();
    let [info] = visitor.send(visitor.presenting(&ids[..4], [op("info")])?).await?.results()?;
    ensure!(active(&info), "a live id among four is not used");
    app.store.reset();
    let [info] = visitor.send(visitor.presenting(&ids, [op("info")])?).await?.results()?;
    ensure!(!active(&info), "a live id among many is used");
    ensure!(app.store.calls().loads <= 4, "{} ids cost {:?}", ids.len(), app.store.calls());
    Ok(())
}

/// An id counts only where ids travel: not in the field of another strategy, nor in the target of the request.
pub async fn an_id_counts_only_where_ids_travel(site: Site) -> Result {
    // Shows: A16
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let id = visitor.known_id()?;
    let (fields, targets) = site.persist.elsewhere(&id);
    for (field, value) in fields {
        let [info] =
            visitor.send(visitor.with_fields(&field, &[value.as_bytes()], [op("info")])?).await?.results()?;
        ensure!(info["status"] == Status::New.as_str(), "an id is read from the field {field}");
    }
    for target in targets {
        let mut request = visitor.stranger().ops_request([op("info")])?;
        *request.uri_mut() = target.parse()?;
        let [info] = visitor.send(request).await?.results()?;
        ensure!(info["status"] == Status::New.as_str(), "an id is read from the target of the request");
    }
    Ok(())
}

/// The id of one realm names nothing in another, though both keep their sessions in one store (CVE-2022-46170).
pub async fn an_id_of_another_realm_is_unknown(site: Site) -> Result {
    // Shows: A33
    let shop = site.start_with(|builder| builder.realm("shop")).await?;
    let admin = site.start_with(|builder| builder.realm("admin")).await?;
    let member = shop.member("ann").await?;
    let id = member.known_id()?;
    is_status(&admin.client().with_id(&id), site.status_of_a_stranger()).await?;
    is_status(&member, Status::Active).await?;
    Ok(())
}

/// Two applications with one realm and one store share their sessions (a session above several applications: BE-20,
/// PE-11).
pub async fn one_realm_shares_its_sessions(site: Site) -> Result {
    let (one, other) = (site.start().await?, site.start().await?);
    let visitor = one.visitor().await?;
    let elsewhere = other.client().with_id(&visitor.known_id()?);
    elsewhere.run([set("from", "elsewhere")]).await?;
    ensure!(
        visitor.value("from").await? == "elsewhere",
        "two applications of one realm do not share a session"
    );
    Ok(())
}

/// The client's session must have this status.
pub(super) async fn is_status(client: &Client, status: Status) -> Result {
    let info = client.one(op("info")).await?;
    let found = &info["status"];
    ensure!(*found == status.as_str(), "the session is {found} where it must be {}", status.as_str());
    Ok(())
}

/// One load.
const ONE: Calls = Calls { loads: 1, writes: 0, removes: 0, lists: 0, sweeps: 0 };
