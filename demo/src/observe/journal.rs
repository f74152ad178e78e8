//! The latest requests of all visitors, and which of them belong to one session.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    sync::{Mutex, PoisonError},
};

use super::story::Story;

/// Requests that are remembered.
const CAPACITY: usize = 512;
/// Requests that are looked up for one session.
const MOST_FOUND: usize = 100;

/// A ring of stories.
#[derive(Default)]
pub(crate) struct Journal {
    stories: Mutex<VecDeque<Story>>,
}

impl Journal {
    /// Adds the story of a request, and forgets the oldest.
    pub(crate) fn add(&self, story: Story) {
        let mut stories = self.stories.lock().unwrap_or_else(PoisonError::into_inner);
        if stories.len() == CAPACITY {
            stories.pop_front();
        }
        stories.push_back(story);
    }

    /// What happened to the same session before this request, newest first. Its earlier ids count as well: a sign-in
    /// is part of the story. What was before a sign-out is not.
    pub(crate) fn before(&self, story: &Story) -> Vec<Story> {
        let mut names: HashSet<_> = story.names().collect();
        let stories = self.stories.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        for earlier in stories.iter().rev() {
            if [earlier.before, earlier.after].iter().flatten().any(|name| names.contains(name)) {
                names.extend(earlier.names());
                found.push(earlier.clone());
            }
            if found.len() == MOST_FOUND {
                break;
            }
        }
        found
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::response::Response;
    use http::Method;

    use super::*;
    use crate::observe::notes::Notes;

    #[test]
    fn the_ring_forgets_the_oldest() {
        let journal = Journal::default();
        for number in 0..CAPACITY + 3 {
            let what = (Method::GET, format!("/{number}"));
            journal.add(Story::new(what, &Response::default(), Duration::ZERO, &Notes::default(), None));
        }
        let stories = journal.stories.lock().unwrap();
        assert_eq!(stories.len(), CAPACITY);
        assert_eq!(stories[0].path, "/3");
    }
}
