//! Queries that carry an id, and links that shall.

use http::{Method, Request, Uri};
use session_core::{SessionId, persist::Query};
use url::Url;

use super::world::World;

thread_local! {
    static WORLD: World = World::new(|builder| builder.persistence(Query::default()));
}

const BASE: &str = "https://app.example/shop/cart";

/// The first line is the target of a request, the second the target of a link.
pub(super) fn run(input: &[u8]) -> bool {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let Ok(uri) = Uri::try_from(first) else { return false };
    WORLD.with(|world| {
        world.desk.clear();
        let (location, id) = redirect(world, &uri);
        follow(world, &uri, &location, &id, std::str::from_utf8(second).unwrap_or_default());
        post(world, &uri);
    });
    true
}

/// A page without a live id is redirected to itself, with one id, and everything else as it was.
fn redirect(world: &World, uri: &Uri) -> (String, String) {
    let mut request = Request::new(());
    *request.uri_mut() = uri.clone();
    let (response, answer) = world.send(&request, |_| ());
    assert!(answer.is_none() && response.status() == 302, "an id that nobody handed out is used");
    let location = response.headers()["location"].as_bytes();
    let location = std::str::from_utf8(location).unwrap();
    let query = location.strip_prefix('?').expect("a redirect leads elsewhere");
    let kept: Vec<&str> =
        uri.query().unwrap_or_default().split('&').filter(|kept| !kept.is_empty() && !is_id(kept)).collect();
    let (id, others) =
        query.split('&').collect::<Vec<_>>().split_last().map(|(id, rest)| (*id, rest.to_vec())).unwrap();
    assert_eq!(others, kept, "a redirect changes other parameters");
    let id = id.strip_prefix("sid=").unwrap();
    assert!(SessionId::parse(id.as_bytes()).is_some());
    if let Ok(base) = Url::parse(BASE) {
        let target = base.join(location).unwrap();
        assert_eq!((target.host_str(), target.path()), (Some("app.example"), "/shop/cart"));
    }
    (location.to_owned(), id.to_owned())
}

fn is_id(parameter: &str) -> bool {
    parameter == "sid" || parameter.starts_with("sid=")
}

/// Whoever follows is not redirected again; the links of the page carry the id, and only to where we are.
fn follow(world: &World, uri: &Uri, location: &str, id: &str, target: &str) {
    let Ok(next) = Uri::try_from(format!("{}{location}", uri.path())) else { return };
    let mut request = Request::new(());
    *request.uri_mut() = next;
    let (_, answer) = world.send(&request, |session| {
        session.insert("k", 1).unwrap();
        session.link(target).unwrap()
    });
    let link = answer.expect("a redirect leads to a redirect").unwrap();
    if link == target {
        return;
    }
    let base = Url::parse(BASE).unwrap();
    let Ok(target) = base.join(target) else {
        panic!("an id is put on what is no reference");
    };
    let joined = base.join(&link).expect("a link with an id is no reference");
    assert_eq!(joined.origin(), base.origin(), "an id leaves: {link:?}");
    assert_eq!(joined.path(), target.path(), "a link leads elsewhere");
    assert_eq!(joined.fragment(), target.fragment());
    let parameters: Vec<&str> = joined.query().unwrap_or_default().split('&').collect();
    assert_eq!(parameters.iter().filter(|parameter| is_id(parameter)).count(), 1, "a link has two ids");
    assert_eq!(parameters.last(), Some(&&*format!("sid={id}")));
}

/// Nothing else is redirected, and nothing is stored for who only comes by.
fn post(world: &World, uri: &Uri) {
    world.desk.clear();
    let mut request = Request::new(());
    (*request.method_mut(), *request.uri_mut()) = (Method::POST, uri.clone());
    let (response, answer) = world.send(&request, |session| session.id().is_none());
    assert!(answer.unwrap().unwrap() && response.status() == 200);
    assert!(world.desk.shelf().written.is_empty());
}
