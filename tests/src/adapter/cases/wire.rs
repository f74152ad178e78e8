//! The fixture application itself, so that a broken adapter is not taken for a broken session.

use bytes::Bytes;
use http::Method;

use super::prelude::*;

/// A body that is not an array of operations is a 4xx, and nothing of it is run.
pub async fn a_body_that_is_no_list_is_a_4xx(site: Site) -> Result {
    let app = site.start().await?;
    let client = app.client();
    for body in [
        "",
        " ",
        "x",
        "null",
        "{}",
        "1",
        "[",
        "[]]",
        "[1]",
        "[[]]",
        "[null]",
        r#"["set"]"#,
        r#"[{}]"#,
        r#"{"op":"save"}"#,
        r#"[{"op":"nothing"}]"#,
        r#"[{"op":"get"}]"#,
        r#"[{"op":"set","key":"k"}]"#,
        r#"[{"op":"set","key":"k","value":null}]"#,
        r#"[{"op":"set","key":"k","value":1.5}]"#,
        r#"[{"op":"set","key":"k","value":[1]}]"#,
        r#"[{"op":"set","key":"k","value":9223372036854775808}]"#,
        r#"[{"op":"set","key":1,"value":1}]"#,
        r#"[{"op":"sleep","ms":-1}]"#,
        r#"[{"op":"sleep","ms":3600000}]"#,
        r#"[{"op":"get","key":"k","namespace":"n"}]"#,
        r#"[{"op":"set","key":"k","value":1},{"op":"nothing"}]"#,
        "[{\"op\":\"set\",\"key\":\"k\",\"value\":\"\u{0}\"}]",
    ] {
        let request = client.request(Method::POST, "/ops", Bytes::from(body))?;
        let reply = client.send(request).await?;
        ensure!(reply.status.is_client_error(), "the body `{body}` is answered with {}", reply.status);
        reply.tells_nothing()?;
    }
    let request = client.request(
        Method::POST,
        "/ops",
        Bytes::from_static(b"[{\"op\":\"set\",\"key\":\"\xff\",\"value\":1}]"),
    )?;
    ensure!(client.send(request).await?.status.is_client_error(), "a body that is not UTF-8 is run");
    ensure!(app.store.calls().writes == 0, "a refused body is run");
    client.ops([]).await?.results::<0>()?;
    Ok(())
}

/// `GET /` tells status and keys, `GET /untouched` says `ok`, other targets are 404.
pub async fn the_three_routes_are_there(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let root: Value = serde_json::from_slice(&visitor.get("/").await?.has_status(200)?.body)?;
    ensure!(root == json!({ "status": "active", "keys": ["k"] }), "GET / answers {root}");
    let root: Value = serde_json::from_slice(&app.client().get("/").await?.has_status(200)?.body)?;
    ensure!(root == json!({ "status": "new", "keys": [] }), "GET / of a stranger answers {root}");
    ensure!(&visitor.get("/untouched").await?.has_status(200)?.body[..] == b"ok", "GET /untouched is not ok");
    visitor.get("/nowhere").await?.has_status(404)?.tells_nothing()?;
    Ok(())
}

/// `sleep` waits, and `fail` makes the response a 500 that still carries its answers.
pub async fn sleep_waits_and_fail_fails(site: Site) -> Result {
    let app = site.start().await?;
    let reply = app.visitor().await?.ops([json!({ "op": "sleep", "ms": 1 }), op("fail"), get("k")]).await?;
    let answers: [Value; 3] = reply.has_status(500)?.answers()?;
    ensure!(
        answers == [json!(null), json!(null), json!(1)],
        "a failing list of operations answers {answers:?}"
    );
    Ok(())
}

/// What the application itself puts on a response stays there.
pub async fn the_response_of_the_application_stays(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    for code in [200, 303, 404, 500] {
        let ops = [
            status(code),
            header("x-own", "1"),
            header("x-own", "2"),
            header("location", "/next"),
            incr("n"),
        ];
        let reply = visitor.ops(ops).await?;
        reply.has_status(code)?;
        let own: Vec<_> = reply.headers.get_all("x-own").iter().collect();
        ensure!(
            own == ["1", "2"] && reply.headers["location"] == "/next",
            "header fields of the application are lost"
        );
        ensure!(reply.headers["content-type"] == "application/json", "the content type is lost");
    }
    Ok(())
}
