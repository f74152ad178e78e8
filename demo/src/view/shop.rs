//! The shelf, and one tea.

use maud::{Markup, html};

use super::{format::money, parts::token_field, tin::tin};
use crate::shop::{TEAS, Tea};

/// The shelf. Without a token the buttons lead to the tea, whose form has one: nothing is stored for a visitor who only
/// looks around.
pub(crate) fn shelf(token: Option<&str>) -> Markup {
    html! {
        header.hero {
            p.eyebrow { "A small tea shop" }
            h1 { "It remembers you, and tells you how." }
            p.lead {
                "Put something in the cart, sign in, open a second browser. The receipt with each page shows what the "
                "session library did on that request, and why."
            }
        }
        ul.shelf {
            @for tea in &TEAS {
                li.card {
                    a.card-picture href={ "/tea/" (tea.slug) } tabindex="-1" aria-hidden="true" { (tin(tea)) }
                    div.card-text {
                        h2 { a href={ "/tea/" (tea.slug) } { (tea.name) } }
                        p.origin { (tea.origin) }
                        p { (tea.taste) }
                    }
                    div.card-foot {
                        span.price { (money(tea.cents)) small { " / 100 g" } }
                        (add_button(tea, token))
                    }
                }
            }
        }
    }
}

/// One tea.
pub(crate) fn tea(tea: &Tea, token: &str) -> Markup {
    html! {
        article.tea {
            div.tea-picture { (tin(tea)) }
            div.tea-text {
                p.eyebrow { (tea.origin) }
                h1 { (tea.name) }
                p.lead { (tea.taste) }
                dl.facts {
                    dt { "Brewing" } dd { (tea.brewing) }
                    dt { "Tin" } dd { "100 g, " (money(tea.cents)) }
                }
                form.inline method="post" action="/cart/add" data-add {
                    (token_field(token))
                    input type="hidden" name="tea" value=(tea.slug);
                    label for="tins" { "Tins" }
                    input #tins.number type="number" name="tins" value="1" min="1" max="99" required;
                    button.button { "Add to cart" }
                }
                p { a href="/" { "Back to the shelf" } }
            }
        }
    }
}

fn add_button(tea: &Tea, token: Option<&str>) -> Markup {
    let label = html! { button.button.small aria-label={ "Add " (tea.name) " to the cart" } { "Add" } };
    html! {
        @if let Some(token) = token {
            form method="post" action="/cart/add" data-add {
                (token_field(token))
                input type="hidden" name="tea" value=(tea.slug);
                (label)
            }
        } @else {
            form method="get" action={ "/tea/" (tea.slug) } data-add {
                input type="hidden" name="tea" value=(tea.slug);
                (label)
            }
        }
    }
}
