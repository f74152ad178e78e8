//! Names of values: typed keys, and plain strings wherever a key is expected.

use std::{borrow::Cow, fmt, marker::PhantomData};

/// The name of a value and its type, so that a session is read as what it was written.
///
/// ```
/// # use session_core::Key;
/// const VISITS: Key<u32> = Key::new("visits");
/// assert_eq!(VISITS.as_str(), "visits");
/// ```
pub struct Key<T> {
    name: &'static str,
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// The key called `name`.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, value: PhantomData }
    }

    /// The name of the key.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.name
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.name).finish()
    }
}

/// Anything that names a value: a [`Key`] or a string.
pub trait KeyName {
    /// The name.
    fn name(&self) -> &str;

    /// The name, owned if it has to be.
    fn to_name(&self) -> Cow<'static, str> {
        Cow::Owned(self.name().to_owned())
    }
}

/// Anything that names a value of type `T`: a [`Key<T>`], or a string, which fits every type.
pub trait AsKey<T>: KeyName {}

impl<T> KeyName for Key<T> {
    fn name(&self) -> &str {
        self.name
    }

    fn to_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.name)
    }
}

impl<T> AsKey<T> for Key<T> {}

macro_rules! string_keys {
    ($($string:ty),*) => {
        $(
            impl KeyName for $string {
                fn name(&self) -> &str {
                    self
                }
            }

            impl<T> AsKey<T> for $string {}
        )*
    };
}

string_keys!(&str, String, &String, Cow<'_, str>);
