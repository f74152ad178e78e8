//! What the shop sells, and what a visitor keeps in the session.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use session_core::Key;

/// The visitor's cart.
pub(crate) const CART: Key<Cart> = Key::new("cart");
/// Where the tea goes.
pub(crate) const DELIVERY: Key<Delivery> = Key::new("delivery");

/// The most of one tea in a cart.
const MOST_OF_ONE: u32 = 9_999;

/// A tea on the shelf.
#[derive(Debug)]
pub(crate) struct Tea {
    pub(crate) slug: &'static str,
    pub(crate) name: &'static str,
    pub(crate) origin: &'static str,
    pub(crate) taste: &'static str,
    pub(crate) brewing: &'static str,
    pub(crate) cents: u32,
}

/// The shelf.
pub(crate) const TEAS: [Tea; 6] = [
    Tea {
        slug: "sencha",
        name: "Sencha",
        origin: "Shizuoka, Japan",
        taste: "Cut grass, sea air, a clean sweet finish.",
        brewing: "70 °C, one minute. Good for three steeps.",
        cents: 1_250,
    },
    Tea {
        slug: "oolong",
        name: "Iron Goddess",
        origin: "Anxi, China",
        taste: "Orchid and warm butter, lightly roasted.",
        brewing: "90 °C, two minutes. Good for five steeps.",
        cents: 1_680,
    },
    Tea {
        slug: "assam",
        name: "Assam Second Flush",
        origin: "Dibrugarh, India",
        taste: "Malt, dark honey, enough body for milk.",
        brewing: "95 °C, three minutes.",
        cents: 980,
    },
    Tea {
        slug: "peony",
        name: "White Peony",
        origin: "Fuding, China",
        taste: "Melon, hay, very soft.",
        brewing: "80 °C, four minutes. Good for three steeps.",
        cents: 1_490,
    },
    Tea {
        slug: "rooibos",
        name: "Red Rooibos",
        origin: "Cederberg, South Africa",
        taste: "Vanilla, orange peel, no caffeine.",
        brewing: "Boiling water, six minutes.",
        cents: 760,
    },
    Tea {
        slug: "mint",
        name: "Garden Mint",
        origin: "Our own roof",
        taste: "Peppermint and a little lemon balm.",
        brewing: "Boiling water, five minutes.",
        cents: 690,
    },
];

impl Tea {
    /// The tea with this slug.
    pub(crate) fn find(slug: &str) -> Option<&'static Self> {
        TEAS.iter().find(|tea| tea.slug == slug)
    }
}

/// How many of which tea.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Cart {
    tins: BTreeMap<String, u32>,
}

impl Cart {
    /// Puts `tins` more of a tea into the cart.
    pub(crate) fn add(&mut self, tea: &Tea, tins: u32) {
        let held = self.tins.entry(tea.slug.to_owned()).or_default();
        *held = held.saturating_add(tins).min(MOST_OF_ONE);
    }

    /// Has `tins` of a tea in the cart; none takes it out.
    pub(crate) fn set(&mut self, tea: &Tea, tins: u32) {
        if tins == 0 {
            self.tins.remove(tea.slug);
        } else {
            self.tins.insert(tea.slug.to_owned(), tins.min(MOST_OF_ONE));
        }
    }

    /// The teas in the order of the shelf, and how many of each.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&'static Tea, u32)> {
        TEAS.iter().filter_map(|tea| self.tins.get(tea.slug).map(|tins| (tea, *tins)))
    }

    /// The number of tins.
    pub(crate) fn count(&self) -> u32 {
        self.lines().map(|(_, tins)| tins).sum()
    }

    /// What they cost together.
    pub(crate) fn cents(&self) -> u32 {
        self.lines().map(|(tea, tins)| tea.cents * tins).sum()
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.count() == 0
    }
}

/// Where the tea goes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Delivery {
    pub(crate) address: String,
    pub(crate) note: String,
}
