//! PostgreSQL.

use std::{
    fs, io,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    ops::Deref,
    path::Path,
    process::Command,
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    binary::find,
    error::StartError,
    owner,
    server::{Recipe, Server},
    shared::{Lease, shared},
};

/// A PostgreSQL. Dropping it ends it.
#[derive(Debug)]
pub struct PostgresServer(Server<PostgresRecipe>);

/// What a [`PostgresServer`] is to be like: by default without fsync, so that it outlives `kill -9` and no power cut.
#[derive(Clone, Debug, Default)]
pub struct PostgresRecipe {
    settings: Vec<(&'static str, String)>,
}

impl PostgresServer {
    /// Starts a server.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start() -> Result<Self, StartError> {
        PostgresRecipe::default().start()
    }

    /// The URL of the server that this test run shares.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn shared() -> Result<String, StartError> {
        shared("postgres", || {
            let server = Self::start()?;
            Lease::new(server.url()).with(server.0).map_err(StartError::io("release a server"))
        })
    }

    /// The URL for the superuser, who needs no password.
    #[must_use]
    pub fn url(&self) -> String {
        Self::url_at(self.port())
    }

    /// The same through a proxy on another port.
    #[must_use]
    pub fn url_at(port: u16) -> String {
        format!("postgres://{USER}@127.0.0.1:{port}/postgres?sslmode=disable")
    }

    /// A URL for somebody who needs a password, which once made is `secret`:
    /// `CREATE ROLE guarded LOGIN PASSWORD 'secret'`.
    #[must_use]
    pub fn url_with_password(&self, password: &str) -> String {
        format!("postgres://guarded:{password}@127.0.0.1:{}/postgres?sslmode=disable", self.port())
    }
}

impl Deref for PostgresServer {
    type Target = Server<PostgresRecipe>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl PostgresRecipe {
    /// With a setting of `postgresql.conf`.
    #[must_use]
    pub fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.push((name, value.into()));
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start(self) -> Result<PostgresServer, StartError> {
        Server::start(self).map(PostgresServer)
    }
}

impl Recipe for PostgresRecipe {
    const NAME: &'static str = "postgres";

    const STOP: Signal = Signal::INT;

    fn prepare(&self, data: &Path) -> Result<(), StartError> {
        let initdb = find("initdb", PACKAGE)?;
        owner::give_away(data).map_err(StartError::io("give the data folder away"))?;
        let mut command = Command::new(initdb);
        command.arg("-D").arg(data).args(["-U", USER, "--auth=trust", "--no-sync", "--no-locale"]);
        command.args(["--encoding=UTF8", "--wal-segsize=1"]).current_dir(data);
        owner::run_by_owner(command, "initdb")?;
        let access =
            format!("host all guarded 127.0.0.1/32 scram-sha-256\nhost all {USER} 127.0.0.1/32 trust\n");
        fs::write(data.join("pg_hba.conf"), access).map_err(StartError::io("write pg_hba.conf"))
    }

    fn command(&self, data: &Path, port: u16) -> Result<Command, StartError> {
        let mut command = Command::new(find("postgres", PACKAGE)?);
        command.arg("-D").arg(data).args(["-p", &port.to_string()]).current_dir(data);
        let settings = self.settings.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in SETTINGS.iter().copied().chain(settings) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        owner::make_run_by_owner(&mut command);
        Ok(command)
    }

    fn is_ready(&self, port: u16) -> bool {
        greet(port).is_ok_and(|answer| answer == b'R')
    }
}

/// The first byte of the answer to a client that introduces itself: `R` if it may come in, `E` while the server starts.
fn greet(port: u16) -> io::Result<u8> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let introduction = format!("\0\x03\0\0user\0{USER}\0database\0postgres\0\0");
    let length = u32::try_from(introduction.len() + 4).unwrap_or_default();
    stream.write_all(&[&length.to_be_bytes(), introduction.as_bytes()].concat())?;
    let mut answer = [0];
    stream.read_exact(&mut answer)?;
    // Goodbye.
    stream.write_all(&[b'X', 0, 0, 0, 4])?;
    Ok(answer[0])
}

const PACKAGE: &str = "postgresql";
const USER: &str = "session";
const SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("fsync", "off"),
    ("max_connections", "200"),
    ("shared_buffers", "32MB"),
    ("min_wal_size", "8MB"),
    ("max_wal_size", "64MB"),
    ("dynamic_shared_memory_type", "mmap"),
];
