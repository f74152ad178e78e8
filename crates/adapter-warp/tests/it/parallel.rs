//! Requests at the same time: each has its own session, and none loses a change of another.

use http::{Request, header};
use session_adapter_warp::{Session, session};
use tokio::task::JoinSet;
use warp::Filter;

use crate::support::{Client, TestStore, app, layer, pause, routes};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_requests_of_one_session_count_every_visit() {
    const REQUESTS: usize = 64;
    let store = TestStore::waiting(1);
    let mut client = Client::new(app(layer(&store), routes()));
    client.get("/count").await;
    let mut requests = JoinSet::new();
    for _ in 0..REQUESTS {
        let mut client = client.clone();
        requests.spawn(async move { client.get("/count").await.status });
    }
    while let Some(status) = requests.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    assert_eq!(client.get("/read").await.body, (REQUESTS + 1).to_string());
}

/// All requests run in one task, so that nothing tells them apart but themselves.
#[tokio::test]
async fn requests_that_take_turns_in_one_task_never_see_each_others_sessions() {
    // Shows: A47
    let store = TestStore::waiting(2);
    let late = warp::path!("late" / u32)
        .then(async |number: u32| {
            pause(number as usize % 7).await;
            number
        })
        .and(session())
        .then(async |number: u32, session: Session| {
            let before = session.get::<u32>("number").unwrap();
            session.insert("number", number).unwrap();
            pause(number as usize % 5).await;
            format!("{before:?}")
        });
    let mut clients: Vec<Client> =
        (0..40).map(|_| Client::new(app(layer(&store), late.or(routes())))).collect();
    let mut expected = "None".to_owned();
    for round in 0..3u32 {
        let requests = clients.iter_mut().zip(0u32..).map(|(client, number)| {
            let path = format!("/late/{}", 100 * round + number);
            async move { client.get(&path).await.body }
        });
        let bodies = futures_util::future::join_all(requests).await;
        for (body, number) in bodies.iter().zip(0u32..) {
            if round > 0 {
                expected = format!("Some({})", 100 * (round - 1) + number);
            }
            assert_eq!(*body, expected);
        }
    }
}

#[tokio::test]
async fn a_visitor_never_gets_the_cookie_of_another() {
    // Shows: A47
    let store = TestStore::waiting(1);
    let app = app(layer(&store), routes());
    let visitors = (0..50).map(|_| {
        let mut client = Client::new(app.clone());
        async move {
            let cookie = client.get("/count").await.all(header::SET_COOKIE)[0].to_owned();
            let request = Request::get("/count");
            assert_eq!(client.send(request, "").await.body, "2");
            cookie
        }
    });
    let mut cookies = futures_util::future::join_all(visitors).await;
    cookies.sort();
    cookies.dedup();
    assert_eq!((cookies.len(), store.records()), (50, 50));
}
