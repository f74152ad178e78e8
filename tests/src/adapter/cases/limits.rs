//! Bounds that keep one client from filling the store.

use session_core::{Limits, SessionConfig};

use super::{parallel::overtaken, prelude::*};

/// A key, a value, a number of keys, a whole session or a principal beyond its limit is refused with a typed error and
/// changes nothing; what is within its limit is stored (CVE-2016-4423).
pub async fn what_is_beyond_a_limit_is_refused(site: Site) -> Result {
    // Shows: A50
    let app = site.start().await?;
    let visitor = app.client();
    let refused = error("limit-exceeded");
    let results = visitor
        .run([
            set(&"k".repeat(255), 1),
            set(&"k".repeat(256), 1),
            set("large", "v".repeat(65_000)),
            set("larger", "v".repeat(65_537)),
            authenticate(&"p".repeat(256)),
            authenticate(""),
            authenticate(&"p".repeat(255)),
            op("len"),
        ])
        .await?;
    let expected =
        [json!(null), refused.clone(), json!(null), refused.clone(), refused.clone(), refused.clone()];
    ensure!(results[..6] == expected, "limits are kept as {:?}", results.map(|result| result.to_string()));
    ensure!(results[6] == Value::Null && results[7] == 2, "what was refused has left something");
    let [a, b, c, full] = visitor.run(["a", "b", "c", "d"].map(|key| set(key, "v".repeat(60_000)))).await?;
    let too_large = [a, b, c] == [json!(null), json!(null), json!(null)] && full == refused;
    ensure!(too_large, "a session may become larger than its limit");
    ensure!(visitor.one(op("len")).await? == 5, "a session at its limit has lost something");
    Ok(())
}

/// The keys of a session are counted over all its namespaces; replacing and removing go on at the limit.
pub async fn the_number_of_keys_is_limited(site: Site) -> Result {
    // Shows: A50
    let app = site.start_with(|builder| builder.config(few_keys(3))).await?;
    let visitor = app.client();
    let [.., refused, replaced] = visitor
        .run([set("a", 1), set("b", 1), within("shop", set("c", 1)), set("d", 1), set("a", 2)])
        .await?;
    ensure!(
        refused == error("limit-exceeded") && replaced == Value::Null,
        "the fourth of three keys is {refused}"
    );
    let [_, added, refused] = visitor.run([remove("b"), set("d", 1), incr("e")]).await?;
    ensure!(added == Value::Null && refused == error("limit-exceeded"), "a removal makes no room");
    let keys = visitor.one(op("keys")).await?;
    ensure!(keys == json!(["a", "d"]), "the keys are {keys}");
    Ok(())
}

/// Parallel requests that are within a limit one by one and beyond it together: what was stored first stays, and the
/// other is answered with 413.
pub async fn a_limit_exceeded_together_is_413(site: Site) -> Result {
    // Shows: A50
    let app = site.start_with(|builder| builder.config(few_keys(2))).await?;
    let visitor = app.visitor().await?;
    let (slow, fast) = overtaken(&app, &visitor, vec![set("slow", 1)], vec![set("fast", 1)]).await?;
    fast.has_status(200)?;
    slow.has_status(413)?.tells_nothing()?;
    ensure!(visitor.one(op("keys")).await? == json!(["fast", "k"]), "a session has grown beyond its limit");
    Ok(())
}

fn few_keys(keys: usize) -> SessionConfig {
    let mut config = SessionConfig::default();
    let mut limits = Limits::default();
    limits.keys = keys;
    config.limits = limits;
    config
}
