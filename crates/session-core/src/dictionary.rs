//! What every dictionary of a session can do: the root one, each namespace, each reserved one.

use std::{borrow::Cow, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    changes::{Namespace, Operation, Update},
    error::SessionError,
    key::KeyName,
    lazy::Inner,
    state::{Status, Wishes},
    value,
};

impl Inner {
    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        namespace: &str,
        key: &str,
    ) -> Result<Option<T>, SessionError> {
        self.state().find(namespace, key).map(|bytes| value::decode(key, bytes)).transpose()
    }

    pub(crate) fn insert<T: Serialize>(
        &self,
        namespace: Namespace,
        key: &impl KeyName,
        value: &T,
    ) -> Result<(), SessionError> {
        let value = value::encode(key.name(), value, self.shared.config.value_format)?;
        self.apply(namespace, key.to_name(), Operation::Set(value))
    }

    pub(crate) fn remove(&self, namespace: Namespace, key: &str) -> Result<bool, SessionError> {
        let present = {
            let state = self.state();
            state.check_mutable()?;
            state.find(&namespace, key).is_some()
        };
        if present {
            self.apply(namespace, Cow::Owned(key.to_owned()), Operation::Remove)?;
        }
        Ok(present)
    }

    pub(crate) fn take<T: DeserializeOwned>(
        &self,
        namespace: Namespace,
        key: &str,
    ) -> Result<Option<T>, SessionError> {
        self.state().check_mutable()?;
        let value = self.get(&namespace, key)?;
        self.remove(namespace, key)?;
        Ok(value)
    }

    /// Runs `change` outside of the lock, so that it may use the session itself, and starts over if the session was
    /// changed meanwhile.
    pub(crate) fn update_with<T, R>(
        &self,
        namespace: &Namespace,
        key: &impl KeyName,
        change: impl FnMut(Option<T>) -> (Option<T>, R) + Send + 'static,
    ) -> Result<R, SessionError>
    where
        T: Serialize + DeserializeOwned,
        R: 'static,
    {
        let (name, format, mut change) = (key.to_name(), self.shared.config.value_format, change);
        let mut run = {
            let name = name.clone();
            move |current: Option<&[u8]>| {
                let current = current.map(|bytes| value::decode(&name, bytes)).transpose()?;
                let (new, answer) = change(current);
                let new = new.map(|new| value::encode(&name, &new, format)).transpose()?;
                Ok::<_, SessionError>((new, answer))
            }
        };
        loop {
            let (current, epoch) = {
                let state = self.state();
                state.check_mutable()?;
                (state.find(namespace, &name).map(<[u8]>::to_vec), state.epoch)
            };
            let (bytes, answer) = run(current.as_deref())?;
            let mut state = self.state();
            if state.epoch == epoch {
                let step = move |current: Option<&[u8]>| run(current).map(|(bytes, _)| bytes);
                state.begin_anew();
                state.apply(
                    namespace.clone(),
                    name,
                    Operation::Update(vec![Arc::new(Update::new(step))], bytes),
                    self.shared.config.limits,
                )?;
                return Ok(answer);
            }
        }
    }

    pub(crate) fn apply(
        &self,
        namespace: Namespace,
        key: Cow<'static, str>,
        operation: Operation,
    ) -> Result<(), SessionError> {
        let mut state = self.state();
        state.check_mutable()?;
        state.begin_anew();
        state.apply(namespace, key, operation, self.shared.config.limits)
    }

    pub(crate) fn intend(&self, intend: impl FnOnce(&mut Wishes)) -> Result<(), SessionError> {
        let mut state = self.state();
        state.check_mutable()?;
        state.begin_anew();
        intend(&mut state.pending.intent);
        state.epoch += 1;
        Ok(())
    }
}

impl crate::state::State {
    /// A change after the session was ended begins another one.
    pub(crate) fn begin_anew(&mut self) {
        if self.status == Status::Ended {
            self.status = Status::New;
        }
    }
}

