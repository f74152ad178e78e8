//! Requests of several processes that change one session.

use std::time::Instant;

use tokio::task::JoinSet;

use super::prelude::*;

/// 64 writers in two processes, each making requests that add one to a number in one session, count every step (lost
/// updates; D4).
pub async fn no_update_is_lost(role: Role) -> Result {
    match role {
        Role::Parent(parent) => {
            let rounds = ParentRole::rounds(20);
            let application = Application::new(parent.store.clone())?;
            let id = application.create(|session| session.insert("n", 0_u64)).await?;
            let mut children = parent.children()?;
            let told = ask(&mut children, format_args!("{id} {rounds}"))?;
            let steps = 64 * rounds;
            let told = told.iter().map(|told| Counted::read(told)).collect::<Result<Vec<_>>>()?;
            let again: u64 = told.iter().map(|counted| counted.again).sum();
            let first = told.iter().map(|counted| counted.milliseconds).min().unwrap_or_default();
            let last = told.iter().map(|counted| counted.milliseconds).max().unwrap_or_default();
            println!("FIGURE updates: {steps}");
            println!("FIGURE updates made again after a conflict: {again}");
            println!("FIGURE milliseconds until the quicker process had counted: {first}");
            println!("FIGURE milliseconds until both had: {last}");
            finish(children);
            let counted = application.number(&id, "n").await?;
            ensure!(counted == steps, "{steps} updates were acknowledged, {counted} are counted");
            Ok(())
        }
        Role::Child(child) => {
            let application = Application::new(child.store)?;
            while let Some(line) = child.task.hear() {
                let (id, rounds) = line.split_once(' ').unwrap_or((&line, ""));
                let started = Instant::now();
                count(&application, id, rounds.parse()?).await?;
                let again = application.manager.stats().conflict_replayed;
                child.task.tell(format_args!("{again} {}", started.elapsed().as_millis()));
            }
            Ok(())
        }
    }
}

/// What it took a process.
struct Counted {
    again: u64,
    milliseconds: u64,
}

impl Counted {
    fn read(told: &str) -> Result<Self> {
        let (again, milliseconds) = told.split_once(' ').unwrap_or_default();
        Ok(Self { again: again.parse()?, milliseconds: milliseconds.parse()? })
    }
}

/// 32 writers, as many requests each.
async fn count(application: &Application, id: &str, rounds: u64) -> Result {
    let mut writers: JoinSet<Result> = JoinSet::new();
    for _ in 0..32 {
        let (application, id) = (application.clone(), id.to_owned());
        writers.spawn(async move {
            for _ in 0..rounds {
                let visit = application.begin(Some(&id)).await?;
                visit.add("n")?;
                visit.end().await?;
            }
            Ok(())
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer??;
    }
    Ok(())
}
