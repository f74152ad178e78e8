//! A session that one process ends while another uses it.

use std::str::FromStr;

use session_core::{SessionError, Status};
use tokio::task::{JoinSet, yield_now};

use super::prelude::*;
use crate::{Failure, processes::role::ChildRole};

/// A request that has loaded a session which another process then ends is refused when it commits, whatever it has to
/// store: nothing comes back (D3).
pub async fn a_commit_after_an_end_elsewhere_is_refused(role: Role) -> Result {
    // Shows: A42
    let parent = match role {
        Role::Child(child) => return commit_late(child).await,
        Role::Parent(parent) => parent,
    };
    let application = Application::new(parent.store.clone())?;
    let [mut slow, mut quick] = parent.children()?;
    for round in 0..ParentRole::rounds(5) {
        for way in ["update", "save", "renew", "authenticate", "destroy"] {
            let person = format!("person {round} {way}");
            let id = application.create(|session| session.authenticate(&person)).await?;
            slow.tell(format_args!("{way} {id}"));
            slow.hear()?;
            quick.tell(format_args!("destroy {id}"));
            quick.hear()?;
            quick.tell("go");
            let ended = quick.hear()?;
            ensure!(ended == "done", "a session that is alive ends as {ended}");
            slow.tell("go");
            let answer = slow.hear()?;
            let expected = if way == "destroy" { "done" } else { "ended" };
            ensure!(answer == expected, "{way} after the end elsewhere is {answer}");
            let status = application.status(&id).await?;
            ensure!(status == Status::Unknown, "{way} leaves the ended session {}", status.as_str());
            let alive = application.manager.sessions_of(&person).await?.len();
            ensure!(alive == 0, "{way} after the end leaves {alive} sessions");
        }
    }
    finish([slow, quick]);
    Ok(())
}

/// Loads, waits to be told to go on, commits.
async fn commit_late(child: ChildRole) -> Result {
    let application = Application::new(child.store)?;
    while let Some(line) = child.task.hear() {
        let (way, id) = line.split_once(' ').unwrap_or((&line, ""));
        let visit = application.begin(Some(id)).await?;
        let status = visit.session.status();
        ensure!(status == Status::Active, "a session to be used is {}", status.as_str());
        child.task.tell("loaded");
        let _ = child.task.hear();
        match way {
            "update" | "save" => drop(visit.add("n")?),
            "renew" => visit.session.renew()?,
            "authenticate" => visit.session.authenticate("somebody else")?,
            _ => visit.session.destroy()?,
        }
        let saved = if way == "save" { visit.session.save().await } else { Ok(()) };
        let told = match saved {
            Ok(()) => visit.end().await,
            Err(error) => Err(error),
        };
        child.task.tell(match told {
            Ok(None) => "done".to_owned(),
            Ok(Some(_)) => "told an id".to_owned(),
            Err(SessionError::Ended) => "ended".to_owned(),
            Err(error) => error.to_string(),
        });
    }
    Ok(())
}

/// A session that one process ends while requests of both read it, change it and replace its id is gone, under every id
/// that it had.
pub async fn an_end_beside_requests_is_final(role: Role) -> Result {
    // Shows: A42
    let parent = match role {
        Role::Child(child) => return beside(child).await,
        Role::Parent(parent) => parent,
    };
    let application = Application::new(parent.store.clone())?;
    let mut children = parent.children()?;
    for round in 0..ParentRole::rounds(200) {
        let person = format!("person {round}");
        let id = application.create(|session| session.authenticate(&person)).await?;
        // In turns, and after a while that differs.
        for (number, child) in (0..).zip(&mut children) {
            let patience =
                if number == round % 2 { (round / 2 % 24).to_string() } else { "never".to_owned() };
            child.tell(format_args!("{id} {patience}"));
        }
        let [one, two] = &mut children;
        let told = [one.hear()?, two.hear()?].join(" ");
        for id in told.split_whitespace().chain([&*id]) {
            let status = application.status(id).await?;
            ensure!(status != Status::Active, "round {round}: an ended session is alive");
        }
        let alive = application.manager.sessions_of(&person).await?.len();
        ensure!(alive == 0, "round {round}: {alive} sessions outlive their end");
    }
    finish(children);
    Ok(())
}

/// Four requests that use the session, and, in one of the processes, one that ends it. Tells the ids that they were told.
async fn beside(child: ChildRole) -> Result {
    let application = Application::new(child.store)?;
    while let Some(line) = child.task.hear() {
        let (id, patience) = line.split_once(' ').unwrap_or((&line, ""));
        let mut requests: JoinSet<Result<Option<String>>> = JoinSet::new();
        for way in [Way::Update, Way::Read, Way::Renew, Way::Save] {
            requests.spawn(using(application.clone(), id.to_owned(), way));
        }
        if let Ok(patience) = u64::from_str(patience) {
            for _ in 0..patience {
                yield_now().await;
            }
            let visit = application.begin(Some(id)).await?;
            visit.session.destroy()?;
            let told = visit.end().await?;
            ensure!(told.is_none(), "who signs out is told an id");
        }
        let mut told = Vec::new();
        while let Some(request) = requests.join_next().await {
            told.extend(request??);
        }
        child.task.tell(told.join(" "));
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Way {
    Update,
    Read,
    Renew,
    Save,
}

/// One request, unless the session is gone already: a write would begin another.
async fn using(application: Application, id: String, way: Way) -> Result<Option<String>> {
    let visit = application.begin(Some(&id)).await?;
    if visit.session.status() != Status::Active {
        return Ok(None);
    }
    let done = match way {
        Way::Read => visit.session.get::<u64>("n").map(drop),
        Way::Update => visit.add("n").map(drop),
        Way::Renew => visit.session.renew(),
        Way::Save => {
            visit.add("n")?;
            visit.session.save().await
        }
    };
    let told = match done {
        Ok(()) => visit.end().await,
        Err(error) => Err(error),
    };
    match told {
        Ok(told) => Ok(told),
        Err(SessionError::Ended | SessionError::Superseded) => Ok(None),
        Err(error) => Err(Failure::from(error)),
    }
}
