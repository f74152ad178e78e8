//! Answers that are given before a request is routed. Fairings cannot respond, so the request is sent to a route that
//! does.

use bytes::Bytes;
use rocket::{
    Data, Request, Route,
    http::{Method, Status, uri::Origin},
    outcome::Outcome,
    route,
};

use crate::{local::Local, translate};

/// Has `answer` sent, whatever the request asks for.
pub(crate) fn instead_of_routing(request: &mut Request<'_>, answer: http::Response<Bytes>) {
    Local::of(request).begin_with_answer(answer);
    request.set_uri(Origin::path_only(PATH));
    // Rocket routes HEAD as GET, and has to know that it was HEAD.
    if request.method() != Method::Head {
        request.set_method(Method::Get);
    }
}

pub(crate) fn route() -> Route {
    let mut route = Route::ranked(isize::MIN, Method::Get, PATH, respond);
    route.name = Some("session answer".into());
    route
}

fn respond<'r>(request: &'r Request<'_>, data: Data<'r>) -> route::BoxFuture<'r> {
    Box::pin(std::future::ready(match Local::of(request).answer() {
        Some(answer) => Outcome::Success(translate::response(answer)),
        // Somebody asked for the path itself.
        None => Outcome::Forward((data, Status::NotFound)),
    }))
}

const PATH: &str = "/.session-answer";
