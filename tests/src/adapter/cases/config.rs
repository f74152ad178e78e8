//! Wrong configurations are refused when the manager is built, with the field and the rule.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header::SET_COOKIE};
use session_core::{
    ConfigError, Expiry, ManagerBuilder, SessionConfig, SessionLimitPolicy, SessionManager,
    persist::{Announcement, Cookie, CookieLifetime, CookieOptions, Header, Persistence, Query, SameSite},
};

use super::prelude::*;
use crate::store::sample::Random;

/// A setting that cannot work is an error that names it.
pub async fn a_setting_that_cannot_work_is_refused(site: Site) -> Result {
    let second = Duration::from_secs(1);
    let zero = Duration::ZERO;
    let with = |change: fn(&mut SessionConfig)| {
        let mut config = SessionConfig::default();
        change(&mut config);
        config
    };
    refused(&site, "realm", |builder| builder.realm(""))?;
    refused(&site, "expiry", |builder| builder.expiry(Expiry { idle: None, absolute: None }))?;
    refused(&site, "expiry.idle", |builder| builder.expiry(Expiry::idle(zero)))?;
    refused(&site, "expiry.absolute", |builder| builder.expiry(Expiry::absolute(second / 2)))?;
    refused(&site, "renew_every", |builder| builder.renew_every(zero))?;
    refused(&site, "renew_every", |builder| builder.renew_every(10 * second))?;
    refused(&site, "superseded_for", |builder| {
        builder.config(with(|config| config.superseded_for = Duration::ZERO))
    })?;
    refused(&site, "sweep_every", |builder| builder.sweep_every(zero))?;
    for probability in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        refused(&site, "sweep_probability", |builder| builder.sweep_probability(probability))?;
    }
    refused(&site, "max_sessions_per_principal", |builder| {
        builder.max_sessions_per_principal(0, SessionLimitPolicy::EndOldest)
    })?;
    refused(&site, "limits.keys", |builder| builder.config(with(|config| config.limits.keys = 0)))?;
    refused(&site, "limits.key_bytes", |builder| {
        builder.config(with(|config| config.limits.key_bytes = 65_536))
    })?;
    refused(&site, "limits.value_bytes", |builder| {
        builder.config(with(|config| config.limits.value_bytes = 0))
    })?;
    refused(&site, "limits.record_bytes", |builder| {
        builder.config(with(|config| config.limits.record_bytes = usize::MAX))
    })?;
    let rotates = site.can(Need::Rotation);
    site.manager(|builder| {
        let builder = builder.expiry(Expiry::NIST_AAL3).sweep_probability(1.0);
        if rotates { builder.renew_every(60 * second) } else { builder }
    })?;
    Ok(())
}

/// What the store cannot do is an error when it is asked for, and names the trait.
pub async fn an_ability_the_store_lacks_is_refused(site: Site) -> Result {
    site.store.hide_abilities();
    for (ability, configure) in [
        (
            "PrincipalIndex",
            (|builder| builder.require_principal_index()) as fn(ManagerBuilder) -> ManagerBuilder,
        ),
        ("PrincipalIndex", |builder| builder.max_sessions_per_principal(1, SessionLimitPolicy::EndOldest)),
        ("Sweep", |builder| builder.sweep_probability(0.5)),
        ("Sweep", |builder| builder.sweep_every(Duration::from_secs(60))),
    ] {
        let error = refused(&site, "store", configure)?;
        ensure!(error.contains(ability), "what is missing is not named {ability} but `{error}`");
    }
    site.manager(|builder| builder)?;
    Ok(())
}

