//! Puts the frame around each page: navigation, messages, and the receipt of what the session layer did.

use std::time::{Instant, SystemTime};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{
    HeaderName, HeaderValue,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE},
};
use maud::Markup;
use serde_json::json;
use session_core::{LazySession, Session};

use super::{
    Site,
    page::{Page, existing_token},
    problem::Problem,
    session::PanelOnly,
};
use crate::{
    observe::{Story, listening},
    shop::CART,
    view::{
        layout::{self, Flash, Frame, Visitor},
        panel::{Receipt, panel},
    },
};

/// Tells scripts and curl what the library did.
const REPORT: HeaderName = HeaderName::from_static("x-session-report");
/// Bytes of an answer that are read to show it as the reason for a problem.
const LONGEST_REASON: usize = 512;

/// The middleware.
pub(super) async fn frame(State(site): State<Site>, request: Request, next: Next) -> Response {
    let what = (request.method().clone(), request.uri().path().to_owned());
    let wish = Wish::of(&request);
    let begun = Instant::now();
    let (mut response, notes) = listening(next.run(request)).await;

    let session = notes.session.as_ref().and_then(LazySession::loaded);
    let name = session.as_ref().and_then(Session::id).map(|id| site.manager.fingerprint(&id));
    let story = Story::new(what, &response, begun.elapsed(), &notes, name);
    if let Ok(summary) = HeaderValue::try_from(story.summary()) {
        response.headers_mut().insert(REPORT, summary);
    }
    let over = Over { site: &site, story: &story, session: session.as_ref() };
    let extensions = response.extensions_mut();
    if extensions.remove::<PanelOnly>().is_some() {
        let stories = site.journal.before(&story);
        return with_body(response, over.receipt(stories.split_first(), false));
    }
    if let Some(Page { title, content, flashes, token }) = extensions.remove() {
        response = with_body(response, over.page(&title, &content, &flashes, token.as_deref()));
    } else if response.status().is_client_error() || response.status().is_server_error() {
        response = over.explain(response, wish).await;
    }
    site.journal.add(story);
    response
}

/// A request whose session part is over: all is stored, and only reading is left.
struct Over<'a> {
    site: &'a Site,
    story: &'a Story,
    session: Option<&'a Session>,
}

impl Over<'_> {
    fn page(&self, title: &str, content: &Markup, flashes: &[Flash], token: Option<&str>) -> Markup {
        let frame = Frame { title, path: &self.story.path, flashes, token, visitor: self.visitor() };
        let earlier = self.site.journal.before(self.story);
        layout::page(&frame, content, &self.receipt(Some((self.story, &earlier)), true))
    }

    fn receipt(&self, stories: Option<(&Story, &[Story])>, is_own: bool) -> Markup {
        panel(&Receipt {
            stories,
            session: self.session,
            is_own,
            log_name: self.story.after.map(|name| name.to_string()),
            stats: self.site.manager.stats(),
            store: &self.site.store,
            expiry: self.site.manager.config().expiry,
            now: SystemTime::now(),
        })
    }

    /// Whose page it is. Nobody's, if the session is not known.
    fn visitor(&self) -> Visitor {
        let Some(session) = self.session else { return Visitor::default() };
        // A cart that another version of this program wrote may not be readable, and is as good as none here.
        let cart = session.get(CART).ok().flatten().unwrap_or_default();
        Visitor { signed_in: session.principal(), in_cart: cart.count() }
    }

    /// Makes an answer that says that something did not work readable for whoever asked.
    async fn explain(&self, response: Response, wish: Wish) -> Response {
        let (parts, body) = response.into_parts();
        let known = parts.extensions.get::<Problem>();
        let problem = known.copied().unwrap_or_else(|| Problem::of(parts.status));
        let body = to_bytes(body, LONGEST_REASON).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&body);
        let reason =
            Some(text.trim().trim_end_matches('.')).filter(|text| known.is_none() && !text.is_empty());
        let status = parts.status;
        let response = Response::from_parts(parts, Body::empty());
        match wish {
            Wish::Page => {
                let content = layout::problem(status.as_u16(), problem.title, problem.text, reason);
                let token = self.session.and_then(|session| existing_token(session).ok().flatten());
                with_body(response, self.page(problem.title, &content, &[], token.as_deref()))
            }
            Wish::Json => with_body(response, axum::Json(json!({ "error": problem.text, "reason": reason }))),
            Wish::Text => with_body(response, format!("{}\n", reason.unwrap_or(problem.text))),
        }
    }
}

/// What a client would like to read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Page,
    Json,
    Text,
}

impl Wish {
    fn of(request: &Request) -> Self {
        let accept = request.headers().get(ACCEPT).map_or(&[][..], HeaderValue::as_bytes);
        let names = |name: &[u8]| accept.windows(name.len()).any(|part| part.eq_ignore_ascii_case(name));
        match () {
            () if names(b"text/html") => Self::Page,
            () if names(b"application/json") => Self::Json,
            () => Self::Text,
        }
    }
}

/// Another body, with the fields that describe it; everything else on the head stays.
fn with_body(response: Response, body: impl IntoResponse) -> Response {
    let (mut parts, _) = response.into_parts();
    let (described, body) = body.into_response().into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    if let Some(content_type) = described.headers.get(CONTENT_TYPE) {
        parts.headers.insert(CONTENT_TYPE, content_type.clone());
    }
    Response::from_parts(parts, body)
}
