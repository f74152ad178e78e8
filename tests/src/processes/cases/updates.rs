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
            let started = Instant::now();
            ask(&mut children, format_args!("{id} {rounds}"))?;
            let steps = 64 * rounds;
            println!("{steps} updates in {:.1} s", started.elapsed().as_secs_f64());
            finish(children);
            let counted = application.number(&id, "n").await?;
            ensure!(counted == steps, "{steps} updates were acknowledged, {counted} are counted");
            Ok(())
        }
        Role::Child(child) => {
            let application = Application::new(child.store)?;
            while let Some(line) = child.task.hear() {
                let (id, rounds) = line.split_once(' ').unwrap_or((&line, ""));
                count(&application, id, rounds.parse()?).await?;
                child.task.tell("counted");
            }
            Ok(())
        }
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