/// The methods of a dictionary, for the type that knows which one it is.
macro_rules! dictionary_methods {
    () => {
        /// The value of `key`, or `None`.
        ///
        /// # Errors
        /// [`SessionError::Decode`] if the value is of another type.
        pub fn get<T: DeserializeOwned>(&self, key: impl AsKey<T>) -> Result<Option<T>, SessionError> {
            self.inner().get(&self.name(), key.name())
        }

        /// Sets `key` to `value`.
        ///
        /// # Errors
        /// [`SessionError::Encode`], [`SessionError::LimitExceeded`], and those of every change.
        pub fn insert<T: Serialize>(&self, key: impl AsKey<T>, value: T) -> Result<(), SessionError> {
            self.inner().insert(self.name(), &key, &value)
        }

        /// Removes `key` and answers whether it was there.
        ///
        /// # Errors
        /// Those of every change.
        pub fn remove(&self, key: impl KeyName) -> Result<bool, SessionError> {
            self.inner().remove(self.name(), key.name())
        }

        /// Removes `key` and returns its value.
        ///
        /// # Errors
        /// [`SessionError::Decode`] if the value is of another type: it stays. And those of every change.
        pub fn take<T: DeserializeOwned>(&self, key: impl AsKey<T>) -> Result<Option<T>, SessionError> {
            self.inner().take(self.name(), key.name())
        }

        /// Whether there is a value for `key`.
        #[must_use]
        pub fn contains_key(&self, key: impl KeyName) -> bool {
            self.inner().state().find(&self.name(), key.name()).is_some()
        }

        /// The keys, in alphabetical order.
        #[must_use]
        pub fn keys(&self) -> Vec<String> {
            self.inner().state().keys(&self.name()).into_iter().collect()
        }

        /// The number of keys.
        #[must_use]
        pub fn len(&self) -> usize {
            self.inner().state().keys(&self.name()).len()
        }

        /// Whether there are no keys.
        #[must_use]
        pub fn is_empty(&self) -> bool {
            self.len() == 0
        }

        /// Removes all keys of this dictionary. Other namespaces, flash messages and the principal stay.
        ///
        /// # Errors
        /// Those of every change.
        pub fn clear(&self) -> Result<(), SessionError> {
            self.inner().state().clear(self.name())
        }

        /// Changes the value of `key` and returns the new one; an absent value starts as its default.
        ///
        /// Atomic across parallel requests: if another one is stored first, `change` runs again on its value, so it
        /// must not have other effects. The value returned is the one this request has computed; after
        /// [`save`](Session::save), [`get`](Self::get) tells the one that was stored.
        ///
        /// # Errors
        /// [`SessionError::Decode`], [`SessionError::Encode`], [`SessionError::LimitExceeded`], and those of every
        /// change.
        pub fn update<T>(
            &self,
            key: impl AsKey<T>,
            mut change: impl FnMut(&mut T) + Send + 'static,
        ) -> Result<T, SessionError>
        where
            T: Serialize + DeserializeOwned + Default + Clone + 'static,
        {
            self.inner().update_with(&self.name(), &key, move |current: Option<T>| {
                let mut value = current.unwrap_or_default();
                change(&mut value);
                (Some(value.clone()), value)
            })
        }

        /// The value of `key`, set to `default()` if there is none. If a parallel request sets it first, its value is
        /// the one that is stored.
        ///
        /// # Errors
        /// [`SessionError::Decode`], [`SessionError::Encode`], [`SessionError::LimitExceeded`], and those of every
        /// change.
        pub fn get_or_insert_with<T>(
            &self,
            key: impl AsKey<T>,
            default: impl FnOnce() -> T,
        ) -> Result<T, SessionError>
        where
            T: Serialize + DeserializeOwned + Clone + Send + 'static,
        {
            if let Some(value) = self.inner().get(&self.name(), key.name())? {
                return Ok(value);
            }
            let value = default();
            self.inner().update_with(&self.name(), &key, move |current: Option<T>| {
                let value = current.unwrap_or_else(|| value.clone());
                (Some(value.clone()), value)
            })
        }
    };
}

pub(crate) use dictionary_methods;
