//! PostgreSQL.

use std::{
    fs, io,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    process::Command,
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    binary::find,
    error::StartError,
    owner,
    sql::{Sql, SqlRecipe, SqlServer, USER},
};

/// A PostgreSQL. Dropping it ends it.
pub type PostgresServer = SqlServer<Postgres>;

/// What a [`PostgresServer`] is to be like: by default without fsync. Settings are those of `postgresql.conf`.
pub type PostgresRecipe = SqlRecipe<Postgres>;

/// The kind of server.
#[derive(Debug)]
pub enum Postgres {}

impl Sql for Postgres {
    const NAME: &'static str = "postgres";

    /// At SIGTERM it waits for its clients.
    const STOP: Signal = Signal::INT;

    const SETTINGS: &'static [(&'static str, &'static str)] = &[
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("fsync", "off"),
        ("max_connections", "200"),
        ("shared_buffers", "32MB"),
        ("min_wal_size", "8MB"),
        ("max_wal_size", "64MB"),
        ("dynamic_shared_memory_type", "mmap"),
    ];

    fn url(login: &str, port: u16) -> String {
        format!("postgres://{login}@127.0.0.1:{port}/postgres?sslmode=disable")
    }

    fn prepare(data: &Path) -> Result<(), StartError> {
        let mut command = Command::new(find("initdb", PACKAGE)?);
        command.arg("-D").arg(data).args(["-U", USER, "--auth=trust", "--no-sync", "--no-locale"]);
        command.args(["--encoding=UTF8", "--wal-segsize=1"]).current_dir(data);
        owner::run_by_owner(command, "initdb")?;
        let access =
            format!("host all guarded 127.0.0.1/32 scram-sha-256\nhost all {USER} 127.0.0.1/32 trust\n");
        fs::write(data.join("pg_hba.conf"), access).map_err(StartError::io("write pg_hba.conf"))
    }

    fn command(data: &Path, port: u16) -> Result<Command, StartError> {
        let mut command = Command::new(find("postgres", PACKAGE)?);
        command.arg("-D").arg(data).args(["-p", &port.to_string()]);
        Ok(command)
    }

    fn set(command: &mut Command, name: &str, value: &str) {
        command.arg("-c").arg(format!("{name}={value}"));
    }

    fn is_ready(port: u16) -> bool {
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