/// A cookie that browsers would drop or ignore in part is refused, with the rule.
pub async fn a_cookie_that_browsers_drop_is_refused(site: Site) -> Result {
    // Shows: A14, A15
    let cookie = CookieOptions::default;
    let plain = || cookie().with_name("sid");
    let days = |days: u64| CookieLifetime::Fixed(Duration::from_secs(days * 86_400));
    for (field, options) in [
        ("cookie.path", cookie().with_path("/shop")),
        ("cookie.path", cookie().with_name("__host-id").with_path("/shop")),
        ("cookie.domain", cookie().with_domain("example.com")),
        ("cookie.secure", cookie().dangerous_without_secure()),
        ("cookie.secure", cookie().with_name("__Secure-id").dangerous_without_secure()),
        ("cookie.secure", cookie().with_name("__sEcUrE-id").dangerous_without_secure()),
        ("cookie.same_site", plain().with_same_site(SameSite::None).dangerous_without_secure()),
        ("cookie.partitioned", plain().with_partitioned(true).dangerous_without_secure()),
        ("cookie.lifetime", plain().with_lifetime(days(401))),
        ("cookie.lifetime", plain().with_lifetime(CookieLifetime::Fixed(Duration::ZERO))),
        ("cookie.lifetime", plain().with_lifetime(CookieLifetime::Fixed(Duration::MAX))),
        ("cookie.name", plain().with_name("")),
        ("cookie.name", plain().with_name("x".repeat(4_096))),
        ("cookie.path", plain().with_path("")),
        ("cookie.path", plain().with_path("shop")),
        ("cookie.path", plain().with_path(format!("/{}", "x".repeat(1_024)))),
        ("cookie.domain", plain().with_domain("-example.com")),
        ("cookie.domain", plain().with_domain("example..com")),
        ("cookie.domain", plain().with_domain("..example.com")),
        ("cookie.domain", plain().with_domain("exämple.com")),
    ] {
        refused_cookie(&site, field, options)?;
    }
    for injected in
        ["a;b", "a b", "a=b", "a,b", "a\"b", "a\r\nSet-Cookie: x=y", "a\0b", "ä", "a\tb", "(a)", "a\u{7f}"]
    {
        refused_cookie(&site, "cookie.name", plain().with_name(injected))?;
        refused_cookie(&site, "cookie.domain", plain().with_domain(injected))?;
    }
    for injected in ["/a;b", "/a\r\nSet-Cookie: x=y", "/a\0b", "/ä", "/a\tb", "/a\u{7f}"] {
        refused_cookie(&site, "cookie.path", plain().with_path(injected))?;
    }
    let fine = plain().with_domain(".example.com").with_lifetime(days(400));
    site.persist.configure(site.builder(), fine)?.build()?;
    Ok(())
}

/// Whatever is configured, a cookie has the attributes that are meant and no other: names, paths and domains made of what
/// fields are made of are refused, or sent as they are.
pub async fn no_configuration_splits_a_cookie(site: Site) -> Result {
    // Shows: A14
    const PARTS: [&str; 24] = [
        ";",
        "; ",
        "=",
        ",",
        " ",
        "\t",
        "\r\n",
        "\r",
        "\n",
        "\0",
        "\"",
        "\\",
        "/",
        ".",
        "-",
        "a",
        "shop",
        "Secure",
        "Domain=evil",
        "Max-Age=9",
        "\u{7f}",
        "ä",
        "\u{2028}",
        "%0d%0a",
    ];
    let mut random = Random::new(14);
    let mut text = |first: &str| {
        let mut text = first.to_owned();
        for _ in 0..random.below(6) {
            // Half of them harmless, or hardly anything would be accepted.
            let part = usize::try_from(random.below(2 * PARTS.len() as u64)).unwrap_or_default();
            text.push_str(PARTS.get(part).copied().unwrap_or("a"));
        }
        text
    };
    let mut accepted = 0;
    for _ in 0..site.rounds(3_000) {
        let (name, path, domain) = (text(""), text("/"), text(""));
        let options = CookieOptions::default().with_name(&*name).with_path(&*path).with_domain(&*domain);
        let Ok(strategy) = Cookie::new(options) else { continue };
        accepted += 1;
        let mut headers = HeaderMap::new();
        strategy.announce(Announcement::Withdraw { source: 0 }, &mut headers);
        let field = headers.get(SET_COOKIE).map(HeaderValue::to_str).transpose()?.unwrap_or_default();
        let harmless = [&name, &path, &domain].iter().all(|text| !text.contains([';', '\r', '\n', '\0']));
        let domain = domain.strip_prefix('.').unwrap_or(&domain);
        let domain = if domain.is_empty() { String::new() } else { format!("; Domain={domain}") };
        let expected = format!(
            "{name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path={path}{domain}; HttpOnly; Secure; \
             SameSite=Lax"
        );
        ensure!(field == expected && harmless, "a configuration makes the cookie {field:?}");
    }
    ensure!(accepted > 3, "{accepted} configurations are accepted, so nothing was tried");
    Ok(())
}

