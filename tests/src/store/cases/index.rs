//! The list of a principal: every live record, in pages, and nobody else's.

use std::time::SystemTime;

use session_core::{PrincipalKey, StoreKey};
use tokio::task::JoinSet;

use super::{prelude::*, races::all};

/// Every live record of a principal is listed as soon as its write is acknowledged.
pub async fn every_record_of_a_principal_is_listed(subject: Subject) -> Result {
    for number in 0..20 {
        create(&subject, number, 0).await?;
        subject.store.lists(&principal(0), &keys(number + 1)).await?;
    }
    Ok(())
}

/// A list of 1,000 records in pages of 7 is complete, ascending by the bytes of the keys, and ends with an empty page.
pub async fn a_long_list_comes_in_pages(subject: Subject) -> Result {
    for number in 0..1_000 {
        create(&subject, number, number % 2).await?;
    }
    for whose in [0, 1] {
        let mut expected: Vec<StoreKey> = (0..1_000).filter(|number| number % 2 == whose).map(key).collect();
        expected.sort_unstable();
        let listed = subject.store.listed(&principal(whose), 7).await?;
        ensure!(listed == expected, "a list of 500 records in pages of 7 is not those 500 in order");
    }
    Ok(())
}

/// A list of 10,000 records comes in pages of at most 500, complete and ascending: whoever goes through it holds a page at
/// a time.
pub async fn ten_thousand_records_come_in_pages(subject: Subject) -> Result {
    let mut logins: JoinSet<Result> = JoinSet::new();
    for task in 0..20 {
        let (store, entry) = (subject.store.clone(), subject.entry("x").with_principal(principal(0)));
        logins.spawn(async move {
            for number in 0..500 {
                store.create(&key(task * 500 + number), entry.clone()).await?;
            }
            Ok(())
        });
    }
    all(logins).await?;
    let mut expected = keys(10_000);
    expected.sort_unstable();
    let (mut after, mut seen) = (None, 0);
    loop {
        let page = page(&subject, 0, after.as_ref(), 500).await?;
        ensure!(page.len() <= 500, "a page of at most 500 holds {}", page.len());
        let Some(last) = page.last() else { break };
        after = Some(*last);
        let right = expected.get(seen..seen + page.len()) == Some(&page[..]);
        ensure!(right, "behind {seen} records of 10,000 the list goes on with others than the next");
        seen += page.len();
    }
    ensure!(seen == 10_000, "of 10,000 records {seen} are listed");
    Ok(())
}

/// A page starts behind the given key, whether or not that key is listed, was removed, or is the first or last of all.
pub async fn a_page_starts_behind_the_given_key(subject: Subject) -> Result {
    let mut sorted = keys(20);
    sorted.sort_unstable();
    for number in 0..20 {
        create(&subject, number, 0).await?;
    }
    for at in 0..20 {
        let page = page(&subject, 0, Some(&sorted[at]), 5).await?;
        ensure!(
            page == sorted[(at + 1).min(20)..(at + 6).min(20)],
            "a page does not start behind the given key"
        );
        let mut before = *sorted[at].as_bytes();
        // The predecessor of the key is not in the list: the page starts with the key itself.
        before[31] = before[31].wrapping_sub(1);
        if before[31] != u8::MAX {
            let page = self::page(&subject, 0, Some(&StoreKey::from_bytes(before)), 1).await?;
            ensure!(page == [sorted[at]], "a page behind an unlisted key does not start with the next one");
        }
    }
    let first = page(&subject, 0, Some(&StoreKey::from_bytes([0; 32])), 5).await?;
    ensure!(first == sorted[..5], "a page behind the smallest key is not the first page");
    let last = page(&subject, 0, Some(&StoreKey::from_bytes([0xff; 32])), 5).await?;
    ensure!(last.is_empty(), "a page behind the largest key is not empty");
    Ok(())
}

/// A page may be of any size: of none, of one, and of as many as a number can say.
pub async fn a_page_may_be_of_any_size(subject: Subject) -> Result {
    for number in 0..10 {
        create(&subject, number, 0).await?;
    }
    ensure!(page(&subject, 0, None, 0).await?.is_empty(), "a page of at most no keys is not empty");
    for limit in [1, 10, 11, i64::MAX as usize, usize::MAX] {
        let length = page(&subject, 0, None, limit).await?.len();
        ensure!(length <= limit && length > 0, "a page of at most {limit} keys holds {length}");
        subject.store.listed(&principal(0), limit).await?;
    }
    Ok(())
}

