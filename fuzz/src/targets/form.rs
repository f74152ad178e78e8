//! Bodies that may carry a CSRF token, and fields that say where a request comes from.

use http::{HeaderMap, HeaderValue, Method, Request, header};
use session_core::{CSRF_FIELD, Origin, TokenForm};

use super::world::World;

thread_local! {
    static WORLD: World = World::new(|builder| builder);
}

/// Two lines are `Origin` and `Host`, a third the type of the content, the rest is the body.
pub(super) fn run(input: &[u8]) -> bool {
    let mut lines = input.splitn(4, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (origin, host, media_type, body) = (line(), line(), line(), line());
    let declared = HeaderMap::from_iter(
        HeaderValue::from_bytes(media_type).ok().map(|value| (header::CONTENT_TYPE, value)),
    );
    let _ = TokenForm::is_declared(&declared);
    let token = read(body);
    forged(origin, host, token.as_deref().unwrap_or_default());
    token.is_some()
}

/// The first token is found and all are taken out, as the URL standard reads the form.
fn read(body: &[u8]) -> Option<String> {
    let pairs =
        |body: &[u8]| -> Vec<(String, String)> { form_urlencoded::parse(body).into_owned().collect() };
    let is_token = |(name, _): &(String, String)| name == CSRF_FIELD;
    let (form, all) = (TokenForm::new(body), pairs(body));
    let token = form.token().map(String::from);
    assert_eq!(token, all.iter().find(|pair| is_token(pair)).map(|(_, token)| token.clone()));
    let rest = form.without_token();
    let others: Vec<_> = all.into_iter().filter(|pair| !is_token(pair)).collect();
    assert_eq!(pairs(&rest), others, "without its token a form is another one");
    assert_eq!(TokenForm::new(&rest).token(), None, "a token is left");
    token
}

/// No token but our own is right, and no origin but our own.
fn forged(origin: &[u8], host: &[u8], token: &str) {
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    let headers = request.headers_mut();
    headers.extend(HeaderValue::from_bytes(host).ok().map(|value| (header::HOST, value)));
    headers.extend(HeaderValue::from_bytes(origin).ok().map(|value| (header::ORIGIN, value)));
    let trusted: Vec<Origin> =
        std::str::from_utf8(origin).ok().and_then(|text| text.parse().ok()).into_iter().collect();
    for trusted in &trusted {
        assert_eq!(trusted.as_str().as_bytes(), origin, "an origin is not what it was read from");
    }
    WORLD.with(|world| {
        let (_, answer) = world.send(&request, |session| {
            let own = session.csrf_token().unwrap();
            assert!(session.verify_csrf(&own) && !session.verify_csrf(token), "a token of another is right");
            let check = |trusted: &[&str]| session.check_csrf(&(&request).into(), Some(&own), trusted);
            let same = check(&[]).is_ok();
            let said = request.headers().get(header::ORIGIN).map(HeaderValue::as_bytes);
            let own_host = request.headers().get(header::HOST).map(HeaderValue::as_bytes);
            let ours = said.is_none_or(|said| {
                let rest = said.strip_prefix(b"https://").or(said.strip_prefix(b"http://"));
                rest.is_some()
                    && rest.map(<[u8]>::to_ascii_lowercase) == own_host.map(<[u8]>::to_ascii_lowercase)
            });
            assert_eq!(same, ours, "another origin is taken for ours, or ours for another");
            if let Some(trusted) = trusted.first() {
                assert!(check(&[trusted.as_str()]).is_ok(), "a trusted origin is refused");
            }
            session.revert().unwrap();
        });
        answer.unwrap().unwrap();
        world.desk.clear();
    });
}
