//! What the SQL servers have in common: settings, two users, and the URLs that name them.

use std::{fmt, marker::PhantomData, ops::Deref, path::Path, process::Command};

use rustix::process::Signal;

use crate::{
    error::StartError,
    owner,
    server::{Recipe, Server},
    shared::{Lease, shared},
};

/// One kind of SQL server.
pub trait Sql: Send + Sync + 'static {
    /// The name of the program, for messages.
    const NAME: &'static str;

    /// The signal after which it finishes its work and ends.
    const STOP: Signal;

    /// The settings that a test may change.
    const SETTINGS: &'static [(&'static str, &'static str)];

    /// The URL of the test's database on that port, for `login`: a user, or a user and a password.
    fn url(login: &str, port: u16) -> String;

    /// Makes the database in its empty data folder, which belongs to who runs the server.
    ///
    /// # Errors
    /// [`StartError`]
    fn prepare(data: &Path) -> Result<(), StartError>;

    /// The program, without settings.
    ///
    /// # Errors
    /// [`StartError::Missing`]
    fn command(data: &Path, port: u16) -> Result<Command, StartError>;

    /// Adds a setting.
    fn set(command: &mut Command, name: &str, value: &str);

    /// Whether it answers.
    fn is_ready(port: u16) -> bool;
}

/// A SQL server. Dropping it ends it.
pub struct SqlServer<K: Sql>(Server<SqlRecipe<K>>);

/// What a [`SqlServer`] is to be like: by default quick, so that it outlives `kill -9` and no power cut.
pub struct SqlRecipe<K> {
    settings: Vec<(&'static str, String)>,
    kind: PhantomData<K>,
}

impl<K: Sql> SqlServer<K> {
    /// Starts a server.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start() -> Result<Self, StartError> {
        SqlRecipe::default().start()
    }

    /// The URL of the server that this test run shares.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn shared() -> Result<String, StartError> {
        shared(K::NAME, || {
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
        K::url(USER, port)
    }

    /// A URL for somebody who needs a password, which is `secret`. On PostgreSQL they have to be made first:
    /// `CREATE ROLE guarded LOGIN PASSWORD 'secret'`.
    #[must_use]
    pub fn url_with_password(&self, password: &str) -> String {
        K::url(&format!("guarded:{password}"), self.port())
    }
}

impl<K: Sql> Deref for SqlServer<K> {
    type Target = Server<SqlRecipe<K>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<K: Sql> SqlRecipe<K> {
    /// With a setting of the server, as its manual names it.
    #[must_use]
    pub fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.push((name, value.into()));
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start(self) -> Result<SqlServer<K>, StartError> {
        Server::start(self).map(SqlServer)
    }
}

impl<K: Sql> Recipe for SqlRecipe<K> {
    const NAME: &'static str = K::NAME;

    const STOP: Signal = K::STOP;

    fn prepare(&self, data: &Path) -> Result<(), StartError> {
        owner::give_away(data).map_err(StartError::io("give the data folder away"))?;
        K::prepare(data)
    }

    fn command(&self, data: &Path, port: u16) -> Result<Command, StartError> {
        let mut command = K::command(data, port)?;
        command.current_dir(data);
        let settings = self.settings.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in K::SETTINGS.iter().copied().chain(settings) {
            K::set(&mut command, name, value);
        }
        owner::make_run_by_owner(&mut command);
        Ok(command)
    }

    fn is_ready(&self, port: u16) -> bool {
        K::is_ready(port)
    }
}

impl<K> Default for SqlRecipe<K> {
    fn default() -> Self {
        Self { settings: Vec::new(), kind: PhantomData }
    }
}

impl<K> Clone for SqlRecipe<K> {
    fn clone(&self) -> Self {
        Self { settings: self.settings.clone(), kind: PhantomData }
    }
}

impl<K: Sql> fmt::Debug for SqlServer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(K::NAME).field(&self.0).finish()
    }
}

impl<K> fmt::Debug for SqlRecipe<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlRecipe").field("settings", &self.settings).finish()
    }
}

/// Who may do everything, and needs no password.
pub(crate) const USER: &str = "session";