/// A record is never listed under a principal that it was never written with.
pub async fn a_record_of_another_is_never_listed(subject: Subject) -> Result {
    let mut near = *principal(0).as_bytes();
    near[31] ^= 1;
    let near = PrincipalKey::from_bytes(near);
    for number in 0..30 {
        create(&subject, number, number % 3).await?;
    }
    subject.store.create(&key(99), subject.entry("nobody's")).await?;
    for whose in 0..3 {
        let mut expected: Vec<StoreKey> = (0..30).filter(|number| number % 3 == whose).map(key).collect();
        expected.sort_unstable();
        let listed = subject.store.listed(&principal(whose), 4).await?;
        ensure!(listed == expected, "the list of one principal holds records of another, or of nobody");
    }
    for whose in [principal(7), near, PrincipalKey::from_bytes([0; 32]), PrincipalKey::from_bytes([0xff; 32])]
    {
        ensure!(
            subject.store.listed(&whose, 4).await?.is_empty(),
            "a principal without records has some listed"
        );
    }
    Ok(())
}

/// A record created for nobody and rewritten with a principal, as at a login, is listed (D24).
pub async fn a_record_that_gains_a_principal_is_listed(subject: Subject) -> Result {
    let version = subject.store.create(&key(0), subject.entry("anonymous")).await?;
    let entry = subject.entry("signed in").with_principal(principal(0));
    subject.store.replace(&key(0), entry, version).await?;
    subject.store.lists(&principal(0), &[key(0)]).await
}

/// A record rewritten with another principal is listed under the new one.
pub async fn a_record_that_changes_its_principal_is_listed_anew(subject: Subject) -> Result {
    let mut version = create(&subject, 0, 0).await?;
    create(&subject, 1, 0).await?;
    for whose in [1, 2, 1, 0] {
        let entry = subject.entry("moved").with_principal(principal(whose));
        version = subject.store.replace(&key(0), entry, version).await?;
        subject.store.lists(&principal(whose), &[key(0)]).await?;
        subject.store.lists(&principal(0), &[key(1)]).await?;
    }
    Ok(())
}

/// A record that lost its principal and regained it is listed.
pub async fn a_record_that_regains_its_principal_is_listed(subject: Subject) -> Result {
    let mut version = create(&subject, 0, 0).await?;
    for _ in 0..3 {
        version = subject.store.replace(&key(0), subject.entry("signed out"), version).await?;
        let entry = subject.entry("signed in").with_principal(principal(0));
        version = subject.store.replace(&key(0), entry, version).await?;
        subject.store.lists(&principal(0), &[key(0)]).await?;
    }
    Ok(())
}

/// A record stays listed while it is rewritten with its principal, also when its expiry moves and others expire.
pub async fn a_rewritten_record_stays_listed(subject: Subject) -> Result {
    let mut version = create(&subject, 0, 0).await?;
    let (renewed, first_end) = renew_in_time(&subject).await?;
    subject.outlast(first_end).await;
    subject.store.lists(&principal(0), &[key(0), renewed]).await?;
    for _ in 0..10 {
        subject.advance(1_000);
        let entry = subject.entry("renewed").with_principal(principal(0));
        version = subject.store.replace(&key(0), entry, version).await?;
        subject.store.lists(&principal(0), &[key(0)]).await?;
    }
    Ok(())
}

/// A record whose expiry was moved before it came, and where it was. On a slow machine it may come first: then another
/// record, with more time.
async fn renew_in_time(subject: &Subject) -> Result<(StoreKey, SystemTime)> {
    for moments in 1..10 {
        let (key, first_end) = (key(moments.into()), subject.in_moments(moments * moments));
        let short = Entry::new("short", first_end).with_principal(principal(0));
        let version = subject.store.create(&key, short).await?;
        let renewed = subject.entry("renewed").with_principal(principal(0));
        if let Written::Stored(_) = subject.store.write(&key, renewed, Expect::Version(version)).await? {
            return Ok((key, first_end));
        }
    }
    fail!("no record lives long enough to be renewed")
}