/// Times as long as numbers can say neither wrap nor panic: the session lives, and so does what it was renewed to.
pub async fn the_longest_times_neither_wrap_nor_panic(site: Site) -> Result {
    // Shows: A15, A38
    for longest in [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_secs(u64::MAX / 1_000)] {
        let mut config = SessionConfig::default();
        config.expiry = Expiry { idle: Some(longest), absolute: Some(longest) };
        (config.renewal_grace, config.superseded_for, config.sweep_every) = (longest, longest, longest);
        let app = site.start_with(|builder| builder.config(config)).await?;
        let member = app.member("ann").await?;
        app.advance(1_000_000_000);
        member.run([op("renew")]).await?;
        let info = member.one(op("info")).await?;
        ensure!(info["principal"] == "ann", "with timeouts of {longest:?} a session is {info}");
    }
    for (key, value) in [
        ("s.expiry.idle", "18446744073709551615d"),
        ("s.expiry.idle", "18446744073709551616"),
        ("s.expiry.absolute", "999999999999999999999999h"),
        ("s.expiry.idle", "-1"),
        ("s.expiry.idle", "1e9"),
        ("s.cookie.lifetime", "-1d"),
        ("s.renewal_grace", "0x10"),
    ] {
        let error = SessionConfig::from_pairs("s.", [(key, value)]).map(drop);
        ensure!(error.is_err_and(|error| error.field() == key), "{key} = {value} is taken for a time");
    }
    Ok(())
}

/// A header field that HTTP gives another meaning to, or that is no field name, is refused.
pub async fn a_field_that_is_taken_is_refused(site: Site) -> Result {
    // Shows: A14
    for name in [
        "",
        "a b",
        "a:b",
        "ä",
        "cookie",
        "Set-Cookie",
        "Authorization",
        "host",
        "Vary",
        "cache-control",
        "a\r\nb",
    ] {
        let error = Header::new(name).map(drop).map_err(|error| error.field().to_owned());
        ensure!(error == Err("header.name".to_owned()), "the field {name:?} is accepted for ids");
    }
    for name in ["", "a b", "a&b", "a=b", "a#b", "a\r\nb", "a;b", "ä", "a%", "a?b"] {
        ensure!(Query::new(name).is_err(), "the parameter {name:?} is accepted for ids");
    }
    for pairs in [
        [("s.persist", "header"), ("s.header.name", "cookie")],
        [("s.persist", "header"), ("s.header.name", " ")],
    ] {
        let config = SessionConfig::from_pairs("s.", pairs)?;
        let error = SessionManager::builder(site.store.clone()).config(config).build();
        ensure!(error.is_err_and(|error| error.field() == "header.name"), "{pairs:?} is accepted");
    }
    Ok(())
}

/// Settings from text name what they do not know, and what does not fit (BE-08).
pub async fn settings_from_text_are_checked(site: Site) -> Result {
    for (key, value) in [
        ("session.nothing", "1"),
        ("session.cookie.sceure", "true"),
        ("session.expiry.idle", "soon"),
        ("session.cookie.secure", "perhaps"),
        ("session.cookie.same_site", "loose"),
        ("session.save", "sometimes"),
        ("session.persist", "pigeon"),
    ] {
        let error = SessionConfig::from_pairs("session.", [(key, value)]).map(drop);
        ensure!(
            error.is_err_and(|error| error.field() == key),
            "{key} = {value} is accepted, or its error does not name it"
        );
    }
    let pairs =
        [("session.expiry.idle", "20m"), ("session.cookie.name", "id"), ("session.cookie.secure", "false")];
    let app = site.start_with_settings(&pairs).await?;
    let info = app.visitor().await?.one(op("info")).await?;
    ensure!(info["expires_at"] == app.now() + 1_200, "settings from text are not in force: {info}");
    Ok(())
}

/// The manager must not be built with these settings. Answers the rule.
fn refused(
    site: &Site,
    field: &str,
    configure: impl FnOnce(ManagerBuilder) -> ManagerBuilder,
) -> Result<String> {
    refused_manager(site.manager(configure), field)
}

fn refused_cookie(site: &Site, field: &str, options: CookieOptions) -> Result<String> {
    let builder = site.persist.configure(site.builder(), options);
    refused_manager(builder.and_then(ManagerBuilder::build), field)
}

fn refused_manager(built: Result<SessionManager, ConfigError>, field: &str) -> Result<String> {
    match built {
        Ok(_) => fail!("a wrong setting of {field} is accepted"),
        Err(error) => {
            ensure!(error.field() == field, "a wrong setting of {field} is blamed on {}", error.field());
            ensure!(!error.rule().is_empty(), "a wrong setting of {field} breaks no rule");
            Ok(error.rule().to_owned())
        }
    }
}
