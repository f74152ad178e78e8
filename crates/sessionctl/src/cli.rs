//! What can be written on the command line, and the help that teaches it.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::{
    commands::{completions, copy, end, env, keygen, list, show, sweep},
    when,
};

/// Look after the sessions of an application: list, end, sweep, count and move them, without writing code
///
/// A session is named by its handle: 64 hexadecimal digits that can be shown and logged, with which nobody can use the
/// session. Ids are never shown; a store does not have them.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, max_term_width = 100, after_help = EXAMPLES, after_long_help = LONG_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The store: file:DIR, sqlite:PATH, postgres://…, mysql://…, redis://…, redis+cluster://…, or env:NAME for a
    /// variable that holds the URL, so that no password is in the list of processes
    #[arg(long, short, value_name = "URL", global = true, env = "SESSIONCTL_STORE", hide_env_values = true)]
    pub(crate) store: Option<String>,
    /// The application whose principals are meant, as in its configuration; records do not tell whose they are
    #[arg(long, value_name = "NAME", global = true, default_value = "default")]
    pub(crate) realm: String,
    /// What the names of the tables or keys begin with [default: none in SQL, `session` in Redis]
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) prefix: Option<String>,
    /// The name of the table in SQL [default: sessions]
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) table: Option<String>,
    /// How long the store may take for one call
    #[arg(long, value_name = "TIME", global = true, default_value = "5s", value_parser = when::deadline)]
    pub(crate) deadline: Duration,
    /// Print one JSON document, and errors as JSON too; names of fields stay as they are
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(subcommand)]
    Env(env::Command),
    Sweep(sweep::Options),
    List(list::Options),
    Show(show::Options),
    End(end::Options),
    /// Count the sessions, and say how many are signed in and how large they are, by reading every record
    Stats,
    Keygen(keygen::Options),
    Copy(copy::Options),
    Completions(completions::Options),
}

const EXAMPLES: &str = "\
Examples:
  export SESSIONCTL_STORE=postgres://app:secret@db/app
  sessionctl env check                  is it there, and fit for sessions?
  sessionctl stats                      how many sessions, how large
  sessionctl list --principal ann       where ann is signed in
  sessionctl end --principal ann        sign ann out everywhere
  sessionctl sweep                      delete what has expired, from cron

`sessionctl --help` says more, and `sessionctl COMMAND --help` more again.";

const LONG_HELP: &str = "\
Examples:
  # The store, once for all commands. It may hold a password; a variable is
  # not in the list of processes.
  export SESSIONCTL_STORE=postgres://app:secret@db/app

  sessionctl env create                 make what is missing, and only that
  sessionctl env check                  is it there, and fit for sessions?
  sessionctl stats                      how many sessions, how large
  sessionctl list --limit 20            some of the sessions
  sessionctl list --principal ann       where ann is signed in
  sessionctl show HANDLE                times and sizes of one session
  sessionctl end HANDLE                 sign one browser out
  sessionctl end --principal ann --yes  sign ann out everywhere, do not ask
  sessionctl env drop && sessionctl env create
                                        sign everybody out; asks first
  sessionctl sweep --dry-run            count what has expired
  sessionctl sweep                      delete it, for example from cron

  # Move to another store. Stop the application first. If it is interrupted,
  # the same command again goes on.
  sessionctl --store redis://new env create
  sessionctl copy file:/var/lib/app/sessions redis://new

  # With a password, again in a variable.
  NEW=redis://:secret@new sessionctl copy file:/var/lib/app/sessions env:NEW

Exit codes:
  0  done
  1  something failed, wholly or in part; what was done is said
  2  the command line, or a URL, prefix or table in it, is refused; nothing
     was done";
