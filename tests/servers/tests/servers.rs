//! The servers start, obey, and leave nothing behind.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    panic,
};

use session_test_servers::{
    CuttableProxy, MariadbServer, PostgresServer, RedisCluster, RedisRecipe, RedisServer, StartError, find,
};

/// The servers are what is tested, so that a machine without them has nothing to test here; the suites that use them
/// say what they skip.
fn redis() -> Option<RedisServer> {
    started(RedisServer::start())
}

fn started<T>(server: Result<T, StartError>) -> Option<T> {
    match server {
        Ok(server) => Some(server),
        Err(error) if error.is_missing() => {
            assert!(std::env::var_os("SESSION_REQUIRE").is_none_or(|required| required != "all"), "{error}");
            eprintln!("SKIP {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_missing_program_names_its_package() {
    let missing = find("no-such-server", "some-package").unwrap_err();
    assert_eq!(missing.to_string(), "no-such-server is not installed: Debian package some-package");
    assert!(StartError::from(missing).is_missing());
}

#[test]
fn two_servers_share_nothing() {
    let (Some(one), Some(two)) = (redis(), redis()) else { return };
    one.ask("SET a 1").unwrap();
    assert_eq!(two.ask("GET a").unwrap(), "$-1\r\n");
    assert_ne!(one.port(), two.port());
}

#[test]
fn a_server_ends_with_its_test_also_when_that_panics() {
    let Some(server) = redis() else { return };
    let (port, data) = (server.port(), server.data());
    let result = panic::catch_unwind(panic::AssertUnwindSafe(move || {
        let _server = server;
        panic!("on purpose");
    }));
    assert!(result.is_err());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err() && !data.exists());
}

#[test]
fn a_restart_keeps_data_or_not() {
    let Some(server) = started(RedisServer::durable()) else { return };
    let port = server.port();
    server.ask("SET a 1").unwrap();
    server.kill().unwrap();
    assert!(server.ask("PING").is_err());
    server.restart().unwrap();
    assert_eq!(server.ask("GET a").unwrap(), "$1\r\n1\r\n");
    server.restart_empty().unwrap();
    assert_eq!(server.ask("GET a").unwrap(), "$-1\r\n");
    assert_eq!(server.port(), port);
}

#[test]
fn a_paused_server_answers_when_it_goes_on() {
    let Some(server) = redis() else { return };
    server.pause().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.write_all(b"PING\r\n").unwrap();
    stream.set_nonblocking(true).unwrap();
    assert!(stream.read(&mut [0; 16]).is_err());
    stream.set_nonblocking(false).unwrap();
    server.resume().unwrap();
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+PONG\r\n");
}

#[test]
fn a_password_is_asked_for() {
    let Some(server) = started(RedisRecipe::default().password("hunter2").start()) else { return };
    assert_eq!(server.ask("PING").unwrap(), "+PONG\r\n");
    assert!(server.url().contains(":hunter2@"));
}

#[test]
fn a_cluster_covers_all_slots() {
    let Some(cluster) = started(RedisCluster::start()) else { return };
    assert_eq!(cluster.nodes().len(), 3);
    let answers: Vec<_> = cluster.nodes().iter().map(|node| node.ask("SET a 1").unwrap()).collect();
    assert_eq!(answers.iter().filter(|answer| answer.starts_with("+OK")).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer.starts_with("-MOVED")).count(), 2, "{answers:?}");
}

#[test]
fn a_shared_server_is_one() {
    let Some(url) = started(RedisServer::shared()) else { return };
    assert_eq!(RedisServer::shared().unwrap(), url);
}

#[test]
fn the_proxy_counts_and_cuts() {
    let Some(server) = redis() else { return };
    let proxy = CuttableProxy::start(server.port()).unwrap();
    let connect = || TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
    let ask = |stream: &mut TcpStream, text: &str, answer: usize| {
        stream.write_all(text.as_bytes()).unwrap();
        let mut bytes = vec![0; answer];
        stream.read_exact(&mut bytes).map(|()| bytes)
    };
    let mut stream = connect();
    for _ in 0..3 {
        ask(&mut stream, "PING\r\n", 7).unwrap();
    }
    assert_eq!((proxy.connections(), proxy.round_trips(), proxy.bytes()), (1, 3, (18, 21)));

    // In the middle of the second answer.
    proxy.cut_after(10);
    assert_eq!(ask(&mut stream, "PING\r\n", 7).unwrap(), b"+PONG\r\n");
    assert_eq!(ask(&mut stream, "PING\r\n", 3).unwrap(), b"+PO");
    assert!(matches!(stream.read(&mut [0; 8]), Ok(0) | Err(_)));

    let mut again = connect();
    assert_eq!(ask(&mut again, "PING\r\n", 7).unwrap(), b"+PONG\r\n");
    proxy.refuse(true);
    proxy.cut();
    assert!(ask(&mut again, "PING\r\n", 7).is_err());
    assert!(ask(&mut connect(), "PING\r\n", 7).is_err());
    proxy.refuse(false);
    assert_eq!(ask(&mut connect(), "PING\r\n", 7).unwrap(), b"+PONG\r\n");

    let mut stalled = connect();
    proxy.stall(true);
    stalled.write_all(b"PING\r\n").unwrap();
    stalled.set_read_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
    assert!(stalled.read(&mut [0; 8]).is_err());
    proxy.stall(false);
    stalled.set_read_timeout(None).unwrap();
    let mut answer = [0; 7];
    stalled.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+PONG\r\n");
}

/// Starts a server, says where, and waits to be killed.
#[test]
#[ignore = "run by a_server_ends_when_its_test_is_killed as a process of its own"]
fn a_process_with_a_server() {
    let Some(server) = redis() else { return };
    println!("port={}", server.port());
    std::io::stdin().read_exact(&mut [0]).unwrap();
}

#[test]
fn a_server_ends_when_its_test_is_killed() {
    let Some(_) = redis() else { return };
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_process_with_a_server", "--ignored", "--nocapture"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let port = lines
        .map_while(Result::ok)
        .find_map(|line| line.split_once("port=").and_then(|(_, port)| port.parse::<u16>().ok()))
        .unwrap();
    TcpStream::connect(("127.0.0.1", port)).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    // If the watchdog sleeps, the runner ends this test.
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        std::thread::yield_now();
    }
}

