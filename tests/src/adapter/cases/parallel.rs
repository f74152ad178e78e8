//! Requests of one session at the same time: nothing is lost, and nothing is locked.

use super::prelude::*;

/// 64 parallel increments are all counted (D4).
pub async fn no_increment_is_lost(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    for round in 1..=site.rounds(3) {
        let flights = (0..64).map(|_| visitor.launch([incr("n")])).collect::<Result<Vec<_>>>()?;
        for reply in land_all(flights).await? {
            reply.has_status(200)?.tells_nothing()?;
        }
        let count = visitor.value("n").await?;
        ensure!(count == 64 * round, "64 parallel increments, {round} times, count to {count}");
    }
    Ok(())
}

/// 64 parallel requests that each set a key of their own are all stored (D4, express's and Beaker's lost updates).
pub async fn no_key_is_lost(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let launch = |number: usize| visitor.launch([set(&format!("k{number}"), number)]);
    for reply in land_all((0..64).map(launch).collect::<Result<Vec<_>>>()?).await? {
        reply.has_status(200)?.tells_nothing()?;
    }
    let keys = visitor.one(op("len")).await?;
    ensure!(keys == 65, "of 64 keys set in parallel {keys} are there, with the one from before");
    Ok(())
}

/// A slow request does not undo what a fast one stored meanwhile; what both set is what the last one set.
pub async fn a_slow_request_does_not_undo_a_fast_one(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let (slow, fast) = overtaken(
        &app,
        &visitor,
        vec![set("slow", 1), set("both", "slow"), incr("k")],
        vec![set("fast", 1), set("both", "fast"), incr("k")],
    )
    .await?;
    slow.has_status(200)?.tells_nothing()?;
    fast.has_status(200)?.tells_nothing()?;
    let values = visitor.run([get("slow"), get("fast"), get("both"), get("k")]).await?;
    ensure!(
        values == [json!(1), json!(1), json!("slow"), json!(3)],
        "of two parallel requests {values:?} is left"
    );
    ensure!(app.log.count(EventKind::ConflictReplayed) > 0, "a replayed change is not reported");
    Ok(())
}

/// What a fast request removed does not come back with a slow one, unless that sets it.
pub async fn a_slow_request_does_not_bring_back_what_was_removed(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    visitor.run([set("a", 1), set("b", 1)]).await?;
    overtaken(&app, &visitor, vec![set("slow", 1)], vec![remove("a"), remove("b")]).await?;
    let keys = visitor.one(op("keys")).await?;
    ensure!(keys == json!(["k", "slow"]), "removed in parallel, the keys are {keys}");
    overtaken(&app, &visitor, vec![set("k", 2)], vec![op("clear")]).await?;
    let keys = visitor.one(op("keys")).await?;
    ensure!(keys == json!(["k"]), "cleared in parallel, the keys are {keys}");
    Ok(())
}

/// What a slow request removes or clears is gone, also where a fast one set it meanwhile; what it did not touch stays.
pub async fn a_slow_removal_counts(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    overtaken(&app, &visitor, vec![remove("k")], vec![set("k", 2), set("fast", 1)]).await?;
    let keys = visitor.one(op("keys")).await?;
    ensure!(keys == json!(["fast"]), "a slow removal leaves the keys {keys}");
    overtaken(&app, &visitor, vec![op("clear"), set("slow", 1)], vec![within("shop", set("k", 1))]).await?;
    let [keys, shop] = visitor.run([op("keys"), within("shop", get("k"))]).await?;
    ensure!(keys == json!(["slow"]) && shop == 1, "a slow clearing leaves {keys}, and {shop} elsewhere");
    Ok(())
}

/// An increment that is overtaken counts on from what is there, also if that was set, removed or made a text.
pub async fn an_overtaken_increment_counts_on(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let (slow, _) = overtaken(&app, &visitor, vec![incr("k"), incr("k")], vec![set("k", 100)]).await?;
    slow.has_status(200)?;
    ensure!(visitor.value("k").await? == 102, "an overtaken increment starts from a stale value");
    overtaken(&app, &visitor, vec![incr("k")], vec![remove("k")]).await?;
    ensure!(visitor.value("k").await? == 1, "an overtaken increment of a removed value does not start anew");
    let (slow, _) = overtaken(&app, &visitor, vec![set("l", 1), incr("k")], vec![set("k", "text")]).await?;
    slow.has_status(500)?.tells_nothing()?;
    let [k, l] = visitor.run([get("k"), get("l")]).await?;
    ensure!(
        k == "text" && l == Value::Null,
        "a request that could not be carried out is half stored: {k}, {l}"
    );
    Ok(())
}

