//! Bodies that are still being written when the head has left.

use std::convert::Infallible;

use http::{Request, header};
use http_body_util::BodyExt as _;
use session_adapter_warp::{Session, session};
use tokio::sync::mpsc;
use warp::{Filter, Reply, reply};

use crate::support::{Client, TestStore, app, layer, routes};

#[tokio::test]
async fn the_head_leaves_with_the_cookie_before_the_body_is_there() {
    let store = TestStore::default();
    let (sender, receiver) = mpsc::unbounded_channel::<String>();
    let receiver = std::sync::Arc::new(std::sync::Mutex::new(Some(receiver)));
    let (sessions, mut handed_out) = mpsc::unbounded_channel();
    let stream = warp::path("stream").and(session()).map(move |session: Session| {
        session.insert("streams", 1u32).unwrap();
        sessions.send(session).unwrap();
        let mut receiver = receiver.lock().unwrap().take().unwrap();
        reply::stream(futures_util::stream::poll_fn(move |context| {
            receiver.poll_recv(context).map(|text| text.map(Ok::<_, Infallible>))
        }))
        .into_response()
    });
    let client = Client::new(app(layer(&store), stream.or(routes())));
    let response = client.open(Request::get("/stream"), "").await;
    assert!(response.headers().contains_key(header::SET_COOKIE));
    assert_eq!(store.records(), 1, "stored before the head leaves");

    // The session is closed: a change is refused, and not lost in silence. A detached handle goes on.
    let session = handed_out.recv().await.unwrap();
    let error = session.insert("late", 1).unwrap_err();
    assert_eq!(error.kind(), "response-sent");
    session.detach().update("streams", |streams: &mut u32| *streams += 1).await.unwrap();

    sender.send("one ".into()).unwrap();
    sender.send("two".into()).unwrap();
    drop(sender);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "one two");
}