#[test]
fn a_postgres_starts_pauses_restarts_and_ends() {
    let Some(server) = started(PostgresServer::start()) else { return };
    let port = server.port();
    for _ in 0..2 {
        server.pause().unwrap();
        server.resume().unwrap();
        server.restart().unwrap();
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    }
    server.stop().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    server.restart().unwrap();
    let data = server.data();
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err() && !data.exists());
}

#[test]
fn a_mariadb_starts_pauses_restarts_and_ends() {
    let Some(server) = started(MariadbServer::start()) else { return };
    let port = server.port();
    for _ in 0..2 {
        server.pause().unwrap();
        server.resume().unwrap();
        server.restart().unwrap();
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    }
    server.stop().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    server.restart().unwrap();
    let data = server.data();
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err() && !data.exists());
}

/// The kernel keeps System V shared memory until it is told not to.
#[test]
fn a_postgres_leaves_no_shared_memory_however_it_ends() {
    let Some(server) = started(PostgresServer::start()) else { return };
    let noted = |server: &PostgresServer| {
        let note = std::fs::read_to_string(server.data().join("postmaster.pid")).unwrap();
        note.lines().nth(6).unwrap().split_whitespace().next_back().unwrap().to_owned()
    };
    // What is to be removed once the last process has ended has the key 0.
    let is_there = |memory: &str| {
        let listed = std::fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
        let mut lines = listed.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>());
        lines.any(|line| line.get(1) == Some(&memory) && line[0] != "0")
    };
    let first = noted(&server);
    assert!(is_there(&first));
    server.kill().unwrap();
    assert!(!is_there(&first));
    server.restart().unwrap();
    let second = noted(&server);
    server.pause().unwrap();
    drop(server);
    assert!(!is_there(&second));
}
