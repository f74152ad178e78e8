//! Whether an adapter answers every request exactly as the reference does: one recorded corpus, sent to both with the same
//! clock and the same random numbers.
//!
//! Cases check rules; this finds what no rule was written for. Status, every field in which the session layer has a say,
//! and the body are compared byte for byte and in order.
//!
//! ```
//! use session_conformance::adapter::{Direct, Starter, agreement};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
//! # runtime.block_on(async {
//! let found = agreement::with_the_reference(Starter::of::<Direct>(), &[]).await?;
//! assert!(found.requests > 1_000 && found.differences.is_empty() && found.needless.is_empty());
//! # Ok::<(), session_conformance::Failure>(()) }).map_err(|failure| failure.to_string())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod corpus;
mod observed;
mod replay;

use std::fmt;

use http::Request;

pub use observed::Aspect;

use super::{application::Starter, direct::Direct, persist::Persist};
use crate::Result;

/// A difference that comes from the framework and not from the adapter, with the reason.
#[derive(Clone, Copy)]
pub struct Excuse {
    /// What may differ; everything, if there is no aspect.
    pub aspect: Option<Aspect>,
    /// In which answers.
    pub applies: fn(&Exchange<'_>) -> bool,
    /// Why the adapter cannot help it.
    pub reason: &'static str,
}

/// A request of the corpus, and both answers.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The strategy.
    pub persist: Persist,
    /// The request, as it was sent.
    pub request: &'a Request<bytes::Bytes>,
    /// The status with which the reference answers.
    pub expected: http::StatusCode,
    /// The status with which the adapter answers.
    pub found: http::StatusCode,
}

/// What came of the comparison.
#[derive(Debug)]
#[non_exhaustive]
pub struct Agreement {
    /// How many requests were compared.
    pub requests: usize,
    /// Differences that nothing excuses.
    pub differences: Vec<String>,
    /// How many differences were excused.
    pub excused: usize,
    /// The reasons of excuses that excused nothing: they have to go.
    pub needless: Vec<&'static str>,
}

/// Sends the corpus to an adapter and to the reference, with every strategy.
///
/// # Errors
/// When a manager cannot be built, or the corpus cannot be read.
pub async fn with_the_reference(starter: Starter, excuses: &[Excuse]) -> Result<Agreement> {
    let mut found = Agreement { requests: 0, differences: Vec::new(), excused: 0, needless: Vec::new() };
    let mut used = vec![false; excuses.len()];
    for persist in Persist::ALL {
        let mut expected = replay::Side::start(Starter::of::<Direct>(), *persist).await?;
        let mut other = replay::Side::start(starter, *persist).await?;
        for step in corpus::steps(*persist)? {
            let (Some(expected), Some(other)) = (expected.take(&step).await?, other.take(&step).await?)
            else {
                continue;
            };
            found.requests += 1;
            let exchange = Exchange {
                persist: *persist,
                request: &other.request,
                expected: expected.answer.status,
                found: other.answer.status,
            };
            for (aspect, difference) in expected.answer.differences(&other.answer) {
                let excuse = excuses.iter().position(|excuse| {
                    excuse.aspect.is_none_or(|excused| excused == aspect) && (excuse.applies)(&exchange)
                });
                match excuse {
                    Some(excuse) => {
                        used[excuse] = true;
                        found.excused += 1;
                    }
                    None => found.differences.push(format!("{persist}, line {}: {difference}", step.line)),
                }
            }
        }
    }
    let needless = excuses.iter().zip(used).filter(|(_, used)| !used);
    found.needless = needless.map(|(excuse, _)| excuse.reason).collect();
    Ok(found)
}

impl fmt::Debug for Excuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Excuse")
            .field("aspect", &self.aspect)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_has_more_than_300_requests() {
        let all: std::collections::HashSet<usize> = Persist::ALL
            .iter()
            .flat_map(|persist| corpus::steps(*persist).unwrap())
            .filter(|step| step.is_request())
            .map(|step| step.line)
            .collect();
        assert!(all.len() >= 300, "{}", all.len());
    }
}
