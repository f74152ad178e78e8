//! Where the tea goes: a form that only this site can send.

use maud::{Markup, html};

use super::parts::{heading, token_field};
use crate::shop::Delivery;

/// The form, and two that are forged.
pub(crate) fn delivery(delivery: &Delivery, token: &str, foreign_token: &str) -> Markup {
    html! {
        (heading("Delivery", "Where should the tea go? The form carries a token that no other site can know."))
        form.form method="post" action="/delivery" {
            (token_field(token))
            div.field {
                label for="address" { "Address" }
                textarea #address name="address" rows="3" maxlength="300" required autocomplete="street-address" {
                    (delivery.address)
                }
            }
            div.field {
                label for="note" { "Note for the driver " small { "(optional)" } }
                input #note type="text" name="note" maxlength="120" value=(delivery.note);
            }
            button.button { "Save" }
        }
        section.experiment {
            h2 { "Try to forge it" }
            p {
                "A page on another site could contain this form too, filled in as its author likes. These two buttons "
                "send it the way such a page would. Your address will not change."
            }
            div.actions {
                (forged("Without a token", None))
                (forged("With somebody else’s token", Some(foreign_token)))
            }
        }
    }
}

fn forged(label: &str, token: Option<&str>) -> Markup {
    html! {
        form method="post" action="/delivery" {
            @if let Some(token) = token { (token_field(token)) }
            input type="hidden" name="address" value="1 Attacker Street";
            input type="hidden" name="note" value="forged";
            button.button.danger { (label) }
        }
    }
}
