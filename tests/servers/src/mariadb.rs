//! MariaDB, or MySQL where that is what is installed.

use std::{
    fs, io,
    io::Read,
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    binary::find,
    error::StartError,
    owner,
    sql::{Sql, SqlRecipe, SqlServer},
};

/// A MariaDB or MySQL. Dropping it ends it.
pub type MariadbServer = SqlServer<Mariadb>;

/// What a [`MariadbServer`] is to be like. Settings are options of `mysqld`, without their dashes.
pub type MariadbRecipe = SqlRecipe<Mariadb>;

/// The kind of server.
#[derive(Debug)]
pub enum Mariadb {}

impl Sql for Mariadb {
    const NAME: &'static str = "mysqld";

    const STOP: Signal = Signal::TERM;

    const SETTINGS: &'static [(&'static str, &'static str)] = &[
        ("bind-address", "127.0.0.1"),
        ("skip-name-resolve", "ON"),
        ("max-connections", "200"),
        ("innodb-buffer-pool-size", "32M"),
        ("innodb-log-file-size", "8M"),
        ("performance-schema", "OFF"),
        ("max-connect-errors", "1000000"),
    ];

    fn url(login: &str, port: u16) -> String {
        format!("mysql://{login}@127.0.0.1:{port}/session?ssl-mode=DISABLED")
    }

    fn prepare(data: &Path) -> Result<(), StartError> {
        let temporary = temporary(data);
        fs::create_dir_all(&temporary).map_err(StartError::io("make a temporary folder"))?;
        owner::give_away(&temporary).map_err(StartError::io("give a folder away"))?;
        let mut command = match find("mariadb-install-db", PACKAGE) {
            Ok(installer) => {
                let mut command = Command::new(installer);
                command
                    .arg("--no-defaults")
                    .args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
                command
            }
            Err(missing) => {
                let mut command = Command::new(find("mysqld", PACKAGE).map_err(|_| missing)?);
                command.args(["--no-defaults", "--initialize-insecure"]);
                command
            }
        };
        command
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--tmpdir={}", temporary.display()))
            .arg("--innodb-log-file-size=8M")
            .current_dir(data);
        owner::run_by_owner(command, "mariadb-install-db")?;
        let users = "CREATE DATABASE IF NOT EXISTS session;\n\
                     CREATE USER IF NOT EXISTS 'session'@'%';\n\
                     GRANT ALL ON *.* TO 'session'@'%' WITH GRANT OPTION;\n\
                     CREATE USER IF NOT EXISTS 'guarded'@'%' IDENTIFIED BY 'secret';\n\
                     GRANT ALL ON session.* TO 'guarded'@'%';\n";
        fs::write(data.join("users.sql"), users).map_err(StartError::io("write users.sql"))
    }

    fn command(data: &Path, port: u16) -> Result<Command, StartError> {
        let mut command = Command::new(find("mariadbd", PACKAGE).or_else(|_| find("mysqld", PACKAGE))?);
        command.arg("--no-defaults").arg(format!("--port={port}"));
        for (name, file) in
            [("datadir", ""), ("init-file", "users.sql"), ("pid-file", "pid"), ("socket", "socket")]
        {
            command.arg(format!("--{name}={}", data.join(file).display()));
        }
        command.arg(format!("--tmpdir={}", temporary(data).display()));
        Ok(command)
    }

    fn set(command: &mut Command, name: &str, value: &str) {
        command.arg(format!("--{name}={value}"));
    }

    fn is_ready(port: u16) -> bool {
        greeting(port).is_ok_and(|version| version == 10)
    }
}

/// The version of the protocol with which a server greets; 255 if it has no place for a client.
fn greeting(port: u16) -> io::Result<u8> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut greeting = [0; 5];
    stream.read_exact(&mut greeting)?;
    Ok(greeting[4])
}

/// Each server clears its temporary folder of what other servers are just using.
fn temporary(data: &Path) -> PathBuf {
    data.with_file_name("tmp")
}

const PACKAGE: &str = "mariadb-server";
