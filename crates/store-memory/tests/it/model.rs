//! Random operations against a store of one shard and against a model that is too simple to be wrong.

use std::collections::BTreeMap;

use session_core::{Sweep, SweepRequest};

use super::*;

#[test]
fn agrees_with_the_model() {
    for seed in 0..20 {
        run(seed, 2_000);
    }
}

const MAX_RECORDS: usize = 12;
const MAX_BYTES: usize = 10 * (60 + OVERHEAD);

fn run(seed: u64, steps: u64) {
    let (clock, builder) = with_clock();
    let store = builder.shards(1).max_records(MAX_RECORDS).max_bytes(MAX_BYTES).build();
    let mut model = Model::default();
    for step in 0..steps {
        let random = mix(seed << 32 | step);
        let pick = |shift: u32, among: u64| (random >> shift) % among;
        let number = pick(0, 20);
        match pick(8, 16) {
            0 => clock.advance(Duration::from_secs(pick(16, 30))),
            1 => {
                assert_eq!(remove(&store, &key(number), None), Removed::Gone);
                model.records.remove(&number);
            }
            2 => {
                let before = in_seconds(&clock, pick(16, 20));
                let swept = block_on(store.sweep(SweepRequest::before(before))).unwrap();
                let count = model.records.len();
                model.records.retain(|_, record| record.expires_at >= before);
                assert_eq!((swept.removed, swept.finished), (count - model.records.len(), true));
            }
            _ => {
                let expires_at = model.unused(in_seconds(&clock, pick(16, 60)));
                let entry = Entry::new(vec![step as u8; pick(24, 120) as usize], expires_at).with_principal(
                    [None, None, Some(principal(1)), Some(principal(2))][pick(32, 4) as usize],
                );
                let expect = match load(&store, &key(number)) {
                    Some(found) if pick(40, 8) > 0 => Expect::Version(found.version),
                    _ => Expect::Absent,
                };
                let written = write(&store, &key(number), entry.clone(), expect);
                let expected = model.write(number, entry, expect, clock.now());
                assert_eq!(written.map(|written| matches!(written, Written::Stored(_))), expected);
                if let Ok(Written::Stored(version)) = written {
                    if let Some(record) = model.records.get_mut(&number) {
                        record.version = Some(version);
                    }
                    model.free_two_expired(clock.now());
                }
            }
        }
        model.compare(&store);
    }
}

#[derive(Default)]
struct Model {
    records: BTreeMap<u64, Record>,
    writes: u64,
}

struct Record {
    bytes: Vec<u8>,
    expires_at: SystemTime,
    principal: Option<PrincipalKey>,
    version: Option<Version>,
    written: u64,
}

impl Model {
    /// `Ok(true)` when stored, `Ok(false)` on a conflict.
    fn write(
        &mut self,
        number: u64,
        entry: Entry,
        expect: Expect,
        now: SystemTime,
    ) -> Result<bool, StoreErrorKind> {
        if expect == Expect::Absent && self.records.get(&number).is_some_and(|record| record.expires_at < now)
        {
            self.records.remove(&number);
        }
        let there = self
            .records
            .get(&number)
            .and_then(|record| record.version)
            .map_or(Expect::Absent, Expect::Version);
        if there != expect {
            return Ok(false);
        }
        if !self.make_room(number, OVERHEAD + entry.bytes.len(), now) {
            return Err(StoreErrorKind::Full);
        }
        self.writes += 1;
        let Entry { bytes, expires_at, principal, .. } = entry;
        let record =
            Record { bytes: bytes.to_vec(), expires_at, principal, version: None, written: self.writes };
        self.records.insert(number, record);
        Ok(true)
    }

    fn make_room(&mut self, spared: u64, need: usize, now: SystemTime) -> bool {
        while !self.fits(spared, need, |_| true) {
            let others = || self.records.iter().filter(|(number, _)| **number != spared);
            let expired = others().filter(|(_, record)| record.expires_at < now);
            let anonymous = others().filter(|(_, record)| record.principal.is_none());
            let victim = match expired.min_by_key(|(_, record)| record.expires_at) {
                Some(expired) => Some(expired),
                None if !self.fits(spared, need, |record| record.principal.is_some()) => None,
                None => anonymous.min_by_key(|(_, record)| record.written),
            };
            let Some(victim) = victim.map(|(number, _)| *number) else { return false };
            self.records.remove(&victim);
        }
        true
    }

    /// Whether a record of `need` bytes under `number` fits beside those of the others that are `kept`.
    fn fits(&self, number: u64, need: usize, kept: impl Fn(&Record) -> bool) -> bool {
        let others = self.records.iter().filter(|(other, record)| **other != number && kept(record));
        let sizes: Vec<_> = others.map(|(_, record)| record.bytes.len() + OVERHEAD).collect();
        sizes.len() < MAX_RECORDS && sizes.iter().sum::<usize>() + need <= MAX_BYTES
    }

    fn free_two_expired(&mut self, now: SystemTime) {
        for _ in 0..2 {
            let expired = self.records.iter().filter(|(_, record)| record.expires_at < now);
            let first = expired.min_by_key(|(_, record)| record.expires_at).map(|(number, _)| *number);
            first.map(|number| self.records.remove(&number));
        }
    }

    /// An expiry that no record has, so that it is clear which one goes first.
    fn unused(&self, mut expires_at: SystemTime) -> SystemTime {
        while self.records.values().any(|record| record.expires_at == expires_at) {
            expires_at += Duration::from_millis(1);
        }
        expires_at
    }

    fn compare(&self, store: &MemoryStore) {
        for number in 0..20 {
            let found = load(store, &key(number));
            let found = found.as_ref().map(|found| (&found.bytes[..], found.expires_at, Some(found.version)));
            let expected = self.records.get(&number);
            assert_eq!(found, expected.map(|record| (&record.bytes[..], record.expires_at, record.version)));
        }
        for number in [1, 2] {
            let of_principal =
                self.records.iter().filter(|(_, record)| record.principal == Some(principal(number)));
            let mut expected: Vec<_> = of_principal.map(|(number, _)| key(*number)).collect();
            expected.sort_unstable();
            assert_eq!(keys_of(store, &principal(number), None, usize::MAX), expected);
        }
        let bytes = self.records.values().map(|record| record.bytes.len() + OVERHEAD).sum::<usize>();
        assert_eq!((store.len(), store.bytes()), (self.records.len(), bytes));
    }
}
