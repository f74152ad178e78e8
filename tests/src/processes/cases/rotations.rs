//! Requests of several processes that replace the id of one session.

use std::{collections::HashSet, time::Duration};

use session_core::{SessionError, Status};
use tokio::task::JoinSet;

use super::prelude::*;
use crate::processes::{role::ChildRole, visit::GRACE};

/// Of 64 requests in two processes that replace the id of one session at once, one wins: one id is alive, with all that the
/// session held, and the old one is dead.
pub async fn one_of_many_rotations_wins(role: Role) -> Result {
    // Shows: A2
    let parent = match role {
        Role::Child(child) => return rotate(child, Kind::Asked).await,
        Role::Parent(parent) => parent,
    };
    let application = Application::new(parent.store.clone())?;
    let mut children = parent.children()?;
    for round in 0..ParentRole::rounds(4) {
        let (old, person) = begin(&application, round).await?;
        ask(&mut children, &old)?;
        let told = told(&ask(&mut children, "go")?);
        let [new] = &told[..] else {
            fail!("round {round}: of 64 requests that replace an id, {} are told a new one", told.len());
        };
        let status = application.status(&old).await?;
        ensure!(status == Status::Superseded, "round {round}: the old id is {}", status.as_str());
        is_whole(&application, new, round).await?;
        let steps = application.number(new, "n").await?;
        ensure!(steps == 1, "round {round}: the one request that wins makes its change {steps} times");
        let alive = application.manager.sessions_of(&person).await?.len();
        ensure!(alive == 1, "round {round}: rotations leave {alive} sessions");
        application.manager.end_all(&person).await?;
    }
    finish(children);
    Ok(())
}

/// Of 64 requests in two processes whose id is due at once, one replaces it and none is turned away: one id is alive, every
/// change is there, and the old id leads to it until its grace is over.
pub async fn a_routine_rotation_turns_nobody_away(role: Role) -> Result {
    let parent = match role {
        Role::Child(child) => return rotate(child, Kind::Routine).await,
        Role::Parent(parent) => parent,
    };
    let application = Application::renewing(parent.store.clone())?;
    let mut children = parent.children()?;
    for round in 0..ParentRole::rounds(4) {
        application.ahead(Duration::ZERO);
        let (old, person) = begin(&application, round).await?;
        ask(&mut children, &old)?;
        let told = told(&ask(&mut children, "go")?);
        let different: HashSet<&String> = told.iter().collect();
        ensure!(different.len() == 1, "round {round}: 64 requests are told {} ids", different.len());
        application.ahead(DUE);
        is_whole(&application, &told[0], round).await?;
        for id in [&told[0], &old] {
            let steps = application.number(id, "n").await?;
            ensure!(steps == 64, "round {round}: of 64 changes {steps} are there");
        }
        let alive = application.manager.sessions_of(&person).await?.len();
        ensure!(alive == 1, "round {round}: rotations leave {alive} sessions");
        application.ahead(DUE + GRACE + Duration::from_secs(60));
        let status = application.status(&old).await?;
        ensure!(status != Status::Active, "round {round}: the old id outlives its grace");
        application.manager.end_all(&person).await?;
    }
    finish(children);
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The handler asks for it: `Session::renew`.
    Asked,
    /// It is time.
    Routine,
}

/// When an id is due, and its session not yet idle.
const DUE: Duration = Duration::from_secs(600);

/// Begins a session of somebody who has no other.
async fn begin(application: &Application, round: u64) -> Result<(String, String)> {
    let person = format!("person {round}");
    let create = application.create(|session| {
        session.insert("round", round)?;
        session.authenticate(&person)
    });
    Ok((create.await?, person))
}

async fn is_whole(application: &Application, id: &str, round: u64) -> Result {
    let found = application.number(id, "round").await?;
    ensure!(found == round, "round {round}: what the session held is {found} now");
    Ok(())
}

/// All ids that the children were told.
fn told(answers: &[String; 2]) -> Vec<String> {
    answers.iter().flat_map(|answer| answer.split_whitespace()).map(str::to_owned).collect()
}

/// Loads the session in 32 requests, waits until the other process has done the same, and then ends all of them at once.
async fn rotate(child: ChildRole, kind: Kind) -> Result {
    let application = match kind {
        Kind::Asked => Application::new(child.store)?,
        Kind::Routine => Application::renewing(child.store)?,
    };
    application.ahead(if kind == Kind::Routine { DUE } else { Duration::ZERO });
    while let Some(id) = child.task.hear() {
        let mut visits = Vec::new();
        for _ in 0..32 {
            visits.push(application.begin(Some(&id)).await?);
        }
        child.task.tell("loaded");
        let _ = child.task.hear();
        let mut requests = JoinSet::new();
        for visit in visits {
            requests.spawn(commit(visit, kind));
        }
        let mut told = Vec::new();
        while let Some(request) = requests.join_next().await {
            told.extend(request??);
        }
        child.task.tell(told.join(" "));
    }
    Ok(())
}

async fn commit(visit: Visit, kind: Kind) -> Result<Option<String>> {
    visit.add("n")?;
    if kind == Kind::Asked {
        visit.session.renew()?;
    }
    match visit.end().await {
        Err(SessionError::Superseded) if kind == Kind::Asked => Ok(None),
        answer => Ok(answer?),
    }
}
