//! redis-server, or valkey-server where that is what is installed.

use std::{
    fmt::Write as _,
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    binary::find,
    clock::MovedClock,
    error::StartError,
    server::{Recipe, Server},
};

/// A Redis of one node. Dropping it ends it.
#[derive(Debug)]
pub struct RedisServer(Server<RedisRecipe>);

/// What a [`RedisServer`] is to be like: by default without a password, and with nothing written to its folder.
#[derive(Clone, Debug, Default)]
pub struct RedisRecipe {
    settings: Vec<(&'static str, String)>,
    password: Option<String>,
    environment: Vec<(&'static str, PathBuf)>,
}

impl RedisServer {
    /// Starts a server that forgets everything when it ends.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start() -> Result<Self, StartError> {
        RedisRecipe::default().start()
    }

    /// Starts a server that has everything it acknowledged after `kill` and `restart`.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn durable() -> Result<Self, StartError> {
        // With `everysec` Redis puts writing off, and not only syncing, while a sync is running.
        RedisRecipe::default().set("appendonly", "yes").set("appendfsync", "always").start()
    }

    /// The URL, with the password if it has one.
    #[must_use]
    pub fn url(&self) -> String {
        let password = self.0.recipe().password.as_ref();
        let login = password.map(|password| format!(":{password}@")).unwrap_or_default();
        format!("redis://{login}127.0.0.1:{}", self.port())
    }

    /// Sends one command, written as for `redis-cli` without quotes, and gives the raw beginning of the answer.
    ///
    /// # Errors
    /// [`std::io::Error`] when there is no answer within a second.
    pub fn ask(&self, command: &str) -> std::io::Result<String> {
        ask_with(self.port(), self.0.recipe().password.as_deref(), command)
    }

    pub(crate) fn into_inner(self) -> Server<RedisRecipe> {
        self.0
    }
}

impl Deref for RedisServer {
    type Target = Server<RedisRecipe>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl RedisRecipe {
    /// With a setting of `redis.conf`.
    #[must_use]
    pub fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.push((name, value.into()));
        self
    }

    /// With a password for everybody.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// With this clock.
    #[must_use]
    pub fn clock(mut self, clock: &MovedClock) -> Self {
        self.environment.extend(clock.environment());
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start(self) -> Result<RedisServer, StartError> {
        Server::start(self).map(RedisServer)
    }
}

impl Recipe for RedisRecipe {
    const NAME: &'static str = "redis-server";

    fn prepare(&self, data: &Path) -> Result<(), StartError> {
        let mut text = String::from(
            "bind 127.0.0.1\ndaemonize no\nprotected-mode no\nsave \"\"\nappendonly no\ntcp-backlog 128\n",
        );
        let password = self.password.iter().map(|password| ("requirepass", password));
        for (name, value) in self.settings.iter().map(|(name, value)| (*name, value)).chain(password) {
            let _ = writeln!(text, "{name} {value}");
        }
        fs::write(data.join("redis.conf"), text).map_err(StartError::io("write redis.conf"))
    }

    fn command(&self, data: &Path, port: u16) -> Result<Command, StartError> {
        let program = find("redis-server", "redis-server")
            .or_else(|missing| find("valkey-server", "valkey-server").map_err(|_| missing))?;
        let mut command = Command::new(program);
        command.current_dir(data).arg("redis.conf").args(["--port", &port.to_string()]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    fn is_ready(&self, port: u16) -> bool {
        // A server that reads its data answers, but not yet with this.
        ask_with(port, self.password.as_deref(), "PING").is_ok_and(|answer| answer.starts_with("+PONG"))
    }
}

/// Sends one command to the Redis on that port, as [`RedisServer::ask`] does.
///
/// # Errors
/// [`std::io::Error`] when there is no answer within a second.
pub fn ask(port: u16, command: &str) -> std::io::Result<String> {
    ask_with(port, None, command)
}

fn ask_with(port: u16, password: Option<&str>, command: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    if let Some(password) = password {
        stream.write_all(format!("AUTH {password}\r\n").as_bytes())?;
        read(&mut stream)?;
    }
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    read(&mut stream)
}

fn read(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut answer = vec![0; 64 << 10];
    let length = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}
