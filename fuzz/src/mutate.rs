//! Changes inputs at random, for the short form: a fixed seed, no coverage, no engine.

/// A sequence of mutations that follows from its seed.
#[derive(Clone, Debug)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// The sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// One of `inputs`, changed in one to four places; sometimes a part of it is replaced with a part of another.
    pub fn next(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = inputs.get(self.below(inputs.len())).cloned().unwrap_or_default();
        for _ in 0..=self.below(4) {
            self.change(&mut bytes, inputs);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, inputs: &[Vec<u8>]) {
        let at = self.below(bytes.len() + 1);
        match self.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => bytes[at] = EDGES[self.below(EDGES.len())],
            2 => bytes.insert(at, EDGES[self.below(EDGES.len())]),
            3 => bytes.truncate(at),
            4 => {
                let end = (at + self.below(9)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                let end = (at + self.below(40)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                let Some(other) = inputs.get(self.below(inputs.len())) else { return };
                let start = self.below(other.len() + 1);
                let end = (start + self.below(40)).min(other.len());
                let replaced = (at + self.below(40)).min(bytes.len());
                bytes.splice(at..replaced, other[start..end].iter().copied());
            }
        }
    }

    /// A number below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        // SplitMix64 (Steele, Lea and Flood 2014).
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed >> 1).unwrap_or_default().checked_rem(end).unwrap_or_default()
    }
}

/// Bytes that mean something to one of the parsers, and the ends of their ranges.
const EDGES: &[u8] = b"\x00\x01\x02\x03\x1f\x20\t\n\r\x7f\x80\x85\xa0\xc2\xe2\xff;=,&?#/\\:%+-_.\"'{}@aAzZ09";
