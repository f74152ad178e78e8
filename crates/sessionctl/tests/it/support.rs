//! Stores with sessions in them, made by a real manager, and the program.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::{Request, StatusCode};
use serde_json::Value;
use session_core::{Opened, RequestHead, Session, SessionManager, Store};
use session_store_file::FileStore;
use session_store_redis::RedisStore;
use session_store_sql::SqlStore;
use session_test_servers::{MariadbServer, PostgresServer, RedisCluster, RedisServer, StartError};
use tempfile::TempDir;

/// A store of a test's own.
pub(crate) struct Lab {
    pub(crate) url: String,
    /// What keeps this store apart from those of other tests in the same server.
    pub(crate) names: Vec<String>,
    prefix: String,
    pub(crate) folder: TempDir,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Sqlite,
    Postgres,
    MySql,
    Redis,
    Cluster,
}

/// Runs each test on each store, or says which server is not installed.
macro_rules! on_each_store {
    ($(fn $name:ident($lab:ident) $body:block)*) => {
        mod cases {
            #[allow(unused_imports, reason = "whatever the cases of the file need")]
            use super::*;
            $(pub(super) fn $name($lab: &Lab) $body)*
        }
        $crate::support::on_each_store! { @ file File, $($name)* }
        $crate::support::on_each_store! { @ sqlite Sqlite, $($name)* }
        $crate::support::on_each_store! { @ postgres Postgres, $($name)* }
        $crate::support::on_each_store! { @ mysql MySql, $($name)* }
        $crate::support::on_each_store! { @ redis Redis, $($name)* }
        $crate::support::on_each_store! { @ cluster Cluster, $($name)* }
    };
    (@ $module:ident $kind:ident, $($name:ident)*) => {
        mod $module {
            $(#[test] fn $name() {
                if let Some(lab) = $crate::support::Lab::new($crate::support::Kind::$kind) {
                    super::cases::$name(&lab);
                }
            })*
        }
    };
}

pub(crate) use on_each_store;

/// What a run of the program has printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The program with these arguments and no variable that would mean something to it.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sessionctl"));
    command.args(arguments).env_remove("SESSIONCTL_STORE").env("COLUMNS", "80").stdin(Stdio::null());
    command
}

pub(crate) fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) fn run(arguments: &[&str]) -> Ran {
    ran(command(arguments).output().unwrap())
}

impl Ran {
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!((self.code, &*self.err), (0, ""), "{}", self.out);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Lab {
    /// An empty store whose environment was created by the program; `None`, said aloud, without its server.
    pub(crate) fn new(kind: Kind) -> Option<Self> {
        let lab = Self::without_environment(kind)?;
        lab.run(&["env", "create"]).ok();
        Some(lab)
    }

    pub(crate) fn without_environment(kind: Kind) -> Option<Self> {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let place = folder.path().display();
        let url = match kind {
            Kind::File => format!("file:{place}/sessions"),
            Kind::Sqlite => format!("sqlite:{place}/sessions.db"),
            Kind::Postgres => or_skip(PostgresServer::shared())?,
            Kind::MySql => or_skip(MariadbServer::shared())?,
            Kind::Redis => or_skip(RedisServer::shared())?,
            Kind::Cluster => {
                let nodes = or_skip(RedisCluster::shared())?;
                let hosts: Vec<_> = nodes.iter().map(|url| url.trim_start_matches("redis://")).collect();
                format!("redis+cluster://{}", hosts.join(","))
            }
        };
        let prefix = unique();
        let names = match kind {
            Kind::File => Vec::new(),
            _ => vec!["--prefix".to_owned(), prefix.clone()],
        };
        Some(Self { url, names, prefix, folder })
    }

    /// Runs the program on this store.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let store = ["--store", &self.url, "--deadline", "60s"];
        let names = self.names.iter().map(String::as_str);
        run(&store.into_iter().chain(names).chain(arguments.iter().copied()).collect::<Vec<_>>())
    }

