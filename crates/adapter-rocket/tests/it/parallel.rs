//! Requests at the same time: each has its own session, and none loses a change of another.

use rocket::{futures::future::join_all, get, routes, tokio::task::JoinSet};
use session_adapter_rocket::{LazySession, SessionError};

use crate::support::{Client, TestStore, client, pause};

#[rocket::async_test]
async fn parallel_requests_of_one_session_count_every_visit() {
    const REQUESTS: usize = 64;
    let store = TestStore::waiting(1);
    let mut client = client(&store, vec![]).await;
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

#[get("/late/<number>")]
async fn late(number: u32, lazy: LazySession) -> Result<String, SessionError> {
    pause(number as usize % 7).await;
    let session = lazy.load().await?;
    let before = session.get::<u32>("number")?;
    session.insert("number", number)?;
    pause(number as usize % 5).await;
    Ok(format!("{before:?}"))
}

/// All requests run in one task, so that nothing tells them apart but themselves.
#[rocket::async_test]
async fn requests_that_take_turns_in_one_task_never_see_each_others_sessions() {
    // Shows: A47
    let store = TestStore::waiting(2);
    let first = client(&store, routes![late]).await;
    let mut clients: Vec<Client> = (0..40).map(|_| first.stranger()).collect();
    let mut expected = "None".to_owned();
    for round in 0..3u32 {
        let requests = clients.iter_mut().zip(0u32..).map(|(client, number)| {
            let path = format!("/late/{}", 100 * round + number);
            async move { client.get(&path).await.body }
        });
        for (body, number) in join_all(requests).await.iter().zip(0u32..) {
            if round > 0 {
                expected = format!("Some({})", 100 * (round - 1) + number);
            }
            assert_eq!(*body, expected);
        }
    }
    assert_eq!(store.records(), 40);
}

#[rocket::async_test]
async fn a_clone_of_a_local_request_has_a_session_of_its_own() {
    let store = TestStore::default();
    let client = client(&store, vec![]).await;
    let request = client.rocket.get("/count");
    for _ in 0..3 {
        let response = request.clone().dispatch().await;
        assert_eq!(response.headers().get("Set-Cookie").count(), 1);
        assert_eq!(response.into_string().await.unwrap(), "1");
    }
    assert_eq!(store.records(), 3);
}
