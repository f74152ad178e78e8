//! The dictionary: what is set is read, by this request and by the next ones.

use super::prelude::*;

/// Text and numbers come back as they were set, in the same request and in the next.
pub async fn values_come_back_as_they_were_set(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    let long = "long ".repeat(site.room(10_000) / 5);
    let values = [
        json!(""),
        json!("text"),
        json!("Übergrößenträger \u{1f370} \u{0} \" \\ \u{feff}"),
        json!(long),
        json!("0"),
        json!(0),
        json!(-1),
        json!(i64::MAX),
        json!(i64::MIN),
    ];
    for (number, value) in values.iter().enumerate() {
        let key = format!("k{number}");
        let [none, _, same] = visitor.run([get(&key), set(&key, value.clone()), get(&key)]).await?;
        ensure!(
            none == Value::Null && same == *value,
            "value {number} is not read by the request that sets it"
        );
    }
    for (number, value) in values.iter().enumerate() {
        ensure!(
            visitor.value(&format!("k{number}")).await? == *value,
            "value {number} comes back as another"
        );
    }
    Ok(())
}

/// Ten requests of a browser count to ten (the counter of every session library's first page).
pub async fn ten_requests_count_to_ten(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    for number in 1..=10 {
        ensure!(visitor.one(incr("n")).await? == number, "request {number} does not count to {number}");
    }
    Ok(())
}

/// A value that is changed through `update` alone is stored (D19).
pub async fn an_update_alone_is_stored(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    app.store.reset();
    visitor.run([incr("k")]).await?;
    let one = app.calls(Calls { writes: 1, ..Calls::default() });
    ensure!(app.store.calls().writes == one.writes, "an update costs {:?}", app.store.calls());
    ensure!(visitor.value("k").await? == 2, "an update is not stored");
    Ok(())
}

/// Operations of one request see each other, in order.
pub async fn operations_of_a_request_see_each_other(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let [_, two, three, was, none, one, _, empty] = visitor
        .run([set("k", 2), get("k"), incr("k"), remove("k"), get("k"), incr("k"), op("clear"), op("keys")])
        .await?;
    ensure!([two, three, was] == [2, 3, 3], "a set, an update and a removal do not see each other");
    ensure!(none == Value::Null && one == 1 && empty == json!([]), "a removed key is still there");
    ensure!(visitor.one(op("keys")).await? == json!([]), "what was cleared is stored");
    Ok(())
}

/// A read of the wrong type is an error, never a default and never a panic, and the value stays (D30).
pub async fn a_read_of_the_wrong_type_is_an_error(site: Site) -> Result {
    // Shows: A37
    let app = site.start().await?;
    let visitor = app.client();
    visitor.run([set("k", "text")]).await?;
    let [wrong, value] = visitor.run([incr("k"), get("k")]).await?;
    ensure!(wrong == error("decode"), "a number is read from a text: {wrong}");
    ensure!(value == "text" && visitor.value("k").await? == "text", "a failed read has changed the value");
    Ok(())
}

/// An operation that fails answers its error and changes nothing; those before and after it count.
pub async fn a_failed_operation_leaves_the_others(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    let [_, wrong, also_wrong, _] =
        visitor.run([set("a", "text"), incr("a"), within("no name", set("b", 1)), set("c", 3)]).await?;
    ensure!(wrong == error("decode") && also_wrong == error("invalid-namespace"), "an error is not told");
    let [keys, a, c] = visitor.run([op("keys"), get("a"), get("c")]).await?;
    ensure!(keys == json!(["a", "c"]) && a == "text" && c == 3, "a failed operation has an effect: {keys}");
    Ok(())
}

/// Keys come in order, each once, and are counted.
pub async fn keys_are_sorted_and_counted(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    let [.., keys, number] = visitor
        .run([set("b", 1), set("a", 1), set("ä", 1), set("B", 1), set("a", 2), op("keys"), op("len")])
        .await?;
    let expected = json!(["B", "a", "b", "ä"]);
    ensure!(keys == expected && number == 4, "the keys are {keys}, their number is {number}");
    let [_, keys, number] = visitor.run([remove("b"), op("keys"), op("len")]).await?;
    ensure!(keys == json!(["B", "a", "ä"]) && number == 3, "the keys are {keys} after a removal");
    let root = visitor.get("/").await?;
    let root: Value = serde_json::from_slice(&root.has_status(200)?.body)?;
    ensure!(
        root == json!({ "status": "active", "keys": ["B", "a", "ä"] }),
        "the fixture's route / answers {root}"
    );
    Ok(())
}

