//! Messages for the next page.

use crate::{error::SessionError, namespace::Namespace, session::Session};

const NAMESPACE: &str = "\0flash";
/// The queue of [`Session::flash`].
const DEFAULT_QUEUE: &str = "";

/// Flash messages: put in by one request, shown once by a later one. Queues keep kinds of messages apart.
///
/// ```
/// # use session_core::{Session, SessionError};
/// # fn example(session: &Session) -> Result<(), SessionError> {
/// session.flash("The cake is in your cart")?;
/// session.flash_to("error", "The oven is full")?;
/// // after the redirect
/// assert_eq!(session.take_flashes_from("error")?, ["The oven is full"]);
/// assert!(session.take_flashes_from("error")?.is_empty());
/// # Ok(())
/// # }
/// ```
impl Session {
    /// Adds a message.
    ///
    /// # Errors
    /// [`SessionError::LimitExceeded`], and those of every change.
    pub fn flash(&self, message: impl Into<String>) -> Result<(), SessionError> {
        self.flash_to(DEFAULT_QUEUE, message)
    }

    /// Adds a message to a queue.
    ///
    /// # Errors
    /// [`SessionError::LimitExceeded`], and those of every change.
    pub fn flash_to(&self, queue: &str, message: impl Into<String>) -> Result<(), SessionError> {
        let message = message.into();
        self.change_queue(queue, move |messages| messages.push(message.clone()))
    }

    /// Adds a message to a queue unless it waits there already.
    ///
    /// # Errors
    /// [`SessionError::LimitExceeded`], and those of every change.
    pub fn flash_once(&self, queue: &str, message: impl Into<String>) -> Result<(), SessionError> {
        let message = message.into();
        self.change_queue(queue, move |messages| {
            if !messages.contains(&message) {
                messages.push(message.clone());
            }
        })
    }

    /// The messages, oldest first, which are then gone.
    ///
    /// # Errors
    /// Those of every change.
    pub fn take_flashes(&self) -> Result<Vec<String>, SessionError> {
        self.take_flashes_from(DEFAULT_QUEUE)
    }

    /// The messages of a queue, oldest first, which are then gone. Messages that a parallel request adds meanwhile stay.
    ///
    /// # Errors
    /// Those of every change.
    pub fn take_flashes_from(&self, queue: &str) -> Result<Vec<String>, SessionError> {
        let messages = self.peek_flashes_in(queue)?;
        if !messages.is_empty() {
            let taken = messages.clone();
            self.change_queue(queue, move |waiting| {
                for message in &taken {
                    if let Some(at) = waiting.iter().position(|waiting| waiting == message) {
                        waiting.remove(at);
                    }
                }
            })?;
        }
        Ok(messages)
    }

    /// The messages of a queue, oldest first, which stay for the next request.
    ///
    /// # Errors
    /// [`SessionError::Decode`] if the record is damaged.
    pub fn peek_flashes_in(&self, queue: &str) -> Result<Vec<String>, SessionError> {
        Ok(self.flash_queues().get::<Vec<String>>(queue)?.unwrap_or_default())
    }

    /// Puts messages back at the front of a queue, for a page that redirects once more instead of showing them.
    ///
    /// # Errors
    /// [`SessionError::LimitExceeded`], and those of every change.
    pub fn keep_flashes_in(&self, queue: &str, messages: Vec<String>) -> Result<(), SessionError> {
        self.change_queue(queue, move |waiting| {
            waiting.splice(0..0, messages.iter().cloned());
        })
    }

    fn change_queue(
        &self,
        queue: &str,
        mut change: impl FnMut(&mut Vec<String>) + Send + 'static,
    ) -> Result<(), SessionError> {
        let queues = self.flash_queues();
        queues.inner().update_with(&queues.name(), &queue, move |waiting: Option<Vec<String>>| {
            let mut waiting = waiting.unwrap_or_default();
            change(&mut waiting);
            (Some(waiting).filter(|waiting| !waiting.is_empty()), ())
        })
    }

    fn flash_queues(&self) -> Namespace {
        Namespace::internal(self, NAMESPACE)
    }
}
