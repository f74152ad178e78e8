//! `cargo xtask serve`: the kit's fixture application on a socket.

use std::{
    io::{self, Write},
    net::SocketAddr,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::{Args, builder::PossibleValuesParser};
use session_core::{Expiry, SessionManager, persist::CookieOptions};
use tokio::{net::TcpListener, runtime, sync::watch, time};

use crate::registry::{self, Serving};

/// Serve the kit's fixture application, so that any HTTP client can test any combination
///
/// Prints `listening on http://ADDR` to standard output when it is ready. SIGTERM and Ctrl-C end it, after the requests
/// that have begun.
///
/// The application has three routes: `GET /` gives status and keys of the session, `GET /untouched` does not ask for
/// it, and `POST /ops` takes a JSON array of operations and answers with the array of their results:
///
///   curl -i -d '[{"op":"incr","key":"n","by":1},{"op":"info"}]' http://ADDR/ops
///
/// The documentation of `session_conformance::fixture` lists all operations.
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Options {
    /// The adapter in front of the application
    #[arg(long, value_name = "ADAPTER", default_value = "axum", value_parser = PossibleValuesParser::new(registry::adapter_names()))]
    adapter: String,

    /// Where sessions are kept: memory, file:DIR, sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE,
    /// mysql://USER:PASSWORD@HOST/DATABASE, redis://HOST:PORT or redis+cluster://HOST:PORT,HOST:PORT [default: memory];
    /// sealed sessions are kept by their clients
    #[arg(long, value_name = "STORE")]
    store: Option<String>,

    /// How the id travels; signatures and seals are made with a key that is published, for tests only
    #[arg(long, value_name = "PERSIST", default_value = "cookie", value_parser = PossibleValuesParser::new(registry::persist_names()))]
    persist: String,

    /// The address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Seconds without a request after which a session ends [default: 1800]
    #[arg(long, value_name = "SECS")]
    idle: Option<u64>,

    /// Seconds after which a session ends however much it is used [default: 43200]
    #[arg(long, value_name = "SECS")]
    absolute: Option<u64>,

    /// Name the cookie `id` and let it travel without TLS, for clients that keep to the rules
    #[arg(long)]
    plain_http: bool,
}

/// Requests that have begun may take this long when the server is to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves until it is told to end.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let adapter = registry::adapter(&options.adapter)?;
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let manager = manager(options).await?;
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("cannot listen on {}", options.listen))?;
        let address = listener.local_addr()?;
        let ready = Box::new(move || {
            println!("listening on http://{address}");
            drop(io::stdout().flush());
        });

        let (ending, mut ended) = watch::channel(false);
        let mut told = ending.subscribe();
        let end = Box::pin(async move { drop(told.wait_for(|end| *end).await) });
        let signals = tokio::spawn(async move {
            signal().await;
            ending.send_replace(true);
        });
        let overdue = async move {
            drop(ended.wait_for(|end| *end).await);
            time::sleep(PATIENCE).await;
        };
        tokio::select! {
            served = (adapter.serve)(Serving { manager, listener, ready, end }) => served?,
            () = overdue => bail!("requests were still running {PATIENCE:?} after the signal"),
        }
        signals.abort();
        Ok(true)
    })
}

async fn manager(options: &Options) -> Result<SessionManager> {
    let persist = registry::persist(&options.persist)?;
    let builder = match (&options.store, persist.has_store()) {
        (store, true) => {
            SessionManager::builder(registry::open_store(store.as_deref().unwrap_or("memory")).await?)
        }
        (None, false) => SessionManager::without_store(),
        (Some(_), false) => {
            bail!("with --persist {persist} the clients keep their sessions: leave --store out")
        }
    };
    let mut expiry = Expiry::default();
    if let Some(seconds) = options.idle {
        expiry.idle = Some(Duration::from_secs(seconds));
    }
    if let Some(seconds) = options.absolute {
        expiry.absolute = Some(Duration::from_secs(seconds));
    }
    let cookie = match options.plain_http {
        true => CookieOptions::plain_http_for_development(),
        false => CookieOptions::default(),
    };
    Ok(persist.configure(builder.expiry(expiry), cookie)?.build()?)
}

/// Waits for Ctrl-C or SIGTERM; for ever where neither can be waited for.
async fn signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix;
        let terminate = async {
            match unix::signal(unix::SignalKind::terminate()) {
                Ok(mut signals) => drop(signals.recv().await),
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = interrupt => {}
            () = terminate => {}
        }
    }
    #[cfg(not(unix))]
    interrupt.await;
}
