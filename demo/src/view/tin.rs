//! A picture of a tea tin. Its colours come from the style sheet, by the name of the tea.

use maud::{Markup, html};

use crate::shop::Tea;

/// The tin of a tea.
pub(crate) fn tin(tea: &Tea) -> Markup {
    html! {
        svg class={ "tin tin-" (tea.slug) } viewBox="0 0 140 170" aria-hidden="true" {
            ellipse.tin-shadow cx="70" cy="158" rx="50" ry="7" {}
            rect.tin-body x="24" y="40" width="92" height="118" rx="9" {}
            rect.tin-shade x="94" y="40" width="22" height="118" rx="9" {}
            rect.tin-shine x="31" y="52" width="6" height="96" rx="3" {}
            rect.tin-lid x="30" y="14" width="80" height="32" rx="7" {}
            rect.tin-rim x="24" y="38" width="92" height="9" rx="4" {}
            rect.tin-label x="42" y="64" width="56" height="72" rx="4" {}
            rect.tin-frame x="46" y="68" width="48" height="64" rx="2" {}
            (motif(tea))
        }
    }
}

fn motif(tea: &Tea) -> Markup {
    match tea.slug {
        "oolong" | "peony" => html! {
            g.tin-motif transform="translate(70 98)" {
                @for turn in 0..6 {
                    ellipse cx="0" cy="-9" rx="5" ry="9" transform={ "rotate(" (turn * 60) ")" } {}
                }
                circle.tin-heart r="4" {}
            }
        },
        "rooibos" | "assam" => html! {
            g.tin-motif transform="translate(70 98)" {
                circle.tin-sun r="9" {}
                @for turn in 0..12 {
                    rect x="-1" y="-18" width="2" height="6" rx="1" transform={ "rotate(" (turn * 30) ")" } {}
                }
            }
        },
        _ => html! {
            g.tin-motif transform="translate(70 100)" {
                path d="M0 20C-2 6 0-4 0-20" class="tin-stem" {}
                path d="M0 2C-16 2-19-9-18-16-6-15 0-9 0 2Z" {}
                path d="M0 12C16 12 19 1 18-6 6-5 0 1 0 12Z" {}
            }
        },
    }
}
