//! Answers without waiting: a store that gives them gives the same ones.

use tokio::task::JoinSet;

use super::prelude::*;

/// A load that is answered at once says what a load says: of what was never there, written, rewritten and removed.
pub async fn a_load_at_once_says_what_a_load_says(subject: Subject) -> Result {
    let (store, bare) = (&subject.store, subject.store.bare());
    let alike = async || {
        let awaited = store.load(&key(0)).await?;
        let Some(at_once) = bare.load_now(&key(0)) else { return Ok(()) };
        ensure!(at_once? == awaited, "a load that is answered at once says something else");
        Ok(())
    };
    alike().await?;
    let version = store.create(&key(0), subject.entry("created")).await?;
    alike().await?;
    store.replace(&key(0), subject.entry("replaced"), version).await?;
    alike().await?;
    store.create(&key(1), subject.entry("beside")).await?;
    store.delete(&key(0)).await?;
    alike().await?;
    store.create(&key(0), subject.entry("created again")).await?;
    alike().await
}

/// A write that is carried out at once expects what a write expects, makes new versions, and is seen by the next load.
pub async fn a_write_at_once_does_what_a_write_does(subject: Subject) -> Result {
    let (store, bare) = (&subject.store, subject.store.bare());
    let write = async |text: &'static str, expect| match bare.write_now(&key(0), subject.entry(text), expect)
    {
        Ok(written) => written,
        Err(entry) => store.write(&key(0), entry, expect).await,
    };
    let Written::Stored(first) = write("created", Expect::Absent).await? else {
        fail!("a write at once that expects nothing conflicts where nothing is")
    };
    store.holds(&key(0), b"created").await?;
    let again = write("created over", Expect::Absent).await?;
    ensure!(again == Written::Conflict, "a write at once that expects nothing is stored over a record");
    let Written::Stored(second) = write("replaced", Expect::Version(first)).await? else {
        fail!("a write at once over the current version conflicts")
    };
    ensure!(first != second, "a write at once keeps the version");
    let stale = write("late", Expect::Version(first)).await?;
    ensure!(stale == Written::Conflict, "a write at once over a stale version is stored");
    store.holds(&key(0), b"replaced").await?;
    store.delete(&key(0)).await?;
    let late = write("back", Expect::Version(second)).await?;
    ensure!(late == Written::Conflict, "a write at once brings a removed record back");
    store.lacks(&key(0)).await
}

/// Increments at once and increments that wait count every step, beside each other.
pub async fn increments_at_once_and_others_are_all_counted(subject: Subject) -> Result {
    let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
    subject.store.create(&key(0), subject.entry(0_u64.to_le_bytes())).await?;
    let (steps, mut tasks) = (subject.rounds(50), JoinSet::new());
    for task in 0..8 {
        let (store, entry) = (subject.store.clone(), subject.entry(0_u64.to_le_bytes()));
        let next = move |bytes: &[u8]| Entry::new((number(bytes) + 1).to_le_bytes(), entry.expires_at);
        tasks.spawn(async move {
            for _ in 0..steps {
                if task % 2 == 0 {
                    store.update(&key(0), |stored| next(&stored.bytes)).await?;
                    continue;
                }
                loop {
                    let stored = match store.bare().load_now(&key(0)) {
                        Some(stored) => stored?,
                        None => store.load(&key(0)).await?,
                    };
                    // Others get a turn here, as between the beginning and the end of a request.
                    tokio::task::yield_now().await;
                    let Some(stored) = stored else { fail!("a record that must be there is gone") };
                    let expect = Expect::Version(stored.version);
                    let written = match store.bare().write_now(&key(0), next(&stored.bytes), expect) {
                        Ok(written) => written?,
                        Err(entry) => store.write(&key(0), entry, expect).await?,
                    };
                    if matches!(written, Written::Stored(_)) {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))?;
    }
    let counted = number(&subject.store.found(&key(0)).await?.bytes);
    ensure!(counted == 8 * steps, "{counted} of {} increments are counted", 8 * steps);
    Ok(())
}