/// A write that conflicts leaves the record listed under the principal that it has.
pub async fn a_conflict_leaves_the_principal(subject: Subject) -> Result {
    let stale = create(&subject, 0, 0).await?;
    let entry = subject.entry("current").with_principal(principal(0));
    subject.store.replace(&key(0), entry, stale).await?;
    for refused in [subject.entry("refused"), subject.entry("refused").with_principal(principal(1))] {
        for expect in [Expect::Absent, Expect::Version(stale)] {
            let written = subject.store.write(&key(0), refused.clone(), expect).await?;
            ensure!(written == Written::Conflict, "a write that must conflict is stored");
            subject.store.lists(&principal(0), &[key(0)]).await?;
        }
    }
    Ok(())
}

/// Removing one record of a principal leaves the others listed, and a record created again under its key is listed.
pub async fn a_removal_leaves_the_others_listed(subject: Subject) -> Result {
    for number in 0..10 {
        create(&subject, number, 0).await?;
    }
    for number in 0..5 {
        subject.store.delete(&key(number)).await?;
        subject.store.lists(&principal(0), &keys(10)[number as usize + 1..]).await?;
    }
    create(&subject, 0, 0).await?;
    subject.store.lists(&principal(0), &[&[key(0)], &keys(10)[5..]].concat()).await
}

/// Records created for one principal at the same time are all listed.
pub async fn parallel_logins_are_all_listed(subject: Subject) -> Result {
    // Shows: A36
    for round in 0..subject.rounds(3) {
        let ours: Vec<StoreKey> = (0..32).map(|number| key(round * 32 + number)).collect();
        let mut logins: JoinSet<Result> = JoinSet::new();
        for key in ours.clone() {
            let (store, entry) =
                (subject.store.clone(), subject.entry("login").with_principal(principal(round)));
            logins.spawn(async move { store.create(&key, entry).await.map(drop) });
        }
        all(logins).await?;
        subject.store.lists(&principal(round), &ours).await?;
    }
    Ok(())
}

/// A list read page by page while other records of the principal come and go misses none that stays.
pub async fn a_list_beside_writers_misses_nothing(subject: Subject) -> Result {
    // Shows: A36
    let staying = keys(20);
    for number in 0..20 {
        create(&subject, number, 0).await?;
    }
    let rounds = subject.rounds(15);
    let mut writers: JoinSet<Result> = JoinSet::new();
    for task in 0..4 {
        let (store, entry) = (subject.store.clone(), subject.entry("passing").with_principal(principal(0)));
        writers.spawn(async move {
            for round in 0..rounds {
                let key = key(1_000 + task * 100_000 + round);
                store.create(&key, entry.clone()).await?;
                store.delete(&key).await?;
            }
            Ok(())
        });
    }
    let mut listed = Ok(());
    for _ in 0..subject.rounds(5) {
        let page = subject.store.listed(&principal(0), 3).await;
        listed = listed.and(page.and_then(|listed| {
            ensure!(
                staying.iter().all(|key| listed.contains(key)),
                "a list beside writers misses a record that stays"
            );
            Ok(())
        }));
    }
    listed.and(all(writers).await)
}

/// A sweep leaves every live record listed.
pub async fn a_sweep_leaves_live_records_listed(subject: Subject) -> Result {
    for number in 0..20 {
        let seconds = if number < 10 { 7_200 } else { 60 };
        let entry = Entry::new("listed", subject.within(seconds)).with_principal(principal(0));
        subject.store.create(&key(number), entry).await?;
    }
    subject.advance(600);
    subject.store.sweep_to_end(SweepRequest::before(subject.now()).budget(6)).await?;
    subject.store.lists(&principal(0), &keys(10)).await?;
    let entry = subject.entry("back").with_principal(principal(0));
    subject.store.create(&key(15), entry).await?;
    subject.store.lists(&principal(0), &[&keys(10)[..], &[key(15)]].concat()).await
}

async fn create(subject: &Subject, number: u64, whose: u64) -> Result<session_core::Version> {
    subject.store.create(&key(number), subject.entry("listed").with_principal(principal(whose))).await
}

async fn page(
    subject: &Subject,
    whose: u64,
    after: Option<&StoreKey>,
    limit: usize,
) -> Result<Vec<StoreKey>> {
    Ok(subject.store.index()?.keys_of(&principal(whose), after, limit).await?)
}