/// Removing answers what was there, once.
pub async fn removing_answers_what_was_there(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    ensure!(visitor.one(remove("k")).await? == 1, "a removal does not answer the value");
    let [again, value] = visitor.run([remove("k"), get("k")]).await?;
    ensure!(again == Value::Null && value == Value::Null, "a removed value is still there");
    Ok(())
}

/// Clearing empties the dictionary, in this request and for the next ones, and keeps who is signed in, other namespaces
/// and waiting messages (CVE-2023-20862).
pub async fn clearing_empties_the_dictionary_only(site: Site) -> Result {
    // Shows: A44
    let app = site.start().await?;
    let member = app.member("ann").await?;
    member.run([flash("hello"), within("shop", set("k", 9))]).await?;
    let [_, keys] = member.run([op("clear"), op("keys")]).await?;
    ensure!(keys == json!([]), "a cleared dictionary has the keys {keys}");
    let [keys, k, shop, flashes, info] =
        member.run([op("keys"), get("k"), within("shop", get("k")), op("flashes"), op("info")]).await?;
    ensure!(keys == json!([]) && k == Value::Null, "a cleared dictionary has the keys {keys}");
    ensure!(shop == 9 && flashes == json!(["hello"]), "clearing has cleared more than the dictionary");
    ensure!(info["principal"] == "ann" && info["status"] == "active", "clearing has signed somebody out");
    Ok(())
}

/// `revert` drops what the request has changed since the session was loaded or saved, and nothing else.
pub async fn reverting_drops_what_was_done(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    app.store.reset();
    let [.., k, l] = visitor.run([set("k", 2), set("l", 2), op("revert"), get("k"), get("l")]).await?;
    ensure!(k == 1 && l == Value::Null, "what was reverted is still read");
    ensure!(app.store.calls().writes == 0, "what was reverted is written");
    visitor.run([set("k", 3), op("save"), set("k", 4), op("revert")]).await?;
    ensure!(visitor.value("k").await? == 3, "what was saved before a revert is lost");
    Ok(())
}

/// `save` stores at once: other requests read it before this one is answered.
pub async fn saving_stores_at_once(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let mut hold = app.store.hold_one_after(Call::Write, 1);
    let mut slow = visitor.launch([set("a", 1), op("save"), set("b", 2)])?;
    hold.catch(&mut slow).await?;
    let [a, b] = visitor.run([get("a"), get("b")]).await?;
    ensure!(a == 1 && b == Value::Null, "after `save` another request reads {a}, and {b} of what came later");
    hold.release();
    slow.land().await?.results::<3>()?;
    ensure!(visitor.value("b").await? == 2, "what came after `save` is lost");
    Ok(())
}

/// A first write that is saved by the handler is announced like any other.
pub async fn a_saved_first_write_is_announced(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    visitor.ops([set("a", 1), op("save")]).await?.has_status(200)?.issues()?;
    ensure!(visitor.value("a").await? == 1, "what was saved is not found again");
    ensure!(
        app.store.records() == app.records(1),
        "a saved first write makes {} records",
        app.store.records()
    );
    Ok(())
}

/// `info` tells what the library knows of a session, before and after it is stored.
pub async fn info_tells_what_is_known(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    let now = app.now();
    let nothing = json!({
        "is_new": true, "status": "new", "created": now, "expires_at": now + 1_800, "principal": null, "handle": null,
    });
    let [before, _, unsaved] = visitor.run([op("info"), set("k", 1), op("info")]).await?;
    ensure!(before == nothing && unsaved == nothing, "an unsaved session is described as {unsaved}");
    app.advance(60);
    let [info] = visitor.run([op("info")]).await?;
    let handle = info["handle"].as_str().unwrap_or_default();
    // What is in no store can neither be listed nor ended, and has no name.
    let named = site.can(Need::Store);
    let hexadecimal = handle.len() == 64 && handle.bytes().all(|digit| b"0123456789abcdef".contains(&digit));
    ensure!(hexadecimal == named, "a handle is not 64 hexadecimal digits");
    let mut expected = json!({ "is_new": false, "status": "active", "created": now, "expires_at": now + 1_800,
        "principal": null });
    expected["handle"] = if named { json!(handle) } else { Value::Null };
    ensure!(info == expected, "a stored session is described as {info}");
    Ok(())
}
