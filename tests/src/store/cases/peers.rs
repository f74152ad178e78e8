//! Several stores on the same records, as in several processes: what one acknowledges, all see.

use super::{
    prelude::*,
    races::{count_together, final_beside, one_wins},
    sweep_races::renewals_survive,
};
use crate::store::handle::Handle;

/// A write acknowledged by one store is what the next load of another returns, also where it loaded before (D18).
pub async fn a_peer_sees_an_acknowledged_write(subject: Subject) -> Result {
    let peer = subject.peer().await?;
    let mut version = subject.store.create(&key(0), subject.entry("0")).await?;
    for round in 1..=20_u64 {
        let (writer, reader) = if round % 2 == 0 { (&subject.store, &peer) } else { (&peer, &subject.store) };
        reader.found(&key(0)).await?;
        version = writer.replace(&key(0), subject.entry(round.to_le_bytes()), version).await?;
        let stored = reader.holds(&key(0), &round.to_le_bytes()).await?;
        ensure!(stored.version == version, "a peer loads another version than was written");
    }
    Ok(())
}

/// A removal acknowledged by one store is seen by the next load of another, also where the record was just loaded: a
/// logout reaches every node (D5).
pub async fn a_peer_sees_a_removal(subject: Subject) -> Result {
    let peer = subject.peer().await?;
    for round in 0..10 {
        let (remover, reader) =
            if round % 2 == 0 { (&subject.store, &peer) } else { (&peer, &subject.store) };
        let version = subject.store.create(&key(round), subject.entry("signed in")).await?;
        reader.holds(&key(round), b"signed in").await?;
        remover.delete(&key(round)).await?;
        reader.lacks(&key(round)).await?;
        let written = reader.write(&key(round), subject.entry("still in"), Expect::Version(version)).await?;
        ensure!(written == Written::Conflict, "a peer writes over a record removed elsewhere");
        remover.lacks(&key(round)).await?;
    }
    Ok(())
}

/// A record that a peer found absent and another created is there for the peer.
pub async fn a_peer_does_not_remember_absence(subject: Subject) -> Result {
    let peer = subject.peer().await?;
    for key in keys(5) {
        peer.lacks(&key).await?;
        subject.store.create(&key, subject.entry("new")).await?;
        peer.holds(&key, b"new").await?;
        let written = peer.write(&key, subject.entry("second"), Expect::Absent).await?;
        ensure!(written == Written::Conflict, "a peer creates over a record created elsewhere");
    }
    Ok(())
}

/// Of many creates, and of many writes over one version, through several stores at once exactly one is stored.
pub async fn one_of_many_peers_wins(subject: Subject) -> Result {
    let stores = several(&subject, 8).await?;
    for round in 0..subject.rounds(8) {
        one_wins(&subject, &stores, key(round), Expect::Absent).await?;
        let version = subject.store.found(&key(round)).await?.version;
        one_wins(&subject, &stores, key(round), Expect::Version(version)).await?;
    }
    Ok(())
}

/// Increments of one record through several stores at once are all counted.
pub async fn no_increment_of_a_peer_is_lost(subject: Subject) -> Result {
    let stores = several(&subject, 24).await?;
    count_together(&subject, &stores).await
}

/// A removal through one store beside writes through others is final.
pub async fn a_removal_beside_writes_of_peers_is_final(subject: Subject) -> Result {
    // Shows: A42
    let peers = [subject.peer().await?, subject.peer().await?, subject.peer().await?];
    for round in 0..subject.rounds(20) {
        final_beside(&subject, &peers, round).await?;
        for peer in &peers {
            peer.lacks(&key(round)).await?;
        }
    }
    Ok(())
}

/// Versions given through one store are never given again to the same record through another.
pub async fn peers_do_not_share_out_the_same_versions(subject: Subject) -> Result {
    let stores = several(&subject, 2).await?;
    let mut seen = std::collections::HashSet::new();
    for round in 0..40 {
        let store = &stores[round % 2];
        let created = store.create(&key(0), subject.entry("created")).await?;
        let replaced = stores[(round + 1) % 2].replace(&key(0), subject.entry("replaced"), created).await?;
        ensure!(seen.insert(created) && seen.insert(replaced), "two stores give a record the same version");
        store.delete(&key(0)).await?;
    }
    Ok(())
}

/// A record written with a principal through one store is listed by another.
pub async fn a_peer_lists_the_records_of_a_principal(subject: Subject) -> Result {
    let stores = several(&subject, 2).await?;
    for number in 0..20 {
        let entry = subject.entry("listed").with_principal(principal(0));
        stores[number as usize % 2].create(&key(number), entry).await?;
        for store in &stores {
            store.lists(&principal(0), &keys(number + 1)).await?;
        }
    }
    Ok(())
}

/// A sweep by one store keeps what another renews at the same time.
pub async fn a_sweep_keeps_what_a_peer_renews(subject: Subject) -> Result {
    // Shows: A46
    let peer = subject.peer().await?;
    renewals_survive(&subject, &subject.store, &peer).await
}

/// The store under test and peers of it, `count` in all.
async fn several(subject: &Subject, count: usize) -> Result<Vec<Handle>> {
    let mut stores = vec![subject.store.clone()];
    while stores.len() < count {
        stores.push(if stores.len() < 4 { subject.peer().await? } else { stores[stores.len() % 4].clone() });
    }
    Ok(stores)
}
