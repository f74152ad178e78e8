//! One server for all processes of a test run: the first that asks starts it, and a watchdog ends it some seconds after
//! the last has ended, however that was.

use std::{
    env, fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
};

use rustix::process::{Pid, test_kill_process};

use crate::{
    cluster::RedisCluster,
    error::StartError,
    process::END,
    redis::RedisServer,
    server::{Recipe, Server},
};

/// Running servers, to be handed to a watchdog.
#[derive(Debug)]
pub struct Lease {
    text: String,
    /// Processes and their folders.
    servers: Vec<(u32, PathBuf)>,
}

impl Lease {
    /// What others need to know to use the servers, in one line: URLs.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), servers: Vec::new() }
    }

    /// And one of the servers.
    ///
    /// # Errors
    /// [`io::Error`]
    pub fn with<R: Recipe>(mut self, server: Server<R>) -> io::Result<Self> {
        self.servers.push(server.release()?);
        Ok(self)
    }
}

/// Gives the text of the servers called `name` that this test run shares; `start` makes them if they are not there.
/// Tests that share a server must keep apart by prefixes or databases, and must not harm it.
///
/// # Errors
/// [`StartError`]
pub fn shared(name: &str, start: impl FnOnce() -> Result<Lease, StartError>) -> Result<String, StartError> {
    let failed = StartError::io("share a server");
    match share(name, start) {
        Ok(text) => text,
        Err(error) => Err(failed(error)),
    }
}

impl RedisServer {
    /// The URL of the server that this test run shares.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn shared() -> Result<String, StartError> {
        shared("redis", || {
            let server = Self::start()?;
            Lease::new(server.url()).with(server.into_inner()).map_err(StartError::io("release a server"))
        })
    }
}

impl RedisCluster {
    /// The URLs of the nodes of the cluster that this test run shares.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn shared() -> Result<Vec<String>, StartError> {
        let urls = shared("redis-cluster", || {
            let cluster = Self::start()?;
            let mut nodes = Lease::new(cluster.urls().join(" "));
            for node in cluster.into_nodes() {
                nodes = nodes.with(node.into_inner()).map_err(StartError::io("release a server"))?;
            }
            Ok(nodes)
        })?;
        Ok(urls.split(' ').map(str::to_owned).collect())
    }
}

fn share(
    name: &str,
    start: impl FnOnce() -> Result<Lease, StartError>,
) -> io::Result<Result<String, StartError>> {
    // Beside the test program, so that every checkout has its own.
    let program = env::current_exe()?;
    let folder = program.with_file_name("session-test-servers").join(name);
    fs::create_dir_all(&folder)?;
    let lock = fs::File::create(folder.join("lock"))?;
    lock.lock()?;
    // From here on the watchdog knows that the servers are in use.
    fs::write(folder.join(format!("lease-{}", process::id())), "")?;
    if let Some(text) = running(&folder) {
        return Ok(Ok(text));
    }
    let lease = match start() {
        Ok(lease) => lease,
        Err(error) => return Ok(Err(error)),
    };
    let ids: Vec<String> = lease.servers.iter().map(|(id, _)| id.to_string()).collect();
    watch(&folder, &lease)?;
    fs::write(folder.join("running"), format!("{}\n{}\n", lease.text, ids.join("\n")))?;
    Ok(Ok(lease.text))
}

/// The text of servers that are there, and all alive.
fn running(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join("running")).ok()?;
    let mut lines = text.lines();
    let first = lines.next()?;
    let alive = |line: &str| {
        let id = line.parse().ok().and_then(Pid::from_raw);
        id.is_some_and(|id| test_kill_process(id).is_ok())
    };
    lines.all(alive).then(|| first.to_owned())
}

fn watch(folder: &Path, lease: &Lease) -> io::Result<()> {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{END}{WATCHDOG}"), "watchdog"]).arg(folder);
    for (id, data) in &lease.servers {
        command.arg(id.to_string()).arg(data);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.current_dir("/").process_group(0).spawn().map(drop)
}

/// Waits until no process that asked for the servers has been alive for a while, then ends them and deletes their data.
/// Whoever asks has the lock, and so has this when it decides that nobody does.
const WATCHDOG: &str = r#"
folder=$1
shift
idle=0
while [ -d "$folder" ]; do
    sleep 1
    idle=$((idle + 1))
    for lease in "$folder"/lease-*; do
        [ -e "$lease" ] || continue
        if kill -0 "${lease##*-}" 2>/dev/null; then idle=0; else rm -f "$lease"; fi
    done
    [ $idle -ge 10 ] || continue
    flock "$folder/lock" sh -c '
        for lease in "$0"/lease-*; do [ -e "$lease" ] && exit 1; done
        rm -f "$0/running"
    ' "$folder" && break
    idle=0
done
while [ $# -gt 1 ]; do
    end "$1" "$2"
    shift 2
done
"#;
