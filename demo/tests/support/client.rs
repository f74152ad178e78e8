//! A browser as far as HTTP goes: a cookie jar, and pages that are looked at.

use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap, redirect::Policy};
use serde_json::Value;

/// What browsers accept where a page is expected.
pub const PAGE: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// One visitor.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Client {
    /// A visitor without cookies. Does not follow redirects.
    pub fn new(url: &str) -> Self {
        let http = reqwest::Client::builder().cookie_store(true).redirect(Policy::none()).build().unwrap();
        Self { http, url: url.to_owned() }
    }

    /// The same visitor, after the program was started again elsewhere.
    pub fn at(&self, url: &str) -> Self {
        Self { http: self.http.clone(), url: url.to_owned() }
    }

    /// Looks at a page.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).header("accept", PAGE)).await
    }

    /// Sends a form with a token.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token().await;
        let request = self.request(Method::POST, path).header("accept", PAGE).header("x-csrf-token", token);
        self.send(request.form(fields)).await
    }

    /// Adds to the cart as a script does, with a token it has already.
    pub async fn add(&self, tea: &str, token: &str) -> u64 {
        let request = self.request(Method::POST, "/cart/add").header("accept", "application/json");
        let answer = self.send(request.header("x-csrf-token", token).form(&[("tea", tea)])).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()["count"].as_u64().unwrap()
    }

    /// A token of the visitor's session.
    pub async fn token(&self) -> String {
        self.get("/token").await.text
    }

    /// Signs in, and follows the redirect.
    pub async fn sign_in(&self, name: &str) -> Answer {
        let answer = self.post("/sign-in", &[("name", name)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        self.get(answer.header("location")).await
    }

    /// What the shop says about the session.
    pub async fn session(&self) -> Value {
        self.get("/session").await.json()
    }

    /// A request of this visitor.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }
}

impl Answer {
    /// A header field that must be there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}")).to_str().unwrap()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The part of the page between two texts.
    pub fn between(&self, start: &str, end: &str) -> &str {
        let (_, rest) = self.text.split_once(start).unwrap_or_else(|| panic!("no {start} in {}", self.text));
        rest.split_once(end).unwrap().0
    }
}
