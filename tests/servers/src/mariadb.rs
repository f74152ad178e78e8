//! MariaDB, or MySQL where that is what is installed.

use std::{
    fs, io,
    io::Read,
    net::{Ipv4Addr, TcpStream},
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    binary::find,
    error::StartError,
    owner,
    server::{Recipe, Server},
    shared::{Lease, shared},
};

/// A MariaDB or MySQL. Dropping it ends it.
#[derive(Debug)]
pub struct MariadbServer(Server<MariadbRecipe>);

/// What a [`MariadbServer`] is to be like.
#[derive(Clone, Debug, Default)]
pub struct MariadbRecipe {
    settings: Vec<(&'static str, String)>,
}

impl MariadbServer {
    /// Starts a server.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start() -> Result<Self, StartError> {
        MariadbRecipe::default().start()
    }

    /// The URL of the server that this test run shares.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn shared() -> Result<String, StartError> {
        shared("mariadb", || {
            let server = Self::start()?;
            Lease::new(server.url()).with(server.0).map_err(StartError::io("release a server"))
        })
    }

    /// The URL for who may do everything, and needs no password.
    #[must_use]
    pub fn url(&self) -> String {
        Self::url_at(self.port())
    }

    /// The same through a proxy on another port.
    #[must_use]
    pub fn url_at(port: u16) -> String {
        format!("mysql://session@127.0.0.1:{port}/session?ssl-mode=DISABLED")
    }

    /// A URL for somebody who needs a password: `secret`.
    #[must_use]
    pub fn url_with_password(&self, password: &str) -> String {
        format!("mysql://guarded:{password}@127.0.0.1:{}/session?ssl-mode=DISABLED", self.port())
    }
}

impl Deref for MariadbServer {
    type Target = Server<MariadbRecipe>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl MariadbRecipe {
    /// With an option of `mysqld`, without its dashes.
    #[must_use]
    pub fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.push((name, value.into()));
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start(self) -> Result<MariadbServer, StartError> {
        Server::start(self).map(MariadbServer)
    }
}

impl Recipe for MariadbRecipe {
    const NAME: &'static str = "mysqld";

    fn prepare(&self, data: &Path) -> Result<(), StartError> {
        let temporary = temporary(data);
        fs::create_dir_all(&temporary).map_err(StartError::io("make a temporary folder"))?;
        for folder in [data, &temporary] {
            owner::give_away(folder).map_err(StartError::io("give a folder away"))?;
        }
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

    fn command(&self, data: &Path, port: u16) -> Result<Command, StartError> {
        let mut command = Command::new(find("mariadbd", PACKAGE).or_else(|_| find("mysqld", PACKAGE))?);
        command.arg("--no-defaults").arg(format!("--port={port}")).current_dir(data);
        for (name, file) in
            [("datadir", ""), ("init-file", "users.sql"), ("pid-file", "pid"), ("socket", "socket")]
        {
            command.arg(format!("--{name}={}", data.join(file).display()));
        }
        command.arg(format!("--tmpdir={}", temporary(data).display()));
        let settings = self.settings.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in SETTINGS.iter().copied().chain(settings) {
            command.arg(format!("--{name}={value}"));
        }
        owner::make_run_by_owner(&mut command);
        Ok(command)
    }

    fn is_ready(&self, port: u16) -> bool {
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
const SETTINGS: &[(&str, &str)] = &[
    ("bind-address", "127.0.0.1"),
    ("skip-name-resolve", "ON"),
    ("max-connections", "200"),
    ("innodb-buffer-pool-size", "32M"),
    ("innodb-log-file-size", "8M"),
    ("performance-schema", "OFF"),
    ("max-connect-errors", "1000000"),
];
