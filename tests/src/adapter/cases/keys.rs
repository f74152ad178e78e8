//! Signatures and seals: what was not made here is refused, and keys can be replaced.

use session_core::{
    Status,
    persist::{CookieOptions, KeyRing, SecretKey},
};

use super::{ids::is_status, prelude::*};
use crate::adapter::base64url;

/// Whatever the library has not made under this key, cookie and realm is refused without asking the store.
pub async fn a_forged_value_costs_nothing(site: Site) -> Result {
    // Shows: A41
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let value = visitor.known_id()?;
    let (start, end) = value.split_at(value.len() - 1);
    let last = if end == "A" { "B" } else { "A" };
    let half = value.len() / 2;
    app.store.reset();
    for forged in [
        site.persist.id_in(&value).get(..32).unwrap_or_default().to_owned(),
        format!("{start}{last}"),
        start.to_owned(),
        format!("{value}A"),
        format!("{value}="),
        format!("{}{}", &value[half..], &value[..half]),
        format!("{}.{}", "A".repeat(32), "A".repeat(24)),
        "A".repeat(value.len()),
        value.replace('.', ""),
        value.replace('.', ".."),
        format!(".{value}"),
    ] {
        if forged != value {
            is_status(&app.client().with_id(&forged), Status::New).await?;
        }
    }
    ensure!(app.store.calls() == Calls::default(), "forged values cost {:?}", app.store.calls());
    is_status(&visitor, Status::Active).await
}

/// A value made for a cookie of another name, for another realm, for another purpose, or under a key that is not there, is
/// refused.
pub async fn a_value_made_for_another_purpose_is_refused(site: Site) -> Result {
    // Shows: A26, A41
    let value = site.start().await?.visitor().await?.known_id()?;
    let name = CookieOptions::default().with_name("__Host-other");
    is_status(&site.start_with_cookie(true, name).await?.client().with_id(&value), Status::New).await?;
    let realm = site.start_with(|builder| builder.realm("other")).await?;
    is_status(&realm.client().with_id(&value), Status::New).await?;
    let keys = with_keys(&site, &[SecretKey::generate()?]).await?;
    is_status(&keys.client().with_id(&value), Status::New).await?;
    for other in Persist::ALL.iter().filter(|other| other.is_authentic() && **other != site.persist) {
        let other = Site { persist: *other, ..site.clone() };
        is_status(&other.start().await?.client().with_id(&value), Status::New).await?;
    }
    Ok(())
}

/// What was made with an older key of the ring is accepted and made anew with the key in use; once the older key is gone it
/// is refused.
pub async fn an_older_key_is_accepted_and_replaced(site: Site) -> Result {
    // Shows: A27
    let (old, new) = (SecretKey::generate()?, SecretKey::generate()?);
    let before = with_keys(&site, std::slice::from_ref(&old)).await?;
    let value = before.visitor().await?.known_id()?;
    let between = with_keys(&site, &[new.clone(), old]).await?;
    let visitor = between.client().with_id(&value);
    let reply = visitor.ops([get("k")]).await?;
    let anew = reply.has_status(200)?.issues()?;
    ensure!(anew != value && reply.results()? == [json!(1)], "what an older key made is not made anew");
    visitor.ops([get("k")]).await?.has_status(200)?.tells_nothing()?;
    let after = with_keys(&site, &[new]).await?;
    is_status(&after.client().with_id(&anew), Status::Active).await?;
    is_status(&after.client().with_id(&value), Status::New).await
}

/// Every bit of what a client holds counts: flipped, it is worth nothing.
pub async fn every_bit_counts(site: Site) -> Result {
    // Shows: A23, A28
    let app = site.start().await?;
    let value = app.visitor().await?.known_id()?;
    let bytes = base64url::decode(&value.replace('.', ""))?;
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let mut forged = base64url::encode(&flipped);
        if let Some(dot) = value.find('.') {
            forged.insert(dot, '.');
        }
        is_status(&app.client().with_id(&forged), Status::New).await?;
    }
    is_status(&app.client().with_id(&value), Status::Active).await
}

/// The application with these keys, the one in use first.
async fn with_keys(site: &Site, keys: &[SecretKey]) -> Result<App> {
    let ring = || KeyRing::from_keys(keys.iter().cloned());
    let cookie = CookieOptions::default();
    let builder = site.persist.configure_with(site.builder(), cookie.clone(), ring)?;
    site.launch(true, &cookie, builder).await
}
