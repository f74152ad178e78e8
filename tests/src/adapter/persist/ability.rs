//! What a strategy cannot do, and why: the one place where that is said. The suite skips what needs it, with this
//! sentence; nothing is left out for any other reason.

use super::Persist;
use crate::adapter::case::Need;

impl Persist {
    /// What cannot be done with this strategy, whatever adapter and store are used.
    #[must_use]
    pub const fn impossible(self) -> &'static [(Need, &'static str)] {
        match self {
            Self::Cookie | Self::SignedCookie | Self::Header | Self::Chain => &[],
            Self::Query => &[
                (
                    Need::Announcing,
                    "the application's links carry the id, also when storing fails afterwards",
                ),
                (Need::Laziness, "a GET without a live id is redirected to one before any route is chosen"),
                (Need::Rotation, "pages hold links with the id, so it cannot change by itself"),
                (Need::Vary, "the URL tells clients apart, and no answer may be stored"),
            ],
            Self::External => &[
                (Need::Announcing, "the application tells the id, also when storing fails afterwards"),
                (Need::Ambiguity, "the application reads one id"),
                (Need::Rotation, "the library cannot tell the client a new id"),
            ],
            Self::SealedSigned | Self::SealedEncrypted => &[
                (Need::Merging, "of two parallel responses the last one that arrives wins"),
                (
                    Need::PrincipalIndex,
                    "the sessions of a principal are with the clients, where nobody can list them",
                ),
                (Need::Revocation, "a copy of the cookie stays valid until its times end it"),
                (Need::Store, "there is no store: the cookie is the session"),
                (Need::Sweep, "there is no store to sweep"),
            ],
        }
    }

    /// Whether a case that needs this can run with this strategy.
    #[must_use]
    pub fn can(self, need: Need) -> bool {
        self.unmet(need).is_none()
    }

    /// Why not, as a sentence for the report.
    pub(in crate::adapter) fn unmet(self, need: Need) -> Option<String> {
        if let Some((_, reason)) = self.impossible().iter().find(|(impossible, _)| *impossible == need) {
            return Some(format!("not possible with {self}: {need} — {reason}"));
        }
        let about = match need {
            Need::Chain => self == Self::Chain,
            Need::Cookie => self.is_cookie(),
            Need::External => self == Self::External,
            Need::Header => self == Self::Header,
            Need::Keys => self.is_authentic(),
            Need::Query => self == Self::Query,
            Need::Sealed => self.is_sealed(),
            _ => true,
        };
        (!about).then(|| format!("not about {self}: {need}"))
    }

    /// Whether browsers keep what the client holds as a cookie.
    pub(in crate::adapter) const fn is_cookie(self) -> bool {
        !matches!(self, Self::Header | Self::Query | Self::External)
    }

    /// Whether the client holds the session itself.
    pub(in crate::adapter) const fn is_sealed(self) -> bool {
        matches!(self, Self::SealedSigned | Self::SealedEncrypted)
    }

    /// Whether what was not made by the library is recognized without asking a store.
    pub(in crate::adapter) const fn is_authentic(self) -> bool {
        matches!(self, Self::SignedCookie | Self::SealedSigned | Self::SealedEncrypted)
    }
}