    /// The answer in JSON, after checking that it went well.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).ok().json()
    }

    /// The store, as an application has it.
    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        let patience = Duration::from_secs(60);
        match self.url.split_once(':').unwrap() {
            ("file", folder) => {
                Arc::new(FileStore::builder(Path::new(folder)).deadline(patience).open().unwrap())
            }
            ("redis" | "redis+cluster", _) => {
                let builder = RedisStore::builder(&*self.url).prefix(&*self.prefix).deadline(patience);
                Arc::new(builder.build().unwrap())
            }
            _ => {
                let builder = SqlStore::builder().prefix(&*self.prefix).deadline(patience);
                Arc::new(builder.connect(&self.url).await.unwrap())
            }
        }
    }

    pub(crate) async fn manager(&self) -> SessionManager {
        SessionManager::builder(self.store().await).build().unwrap()
    }

    /// Does `work` with an application's manager on this store.
    pub(crate) fn with<T>(&self, work: impl AsyncFnOnce(SessionManager) -> T) -> T {
        block_on(async { work(self.manager().await).await })
    }

    /// Makes sessions: some signed in as ann, some as bob, and some visitors. Their ids.
    pub(crate) fn fill(&self, ann: usize, bob: usize, visitors: usize) -> Vec<String> {
        self.with(async |manager| {
            let mut ids = Vec::new();
            for (principal, number) in [(Some("ann"), ann), (Some("bob"), bob), (None, visitors)] {
                for _ in 0..number {
                    ids.push(visit(&manager, principal).await);
                }
            }
            ids
        })
    }

    pub(crate) fn handles(&self, arguments: &[&str]) -> Vec<String> {
        let listed = self.json(&[&["list", "--limit", "100000"], arguments].concat());
        let sessions = listed["sessions"].as_array().unwrap();
        sessions.iter().map(|session| session["handle"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// One request that signs in, if it does, and keeps something secret. The id.
pub(crate) async fn visit(manager: &SessionManager, principal: Option<&str>) -> String {
    request(manager, None, |session| {
        session.insert("note", SECRET).unwrap();
        session.namespace("shop").unwrap().insert("items", 3_u32).unwrap();
        principal.map(|principal| session.authenticate(principal)).transpose().unwrap();
    })
    .await
}

/// Another request of the same browser, which signs in. The new id.
pub(crate) async fn sign_in(manager: &SessionManager, id: &str, principal: &str) -> String {
    request(manager, Some(id), |session| session.authenticate(principal).unwrap()).await
}

async fn request(manager: &SessionManager, id: Option<&str>, handler: impl FnOnce(&Session)) -> String {
    let mut request = Request::builder().uri("/").body(()).unwrap();
    if let Some(id) = id {
        request.headers_mut().insert("cookie", format!("__Host-id={id}").parse().unwrap());
    }
    let Opened::Continue(lazy) = manager.open(&RequestHead::from(&request)).await else {
        panic!("a redirect")
    };
    let session = lazy.load().await.unwrap();
    handler(&session);
    let mut headers = http::HeaderMap::new();
    manager.close(lazy, StatusCode::OK).await.unwrap().apply(&mut headers);
    let cookie = headers["set-cookie"].to_str().unwrap();
    cookie.split(['=', ';']).nth(1).unwrap().to_owned()
}

pub(crate) fn or_skip<T>(started: Result<T, StartError>) -> Option<T> {
    match started {
        Ok(started) => Some(started),
        Err(error) if error.is_missing() => {
            session_conformance::skip(error);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Shared with no other test, in no process.
fn unique() -> String {
    static TESTS: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let number = TESTS.fetch_add(1, Ordering::Relaxed);
    format!("ctl{}_{number}_{}", std::process::id(), now.subsec_nanos())
}

/// What no command shows unless it is told to.
pub(crate) const SECRET: &str = "tulips and daffodils";
