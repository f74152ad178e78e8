//! Messages for the next page: shown once, never lost.

use super::{parallel::overtaken, prelude::*};

/// A message waits for the next request that asks, comes once, and in the order it was put in.
pub async fn a_message_is_shown_once(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    visitor.ops([flash("one"), flash("two"), flash("one"), status(303)]).await?.has_status(303)?.issues()?;
    visitor.run([get("k"), op("keys")]).await?;
    let [shown, again, keys] = visitor.run([op("flashes"), op("flashes"), op("keys")]).await?;
    ensure!(shown == json!(["one", "two", "one"]), "the messages shown are {shown}");
    ensure!(again == json!([]) && keys == json!([]), "a message is shown twice, or is a key");
    ensure!(visitor.one(op("flashes")).await? == json!([]), "a message is shown to two requests");
    Ok(())
}

/// A message can be shown by the request that put it in.
pub async fn a_message_can_be_shown_at_once(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let [_, shown] = visitor.run([flash("now"), op("flashes")]).await?;
    ensure!(shown == json!(["now"]), "the messages shown at once are {shown}");
    ensure!(visitor.one(op("flashes")).await? == json!([]), "a message shown at once is shown again");
    Ok(())
}

/// Queues keep messages apart.
pub async fn queues_keep_messages_apart(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    let to = |queue: &str, text: &str| json!({ "op": "flash", "text": text, "queue": queue });
    let from = |queue: &str| json!({ "op": "flashes", "queue": queue });
    visitor.run([to("error", "e"), flash("d"), to("warning", "w"), to("error", "f")]).await?;
    let [errors, none, others] = visitor.run([from("error"), from("info"), from("warning")]).await?;
    ensure!([errors, none, others] == [json!(["e", "f"]), json!([]), json!(["w"])], "queues are mixed up");
    ensure!(visitor.one(op("flashes")).await? == json!(["d"]), "the default queue is emptied with another");
    Ok(())
}

/// Messages put in by parallel requests are all shown.
pub async fn messages_of_parallel_requests_are_all_shown(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let push = |number: usize| visitor.launch([flash(&number.to_string())]);
    land_all((0..32).map(push).collect::<Result<Vec<_>>>()?).await?;
    let shown = visitor.one(op("flashes")).await?;
    let mut numbers: Vec<usize> =
        shown.as_array().into_iter().flatten().filter_map(|text| text.as_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    ensure!(numbers.into_iter().eq(0..32), "of 32 messages put in in parallel {shown} are shown");
    Ok(())
}

/// A message that is put in while another request shows those that waited is kept for the next, in either order.
pub async fn a_message_put_in_meanwhile_is_kept(site: Site) -> Result {
    let app = site.start().await?;
    for slow_shows in [true, false] {
        let visitor = app.client();
        visitor.run([flash("first")]).await?;
        let (shows, puts) = (vec![op("flashes")], vec![flash("second")]);
        let (slow, fast) = match slow_shows {
            true => overtaken(&app, &visitor, shows, puts).await?,
            false => overtaken(&app, &visitor, puts, shows).await?,
        };
        let [shown] = if slow_shows { slow.results()? } else { fast.results()? };
        ensure!(shown == json!(["first"]), "beside a new message {shown} are shown");
        let left = visitor.one(op("flashes")).await?;
        ensure!(left == json!(["second"]), "a message put in meanwhile is lost: {left} are left");
    }
    Ok(())
}

/// A message outlives a login and a renewal.
pub async fn a_message_outlives_a_login(site: Site) -> Result {
    let app = site.start().await?;
    let browser = app.visitor().await?;
    browser.run([flash("welcome"), authenticate("ann")]).await?;
    browser.run([op("renew")]).await?;
    let shown = browser.one(op("flashes")).await?;
    ensure!(shown == json!(["welcome"]), "after a login {shown} are shown");
    Ok(())
}
