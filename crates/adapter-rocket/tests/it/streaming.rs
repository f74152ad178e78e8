//! Bodies that are still being written when the head has left.

use std::sync::Mutex;

use rocket::{
    State, get,
    response::stream::TextStream,
    routes,
    tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use session_adapter_rocket::{Session, SessionFairing};

use crate::support::{TestStore, app, manager};

struct Wires {
    texts: Mutex<Option<UnboundedReceiver<String>>>,
    sessions: UnboundedSender<Session>,
}

#[get("/stream")]
fn stream(session: Session, wires: &State<Wires>) -> TextStream![String] {
    session.insert("streams", 1u32).unwrap();
    wires.sessions.send(session).unwrap();
    let mut texts = wires.texts.lock().unwrap().take().unwrap();
    TextStream! {
        while let Some(text) = texts.recv().await {
            yield text;
        }
    }
}

#[rocket::async_test]
async fn the_head_leaves_with_the_cookie_before_the_body_is_there() {
    let store = TestStore::default();
    let (sender, texts) = unbounded_channel();
    let (sessions, mut handed_out) = unbounded_channel();
    let wires = Wires { texts: Mutex::new(Some(texts)), sessions };
    let app = app(SessionFairing::new(manager(&store)), routes![stream]).manage(wires);
    let client = rocket::local::asynchronous::Client::untracked(app).await.unwrap();
    let response = client.get("/stream").dispatch().await;
    assert!(response.headers().contains("Set-Cookie"));
    assert_eq!(store.records(), 1, "stored before the head leaves");

    // The session is closed: a change is refused, and not lost in silence. A detached handle goes on.
    let session = handed_out.recv().await.unwrap();
    let error = session.insert("late", 1).unwrap_err();
    assert_eq!(error.kind(), "response-sent");
    session.detach().update("streams", |streams: &mut u32| *streams += 1).await.unwrap();

    sender.send("one ".into()).unwrap();
    sender.send("two".into()).unwrap();
    drop(sender);
    assert_eq!(response.into_string().await.unwrap(), "one two");
}
