//! Runs a target, and measures what it allocates.

use allocation_counter::measure;

use crate::Target;

/// Runs the target. Answers whether the input got past the outermost check, so that a corpus can be seen to be of use.
///
/// # Panics
/// If the target panics, and if it allocated more than its bound.
#[must_use]
pub fn bounded(target: &Target, input: &[u8]) -> bool {
    let mut accepted = false;
    let mut peak = measure(|| accepted = (target.run)(input)).bytes_max;
    let bound = u64::try_from((target.most_bytes)(input.len())).unwrap_or(u64::MAX);
    if peak > bound {
        // What is made once for the whole process does not count.
        peak = measure(|| accepted = (target.run)(input)).bytes_max;
    }
    assert!(peak <= bound, "{} bytes of input make {peak} bytes of memory, more than {bound}", input.len());
    accepted
}