/// 64 visitors at once get 64 sessions, and none sees anything of another (state left over between requests).
pub async fn visitors_do_not_see_each_other(site: Site) -> Result {
    // Shows: A47
    let app = site.start().await?;
    let visitors: Vec<Client> = (0..64).map(|_| app.client()).collect();
    let first = |(number, visitor): (usize, &Client)| visitor.launch([op("keys"), set("me", number)]);
    let flights = visitors.iter().enumerate().map(first).collect::<Result<Vec<_>>>()?;
    for reply in land_all(flights).await? {
        reply.issues()?;
        let [keys, _] = reply.results()?;
        ensure!(keys == json!([]), "a new visitor sees {keys}");
    }
    let second =
        visitors.iter().map(|visitor| visitor.launch([get("me"), op("len")])).collect::<Result<Vec<_>>>()?;
    for (number, reply) in land_all(second).await?.iter().enumerate() {
        let [me, keys] = reply.tells_nothing()?.results()?;
        ensure!(me == number && keys == 1, "visitor {number} sees what visitor {me} set");
    }
    ensure!(app.store.records() == app.records(64), "64 visitors have {} records", app.store.records());
    Ok(())
}

/// One request after the other, a visitor sees nothing of the one before.
pub async fn a_request_starts_from_nothing(site: Site) -> Result {
    // Shows: A47
    let app = site.start().await?;
    let member = app.member("ann").await?;
    member.run([set("secret", "s"), flash("f")]).await?;
    let [info, keys, flashes] = app.client().run([op("info"), op("keys"), op("flashes")]).await?;
    let nothing = info["principal"] == Value::Null && keys == json!([]) && flashes == json!([]);
    ensure!(nothing && info["is_new"] == true, "a visitor sees what another has left");
    let [info] = app.client().run([op("info")]).await?;
    ensure!(info["status"] == "new", "a visitor has the session of another");
    Ok(())
}

/// 64 requests that read beside 64 that write are all answered, with values that were stored at some time.
pub async fn readers_beside_writers_are_answered(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let mixed = (0..128).map(|number| visitor.launch([if number % 2 == 0 { incr("k") } else { get("k") }]));
    for reply in land_all(mixed.collect::<Result<Vec<_>>>()?).await? {
        let [value] = reply.tells_nothing()?.results()?;
        ensure!(value.as_i64().is_some_and(|value| (1..=65).contains(&value)), "a reader sees {value}");
    }
    ensure!(visitor.value("k").await? == 65, "an increment beside readers is lost");
    Ok(())
}

/// The answer leaves after the store has confirmed what it stored: whoever has read it finds it done (PE's response
/// sent before save, express #309).
pub async fn the_answer_waits_for_the_store(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    for (call, ops) in [
        (Call::Write, vec![set("k", 2)]),
        (Call::Write, vec![op("renew")]),
        (Call::Remove, vec![op("destroy")]),
    ] {
        let mut hold = app.store.hold(call);
        let mut slow = visitor.launch(ops)?;
        hold.catch(&mut slow).await?;
        slow.must_wait().await?;
        hold.release();
        slow.land().await?.has_status(200)?;
    }
    let visitor = app.client();
    let mut hold = app.store.hold(Call::Write);
    let mut first = visitor.launch([set("k", 1)])?;
    hold.catch(&mut first).await?;
    first.must_wait().await?;
    hold.release();
    first.land().await?.issues()?;
    Ok(())
}

/// Two first requests of one browser at the same time start two sessions, and the browser ends in one of them whole.
pub async fn two_first_requests_start_two_sessions(site: Site) -> Result {
    let app = site.start().await?;
    let browser = app.client();
    let mut hold = app.store.hold(Call::Write);
    let mut one = browser.launch([set("one", 1)])?;
    hold.catch(&mut one).await?;
    let mut two = browser.launch([set("two", 2)])?;
    hold.catch(&mut two).await?;
    hold.release();
    let (one, two) = (one.land().await?.issues()?, two.land().await?.issues()?);
    ensure!(one != two, "two first requests of a browser are given one id");
    let keys = browser.one(op("keys")).await?;
    ensure!(
        keys == json!(["one"]) || keys == json!(["two"]),
        "two first requests end in a session with {keys}"
    );
    Ok(())
}

/// Two requests load the session, `fast` is stored, and only then `slow`. Answers the answers.
pub(super) async fn overtaken(
    app: &App,
    client: &Client,
    slow: Vec<Value>,
    fast: Vec<Value>,
) -> Result<(Reply, Reply)> {
    let mut hold = app.store.hold_one(Call::Write);
    let mut slow = client.launch(slow)?;
    hold.catch(&mut slow).await?;
    let fast = client.ops(fast).await?;
    hold.release();
    Ok((slow.land().await?, fast))
}
