//! Which store a URL means, and opening it. No URL is ever printed: it may hold a password.

use std::{env, path::Path, sync::Arc};

use anyhow::{Result, anyhow};
use session_core::{Expiry, SessionManager, Store};
use session_store_file::FileStore;
use session_store_redis::{BuildError, RedisStore};
use session_store_sql::{OpenError, SqlStore};

use crate::{cli::Global, failure::Usage};

/// A store that was opened.
pub(crate) struct Opened {
    /// What it is called in answers: the beginning of its URL.
    pub(crate) kind: &'static str,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) manager: SessionManager,
    /// Whose principals are meant.
    pub(crate) realm: String,
}

/// Whether opening may make what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    IsMade,
    IsAnError,
}

/// A store as it was asked for: URL and names.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// What the URL is called in messages, as in `--store`.
    pub(crate) role: &'a str,
    pub(crate) url: &'a str,
    pub(crate) prefix: Option<&'a str>,
    pub(crate) table: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// The store of the options of every command.
    pub(crate) fn by(global: &'a Global) -> Result<Self> {
        let url = global.store.as_deref().ok_or_else(|| {
            Usage::error(
                "which store? Say --store URL, or set SESSIONCTL_STORE: file:DIR, sqlite:PATH, postgres://…",
            )
        })?;
        let (prefix, table) = (global.prefix.as_deref(), global.table.as_deref());
        Ok(Self { role: "--store", url, prefix, table })
    }

    /// Opens the store, without asking it anything.
    pub(crate) fn open(self, global: &Global, missing: Missing) -> Result<Opened> {
        let from_variable = match self.url.strip_prefix("env:") {
            Some(name) => Some(env::var(name).map_err(|_| {
                Usage::error(format!(
                    "{}: the variable {} is not set, or no text",
                    self.role,
                    crate::text::printable(name)
                ))
            })?),
            None => None,
        };
        let url = from_variable.as_deref().unwrap_or(self.url);
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        let (kind, store): (_, Arc<dyn Store>) = match scheme {
            "file" => ("file", Arc::new(self.file(&url["file:".len()..], global, missing)?)),
            "sqlite" => ("sqlite", Arc::new(self.sql(url, global, missing)?)),
            "postgres" | "postgresql" => ("postgres", Arc::new(self.sql(url, global, missing)?)),
            "mysql" | "mariadb" => ("mysql", Arc::new(self.sql(url, global, missing)?)),
            "redis" | "rediss" | "redis+unix" | "valkey" | "valkeys" | "valkey+unix" | "unix" => {
                ("redis", Arc::new(self.redis(url, global)?))
            }
            "redis+cluster" | "rediss+cluster" | "valkey+cluster" | "valkeys+cluster" => {
                ("redis+cluster", Arc::new(self.redis(url, global)?))
            }
            "memory" => return Err(self.refused("memory is of one process, and gone with it")),
            _ => return Err(self.refused(
                "a store is file:DIR, sqlite:PATH, postgres://…, mysql://…, redis://… or redis+cluster://…",
            )),
        };
        let manager = SessionManager::builder(store.clone())
            .realm(&global.realm)
            // Only the application knows its timeouts. A session that lives longer than the default ones would neither
            // be listed nor ended with its principal's; when each one ends is in the store.
            .expiry(Expiry::absolute(std::time::Duration::MAX))
            .build()
            .map_err(|error| Usage::error(format!("--{error}")))?;
        Ok(Opened { kind, store, manager, realm: global.realm.clone() })
    }

    fn file(self, folder: &str, global: &Global, missing: Missing) -> Result<FileStore> {
        if self.prefix.is_some() || self.table.is_some() {
            return Err(self.refused("a folder has neither prefix nor table"));
        }
        if folder.is_empty() || folder.contains('\0') {
            return Err(self.refused("the name of a folder follows file:"));
        }
        // As others write it who think of a URL: file:///var/lib/app.
        let folder = folder.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(folder);
        let builder = FileStore::builder(Path::new(folder)).deadline(global.deadline);
        Ok(builder.create(missing == Missing::IsMade).open()?)
    }

    fn sql(self, url: &str, global: &Global, missing: Missing) -> Result<SqlStore> {
        let mut builder = SqlStore::builder().deadline(global.deadline).create(missing == Missing::IsMade);
        if let Some(prefix) = self.prefix {
            builder = builder.prefix(prefix);
        }
        if let Some(table) = self.table {
            builder = builder.table(table);
        }
        builder.connect_lazy(url).map_err(|error| match error {
            OpenError::File(_) | OpenError::Environment(_) => anyhow!(error),
            OpenError::Table => Usage::error(format!("{}: {error}, its prefix included", self.names())),
            refused => self.refused(refused),
        })
    }

    fn redis(self, url: &str, global: &Global) -> Result<RedisStore> {
        if self.table.is_some() {
            return Err(self.refused("Redis has no tables, but a --prefix"));
        }
        let mut builder = RedisStore::builder(url).deadline(global.deadline);
        if let Some(prefix) = self.prefix {
            builder = builder.prefix(prefix);
        }
        builder.build().map_err(|error| match error {
            BuildError::TlsIsOff => self.refused("this program was built without its feature tls"),
            error => self.refused(error),
        })
    }

    /// The options that make the name of a table.
    fn names(self) -> &'static str {
        match (self.prefix, self.table) {
            (Some(_), Some(_)) => "--prefix and --table",
            (Some(_), None) => "--prefix",
            (None, _) => "--table",
        }
    }

    fn refused(self, why: impl std::fmt::Display) -> anyhow::Error {
        Usage::error(format!("{}: {why}", self.role))
    }
}
