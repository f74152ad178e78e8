//! `sessionctl end`.

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use session_core::SessionHandle;

use crate::{
    commands::list::of, confirm::Confirmation, failure::Outcome, output::Output, store_url::Opened, text,
};

/// End sessions: those with these handles, or all of a principal
///
/// An ended session stays ended: a request that is still running cannot
/// bring it back. A session whose id was replaced since its handle was seen
/// is followed and ended.
///
///   sessionctl end HANDLE HANDLE
///   sessionctl end --principal ann        sign ann out everywhere; asks first
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
#[group(id = "whose", required = true, multiple = false, args = ["handles", "principal"])]
pub(crate) struct Options {
    /// Handles, as `list` shows them: 64 hexadecimal digits
    #[arg(value_name = "HANDLE")]
    handles: Vec<SessionHandle>,
    /// All sessions that are signed in as this principal; --realm must be that of the application
    #[arg(long, value_name = "NAME")]
    principal: Option<String>,
    #[command(flatten)]
    confirmation: Confirmation,
}

#[derive(Serialize)]
struct Answer {
    store: &'static str,
    ended: usize,
    /// Handles that name no session, or not any more.
    not_found: Vec<String>,
}

pub(crate) async fn run(options: &Options, opened: &Opened, output: Output) -> Result<Outcome> {
    let mut answer = Answer { store: opened.kind, ended: 0, not_found: Vec::new() };
    if let Some(principal) = &options.principal {
        let whose = of(principal, opened);
        options.confirmation.ask(&format!("All sessions{whose} will be ended."))?;
        answer.ended = opened.manager.end_all(principal).await?;
    }
    for handle in &options.handles {
        if opened.manager.end(*handle).await? {
            answer.ended += 1;
        } else {
            answer.not_found.push(handle.to_string());
        }
    }
    output.print(&answer, |answer| {
        let whose = options.principal.as_deref().map_or_else(String::new, |name| of(name, opened));
        let mut lines = vec![format!("{}{whose} ended", text::count(answer.ended, "session"))];
        lines.extend(answer.not_found.iter().map(|handle| format!("no session: {handle}")));
        lines.join("\n")
    })?;
    Ok(Outcome::done_if(answer.not_found.is_empty()))
}
