//! What all pages have around their content.

use maud::{DOCTYPE, Markup, html};

use super::parts::{leaf, token_field};

/// What the frame of a page shows.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    /// The path that the navigation marks.
    pub(crate) path: &'a str,
    pub(crate) flashes: &'a [Flash],
    /// For the form to sign out with, and for scripts.
    pub(crate) token: Option<&'a str>,
    pub(crate) visitor: Visitor,
}

/// Whose page it is.
#[derive(Debug, Default)]
pub(crate) struct Visitor {
    pub(crate) signed_in: Option<String>,
    pub(crate) in_cart: u32,
}

/// A message from the request before.
#[derive(Clone, Debug)]
pub(crate) struct Flash {
    pub(crate) is_trouble: bool,
    pub(crate) text: String,
}

/// The whole page.
pub(crate) fn page(frame: &Frame<'_>, content: &Markup, panel: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if let Some(token) = frame.token { meta name="csrf-token" content=(token); }
                title { (frame.title) " · Second Steep" }
                link rel="icon" href="/assets/leaf.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/site.css";
                script src="/assets/site.js" defer {}
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                (header(frame))
                div.columns {
                    main #content {
                        div #flashes role="status" {
                            @for flash in frame.flashes {
                                p.flash.trouble[flash.is_trouble] { (flash.text) }
                            }
                        }
                        (content)
                    }
                    (panel)
                }
                footer.foot {
                    p {
                        "Second Steep sells nothing. It shows what a session library does; "
                        a href="/session" { "this session as JSON" } "."
                    }
                }
            }
        }
    }
}

fn header(frame: &Frame<'_>) -> Markup {
    let Visitor { signed_in, in_cart } = &frame.visitor;
    html! {
        header.top {
            div.bar {
                a.brand href="/" { (leaf()) span { "Second Steep" } }
                nav.nav aria-label="Shop" {
                    (entry(frame, "/", "Teas"))
                    a href="/cart" aria-current=[(frame.path == "/cart").then_some("page")] {
                        "Cart "
                        span.count #cart-count hidden[*in_cart == 0] { (in_cart) }
                    }
                    (entry(frame, "/delivery", "Delivery"))
                    (entry(frame, "/devices", "Devices"))
                }
                div.account {
                    @match (signed_in, frame.token) {
                        (Some(name), Some(token)) => {
                            span.who { span { "Signed in as " } strong #signed-in { (name) } }
                            form method="post" action="/sign-out" {
                                (token_field(token))
                                button.button.quiet.small { "Sign out" }
                            }
                        }
                        (Some(name), None) => span.who { span { "Signed in as " } strong { (name) } },
                        (None, _) => a.button.small href="/sign-in" { "Sign in" },
                    }
                }
            }
        }
    }
}

fn entry(frame: &Frame<'_>, path: &str, label: &str) -> Markup {
    html! { a href=(path) aria-current=[(frame.path == path).then_some("page")] { (label) } }
}

/// The content of a page that says that something did not work.
pub(crate) fn problem(status: u16, title: &str, text: &str, reason: Option<&str>) -> Markup {
    html! {
        section.problem {
            p.problem-status { (status) }
            h1 { (title) }
            p.lead { (text) }
            @if let Some(reason) = reason { p.reason { "The reason: " (reason) "." } }
            p { a.button href="/" { "To the shelf" } }
        }
    }
}
