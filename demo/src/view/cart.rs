//! The cart.

use maud::{Markup, html};

use super::{
    format::money,
    parts::{heading, nothing, token_field},
    tin::tin,
};
use crate::shop::{Cart, TEAS};

/// The cart, and the button that changes it from many requests at once.
pub(crate) fn cart(cart: &Cart, token: Option<&str>) -> Markup {
    html! {
        (heading("Your cart", "It lives in the session. Parallel requests change it without losing anything."))
        div #cart {
            @match token {
                Some(token) if !cart.is_empty() => (lines(cart, token)),
                _ => (nothing("Nothing in it yet", "Six teas on the shelf would like to be.", ("/", "To the shelf"))),
            }
        }
        (burst())
    }
}

fn lines(cart: &Cart, token: &str) -> Markup {
    html! {
        ul.lines {
            @for (tea, tins) in cart.lines() {
                li.line {
                    (tin(tea))
                    div.line-name {
                        a href={ "/tea/" (tea.slug) } { (tea.name) }
                        small { (money(tea.cents)) " each" }
                    }
                    form.inline.line-tins method="post" action="/cart/change" {
                        (token_field(token))
                        input type="hidden" name="tea" value=(tea.slug);
                        @let id = format!("tins-{}", tea.slug);
                        label.hidden for=(id) { "Tins of " (tea.name) }
                        input.number id=(id) type="number" name="tins" value=(tins) min="0" max="9999" required;
                        button.button.quiet.small { "Change" }
                    }
                    span.line-price { (money(tea.cents * tins)) }
                }
            }
        }
        div.total {
            span { "Total" }
            strong #total data-count=(cart.count()) { (money(cart.cents())) }
        }
        div.actions {
            form method="post" action="/cart/order" { (token_field(token)) button.button { "Place the order" } }
            form method="post" action="/cart/empty" { (token_field(token)) button.button.quiet { "Empty the cart" } }
        }
    }
}

fn burst() -> Markup {
    let tea = &TEAS[0];
    html! {
        section.experiment {
            h2 { "Try to lose one" }
            p {
                "This sends 20 requests at once, each of which adds one tin of " (tea.name) " to the same session. "
                "A session that is read, changed and written back would lose most of them."
            }
            div.actions {
                button.button #burst type="button" data-tea=(tea.slug) data-requests="20" { "Add 20 at once" }
            }
            output #burst-result.result aria-live="polite" { }
            noscript { p.result { "This needs scripts: they send the requests." } }
        }
    }
}
