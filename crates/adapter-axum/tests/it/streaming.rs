//! Responses whose body is made after the head has left.

use std::convert::Infallible;

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, Response, header},
    response::{Sse, sse::Event},
    routing::get,
};
use futures_util::{Stream, StreamExt as _, stream};
use http_body_util::BodyExt as _;
use session_adapter_axum::{Session, SessionError};
use session_core::DetachedSession;

use crate::support::{Client, TestStore, layer, read};

/// Changes the session in the handler, and tries to go on in the body.
async fn late(session: Session) -> Result<Body, SessionError> {
    session.insert("visits", 1_u32)?;
    Ok(Body::from_stream(stream::once(async move {
        let error = session.insert("visits", 2_u32).unwrap_err();
        Ok::<_, Infallible>(error.kind())
    })))
}

fn counting(session: DetachedSession) -> impl Stream<Item = u32> {
    stream::unfold(session, async |session| {
        let visits = session.update("visits", |visits: &mut u32| *visits += 1).await.ok()?;
        Some((visits, session))
    })
}

/// Counts up in the store with every piece of the body, until the session is over.
async fn pieces(session: Session) -> Result<Body, SessionError> {
    session.insert("visits", 10_u32)?;
    let pieces = counting(session.detach()).map(|visits| Ok::<_, Infallible>(visits.to_string()));
    Ok(Body::from_stream(pieces))
}

async fn events(
    session: Session,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, SessionError> {
    session.insert("visits", 20_u32)?;
    Ok(Sse::new(counting(session.detach()).map(|visits| Ok(Event::default().data(visits.to_string())))))
}

async fn logout(session: Session) -> Result<(), SessionError> {
    Ok(session.destroy()?)
}

fn client(store: &TestStore) -> Client {
    let app = Router::new()
        .route("/late", get(late))
        .route("/pieces", get(pieces))
        .route("/events", get(events))
        .route("/read", get(read))
        .route("/logout", get(logout));
    Client::new(app.layer(layer(store)))
}

async fn next(response: &mut Response<Body>) -> Option<Bytes> {
    let frame = response.body_mut().frame().await?;
    Some(frame.unwrap().into_data().unwrap())
}

#[tokio::test]
async fn changes_after_the_head_are_errors_and_change_nothing() {
    let store = TestStore::default();
    let mut client = client(&store);
    let answer = client.get("/late").await;
    assert_eq!((answer.body.as_str(), answer.session_fields()), ("response-sent", [1, 1, 1]));
    assert_eq!(client.get("/read").await.body, "1");
}

#[tokio::test]
async fn what_the_handler_did_is_stored_before_the_head_leaves() {
    let store = TestStore::default();
    let response = client(&store).open(Request::get("/late"), "").await;
    assert!(response.headers().contains_key(header::SET_COOKIE));
    assert_eq!(store.records(), 1);
}

#[tokio::test]
async fn a_detached_session_works_while_the_body_is_made() {
    for (path, pieces) in
        [("/pieces", ["11", "12", "13"]), ("/events", ["data: 21\n\n", "data: 22\n\n", "data: 23\n\n"])]
    {
        let store = TestStore::default();
        let mut client = client(&store);
        client.get("/late").await;
        let mut response = client.open(Request::get(path), "").await;
        assert_eq!(next(&mut response).await.unwrap(), pieces[0]);
        assert_eq!(next(&mut response).await.unwrap(), pieces[1]);
        let visits = client.get("/read").await.body;
        assert!(pieces[1].contains(&visits), "other requests see it: {visits}");
        assert_eq!(next(&mut response).await.unwrap(), pieces[2]);
        client.get("/logout").await;
        assert_eq!(next(&mut response).await, None, "the stream ends with the session");
    }
}
