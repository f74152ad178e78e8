//! Pieces that several pages share.

use maud::{Markup, html};
use session_core::CSRF_FIELD;

/// The hidden field that proves that a form is from this site.
pub(crate) fn token_field(token: &str) -> Markup {
    html! { input type="hidden" name=(CSRF_FIELD) value=(token); }
}

/// The head of a page.
pub(crate) fn heading(title: &str, lead: &str) -> Markup {
    html! {
        header.heading {
            h1 { (title) }
            p.lead { (lead) }
        }
    }
}

/// What is shown where there is nothing to show.
pub(crate) fn nothing(title: &str, text: &str, (link, label): (&str, &str)) -> Markup {
    html! {
        div.nothing {
            (leaf())
            h2 { (title) }
            p { (text) }
            a.button href=(link) { (label) }
        }
    }
}

/// The mark of the shop.
pub(crate) fn leaf() -> Markup {
    html! {
        svg.leaf viewBox="0 0 32 32" aria-hidden="true" {
            path d="M27 4C14 4 5 9 5 19c0 3 1 5 2 6C9 17 14 12 20 10 14 14 10 20 8 28h3c1-2 1-3 2-4 10 0 15-8 14-20Z" {}
        }
    }
}
