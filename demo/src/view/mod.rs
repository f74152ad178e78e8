//! The pages, as HTML. Everything that comes from outside goes through maud, which escapes it.

pub(crate) mod account;
pub(crate) mod cart;
pub(crate) mod delivery;
pub(crate) mod devices;
pub(crate) mod format;
pub(crate) mod layout;
pub(crate) mod panel;
pub(crate) mod parts;
pub(crate) mod shop;
pub(crate) mod tin;
mod why;
