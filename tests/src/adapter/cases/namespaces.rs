//! Several dictionaries in one session, and what keeps them apart.

use super::prelude::*;

/// The same key in another namespace is another key; clearing, listing and counting stay in theirs (PythonWeb's write
/// that vanished because another application used the key).
pub async fn namespaces_are_separate(site: Site) -> Result {
    // Shows: A48
    let app = site.start().await?;
    let visitor = app.client();
    let names = ["shop", "Shop", "shop.eu", "forum-2", "a_b", "0", &"n".repeat(255)];
    let mut ops = vec![set("k", -1)];
    ops.extend(names.iter().enumerate().map(|(number, name)| within(name, set("k", number))));
    visitor.ops(ops).await?.has_status(200)?;
    for (number, name) in names.iter().enumerate() {
        let [value, keys, _] =
            visitor.run([within(name, get("k")), within(name, op("keys")), within(name, incr("n"))]).await?;
        ensure!(value == number && keys == json!(["k"]), "the namespace {name} holds {value} under {keys}");
    }
    let [k, keys] = visitor.run([get("k"), op("keys")]).await?;
    ensure!(k == -1 && keys == json!(["k"]), "namespaces change the root dictionary: {keys}");
    visitor.run([within("shop", op("clear")), within("Shop", remove("k"))]).await?;
    let [shop, other, eu, root] = visitor
        .run([within("shop", op("keys")), within("Shop", op("keys")), within("shop.eu", get("k")), get("k")])
        .await?;
    let expected = [json!([]), json!(["n"]), json!(2), json!(-1)];
    ensure!([shop, other, eu, root] == expected, "clearing one namespace reaches another");
    Ok(())
}

/// A name that is empty, too long or has other characters than letters, digits, `-`, `_` and `.` is an error.
pub async fn a_name_out_of_the_ordinary_is_refused(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    for name in ["", " ", "a b", "a/b", "\0", "\0flash", "ä", "a:b", "a\nb", "*", &"n".repeat(256)] {
        let [done, value] = visitor.run([within(name, set("k", 1)), within(name, get("k"))]).await?;
        ensure!(done == error("invalid-namespace") && value == done, "the namespace {name:?} can be opened");
    }
    ensure!(app.store.records() == 0, "a refused namespace starts a session");
    Ok(())
}

/// A reserved namespace is out of reach for every operation until it is released, and out of sight (LE-10, CodeIgniter
/// #10294).
pub async fn a_reserved_namespace_is_out_of_reach(site: Site) -> Result {
    // Shows: A43
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    visitor.run([within("auth", set("k", 5))]).await?;
    let reserved = app.manager.reserve("auth")?;
    ensure!(app.manager.reserve("auth").is_err(), "a namespace can be reserved twice");
    let results: [Value; 6] = visitor
        .run(
            [get("k"), set("k", 6), remove("k"), incr("k"), op("clear"), op("keys")]
                .map(|op| within("auth", op)),
        )
        .await?;
    ensure!(results.iter().all(|result| *result == error("reserved")), "a reserved namespace can be reached");
    let [keys, number] = visitor.run([op("keys"), op("len")]).await?;
    ensure!(keys == json!(["k"]) && number == 1, "a reserved namespace is in sight: {keys}");
    let [value] = visitor.run([within("Auth", get("k"))]).await?;
    ensure!(value == Value::Null, "a namespace is reserved under another spelling");
    app.manager.release(reserved);
    let [value] = visitor.run([within("auth", get("k"))]).await?;
    ensure!(value == 5, "a reserved namespace has been changed meanwhile");
    Ok(())
}

/// Keys are just keys: none of them is a path, a query or a name of the library's own, and none reaches its messages,
/// tokens or principal.
pub async fn hostile_keys_are_just_keys(site: Site) -> Result {
    // Shows: A43, A48
    let app = site.start().await?;
    let member = app.member("ann").await?;
    let [token, _] = member.run([op("csrf"), flash("hello")]).await?;
    let keys = [
        "",
        " ",
        "\0",
        "\0flash",
        "flash",
        "csrf",
        "principal",
        "__proto__",
        "constructor",
        "../../etc/passwd",
        "a/b",
        "a\\b",
        "'; DROP TABLE sessions; --",
        "a\r\nSet-Cookie: x=y",
        "{}",
        "[]",
        "null",
        "%00",
        "a;b=c",
        "\u{202e}",
        "_fresh",
        "__ci_vars",
    ];
    member.ops(keys.iter().map(|key| set(key, *key))).await?.has_status(200)?;
    let reply = member.ops(keys.iter().map(|key| get(key))).await?;
    let values: Vec<Value> = serde_json::from_slice(&reply.body)?;
    ensure!(values.iter().zip(keys).all(|(value, key)| value == key), "a key leads to the value of another");
    let token = token.as_str().unwrap_or_default();
    let [right, flashes, info] = member.run([check_csrf(token), op("flashes"), op("info")]).await?;
    let untouched = right == true && flashes == json!(["hello"]) && info["principal"] == "ann";
    ensure!(untouched, "a key reaches what is the library's own");
    Ok(())
}
