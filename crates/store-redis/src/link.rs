//! The connection to one node: shared by all requests, made when it is needed, made anew when it breaks or falls silent.

use std::{
    fmt, io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, RedisError, ServerErrorKind, Value,
    aio::MultiplexedConnection,
};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep_until, timeout, timeout_at},
};

use crate::{
    failure::Failure,
    script::{self, Call},
    stats::Counters,
};

/// A node, whether there is a connection to it at the moment or not. Clones are the same.
#[derive(Clone)]
pub(crate) struct Link(Arc<Inner>);

struct Inner {
    client: Client,
    config: AsyncConnectionConfig,
    /// How long a connection may take to be made.
    patience: Duration,
    counters: Arc<Counters>,
    connections: AtomicU64,
    state: Mutex<State>,
}

enum State {
    /// The next attempt is not to begin before this instant.
    Down(Instant),
    Connecting(Attempt),
    Up(Connection),
}

/// Goes on when those who wait for it give up.
type Attempt = Shared<BoxFuture<'static, Result<Connection, RedisError>>>;

#[derive(Clone)]
struct Connection {
    number: u64,
    pipe: MultiplexedConnection,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// May be an error of the server.
    pub(crate) value: Value,
    /// The request was sent before, and may have been carried out then.
    pub(crate) again: bool,
}

impl Link {
    /// Connects to nothing yet.
    pub(crate) fn new(
        info: ConnectionInfo,
        patience: Duration,
        in_flight: usize,
        counters: &Arc<Counters>,
    ) -> Result<Self, RedisError> {
        // This crate measures the time by itself, from the call to its end.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(in_flight);
        Ok(Self(Arc::new(Inner {
            client: Client::open(info)?,
            config,
            patience,
            counters: Arc::clone(counters),
            connections: AtomicU64::new(0),
            state: Mutex::new(State::Down(Instant::now())),
        })))
    }

    pub(crate) fn info(&self) -> &ConnectionInfo {
        self.0.client.get_connection_info()
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Sends a request and waits for the answer until `until`. If the connection breaks it is sent once more, on a new
    /// one: every request of this crate may be repeated.
    pub(crate) async fn request(&self, call: &Call, asking: bool, until: Instant) -> Result<Answer, Failure> {
        let mut spelt_out = None;
        let mut again = false;
        loop {
            let connection = self.connection(until).await.map_err(|failure| failure.after(again))?;
            let command = spelt_out.as_ref().unwrap_or(&call.command);
            match timeout_at(until, connection.send(command, asking)).await {
                Ok(Ok(value)) => {
                    let Value::ServerError(error) = &value else { return Ok(Answer { value, again }) };
                    match error.kind() {
                        Some(ServerErrorKind::NoScript) if spelt_out.is_none() => {
                            self.0.counters.scripts_forgotten.add();
                            spelt_out = call.spelt_out();
                            if spelt_out.is_some() {
                                continue;
                            }
                        }
                        // The name of the server may lead to another machine by now.
                        Some(ServerErrorKind::ReadOnly) => self.retire(&connection),
                        _ => {}
                    }
                    return Ok(Answer { value, again });
                }
                Ok(Err(error)) => {
                    self.retire(&connection);
                    if again {
                        return Err(Failure::broken(error, true));
                    }
                    self.0.counters.repeated.add();
                    again = true;
                }
                Err(_) => {
                    // Perhaps the network has forgotten it, and a new one would be answered.
                    self.retire(&connection);
                    return Err(Failure::late(true));
                }
            }
        }
    }

    async fn connection(&self, until: Instant) -> Result<Connection, Failure> {
        let attempt = {
            let mut state = self.0.state();
            match &*state {
                State::Up(connection) => return Ok(connection.clone()),
                State::Connecting(attempt) => attempt.clone(),
                State::Down(not_before) => {
                    let runtime = Handle::try_current().map_err(|_| Failure::no_runtime())?;
                    let attempt = connect(Arc::downgrade(&self.0), *not_before).boxed().shared();
                    runtime.spawn(attempt.clone());
                    *state = State::Connecting(attempt.clone());
                    attempt
                }
            }
        };
        match timeout_at(until, attempt).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(Failure::broken(error, false)),
            Err(_) => Err(Failure::late(false)),
        }
    }

    /// Gives no further request to this connection. Those that wait for its answers keep it.
    fn retire(&self, connection: &Connection) {
        let mut state = self.0.state();
        if matches!(&*state, State::Up(current) if current.number == connection.number) {
            *state = State::Down(Instant::now());
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn open(&self) -> Result<MultiplexedConnection, RedisError> {
        let mut pipe = self.client.get_multiplexed_async_connection_with_config(&self.config).await?;
        // A server that refuses, because it still loads its data or allows no such command, is told with the call.
        let scripts = script::load_all();
        pipe.send_packed_commands(&scripts, 0, scripts.len()).await?;
        Ok(pipe)
    }
}

impl Connection {
    async fn send(&self, command: &Cmd, asking: bool) -> Result<Value, RedisError> {
        let mut pipe = self.pipe.clone();
        let answer = if asking {
            let mut both = redis::pipe();
            both.cmd("ASKING").add_command(command.clone());
            pipe.send_packed_commands(&both, 0, 2)
                .await
                .map(|mut answers| answers.pop().unwrap_or(Value::Nil))
        } else {
            pipe.send_packed_command(command).await
        };
        // However the library hands over an error of the server, it is an answer.
        answer.or_else(|error| redis::ServerError::try_from(error).map(Value::ServerError))
    }
}

async fn connect(link: Weak<Inner>, not_before: Instant) -> Result<Connection, RedisError> {
    sleep_until(not_before).await;
    let Some(link) = link.upgrade() else { return Err(io::Error::from(io::ErrorKind::NotConnected).into()) };
    let opened = timeout(link.patience, link.open()).await;
    let opened = opened.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()));
    let connection = opened.map(|pipe| {
        link.counters.connections.add();
        Connection { number: link.connections.fetch_add(1, Ordering::Relaxed), pipe }
    });
    *link.state() = match &connection {
        Ok(connection) => State::Up(connection.clone()),
        Err(error) => {
            tracing::debug!(node = %link.client.get_connection_info().addr(), %error, "no connection to redis");
            State::Down(Instant::now() + PAUSE)
        }
    };
    connection
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the login.
        write!(f, "{}", self.info().addr())
    }
}

/// Between two attempts to connect: short, because requests wait for the second.
const PAUSE: Duration = Duration::from_millis(50);
