//! Many users in front of one cache, who compare what they get with who they are.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use http::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, Response};

use crate::apps::{NOBODY, USER};

/// What went wrong, and what did not.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) requests: usize,
    /// Answers that were meant for somebody else.
    pub(crate) crossed: usize,
    /// Cookies that were handed out more than once.
    pub(crate) cookies_twice: usize,
    /// Answers that came out of the cache.
    pub(crate) from_the_cache: usize,
}

/// Lets `users` users go through the cache on that port, side by side: each signs in, and looks `rounds` times at the
/// page for everybody and at their own, with their cookie and without.
pub(crate) async fn walk(cache: SocketAddr, users: usize, rounds: usize) -> Seen {
    let seen = Arc::new(Mutex::new((Seen::default(), HashSet::new())));
    let client = Client::builder().build().unwrap();
    let mut walks = Vec::new();
    for user in 0..users {
        let visitor = Visitor { client: client.clone(), cache, seen: seen.clone() };
        walks.push(tokio::spawn(visitor.walk(format!("user {user}"), rounds)));
        // A few at a time: a cache gives up on a crowd, and that is not what is looked at.
        if walks.len() == AT_A_TIME {
            for walk in walks.drain(..) {
                walk.await.unwrap();
            }
        }
    }
    for walk in walks {
        walk.await.unwrap();
    }
    let mut seen = seen.lock().unwrap();
    std::mem::take(&mut seen.0)
}

const AT_A_TIME: usize = 8;

struct Visitor {
    client: Client,
    cache: SocketAddr,
    seen: Arc<Mutex<(Seen, HashSet<String>)>>,
}

impl Visitor {
    async fn walk(self, user: String, rounds: usize) {
        let answer = self.get("/sign-in", &[(USER.into(), user.clone())]).await;
        let Some(cookie) = cookie(&answer) else {
            // An answer without a cookie is somebody else's, or none at all.
            self.seen.lock().unwrap().0.crossed += 1;
            return;
        };
        {
            let mut seen = self.seen.lock().unwrap();
            let new = seen.1.insert(cookie.clone());
            seen.0.cookies_twice += usize::from(!new);
        }
        let cookie = [(COOKIE.to_string(), cookie)];
        for _ in 0..rounds {
            self.expect("/me", &cookie, &user).await;
            self.get("/everybody", &cookie).await;
            self.expect("/me", &[], NOBODY).await;
            self.get("/everybody", &[]).await;
        }
    }

    async fn expect(&self, path: &str, fields: &[(String, String)], whom: &str) {
        let text = self.get(path, fields).await.text().await.unwrap();
        self.seen.lock().unwrap().0.crossed += usize::from(text != whom);
    }

    async fn get(&self, path: &str, fields: &[(String, String)]) -> Response {
        let request = self.client.get(format!("http://{}{path}", self.cache));
        let request = fields.iter().fold(request, |request, (name, value)| request.header(name, value));
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        let hit = response.headers().get("x-cache").is_some_and(|cache| cache == "HIT");
        let seen = &mut self.seen.lock().unwrap().0;
        seen.requests += 1;
        seen.from_the_cache += usize::from(hit);
        response
    }
}

fn cookie(response: &Response) -> Option<String> {
    let field = response.headers().get(SET_COOKIE)?.to_str().unwrap();
    field.split(';').next().map(str::to_owned)
}
