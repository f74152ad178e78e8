//! The whole server, over a real socket: what happens to bytes before they reach the adapter.

use std::net::SocketAddr;

use rocket::{
    Rocket, Shutdown,
    fairing::AdHoc,
    tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
        sync::oneshot,
    },
};
use session_adapter_rocket::SessionFairing;

use crate::support::{TestStore, app, manager};

struct Server {
    address: SocketAddr,
    stop: Shutdown,
}

impl Server {
    async fn start(store: &TestStore) -> Self {
        let (report, started) = oneshot::channel();
        let config = rocket::Config {
            port: 0,
            log_level: rocket::config::LogLevel::Off,
            shutdown: rocket::config::Shutdown { ctrlc: false, grace: 1, mercy: 1, ..Default::default() },
            ..rocket::Config::debug_default()
        };
        let app = app(SessionFairing::new(manager(store)), vec![]).configure(config);
        let app = app.attach(AdHoc::on_liftoff("report", |rocket: &Rocket<_>| {
            let address = SocketAddr::new(rocket.config().address, rocket.config().port);
            let server = Self { address, stop: rocket.shutdown() };
            Box::pin(async move { drop(report.send(server)) })
        }));
        rocket::tokio::spawn(app.launch());
        started.await.unwrap()
    }

    /// Sends bytes over a connection of their own, and answers everything that comes back.
    async fn raw(&self, fields: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = [b"GET /count HTTP/1.1\r\nhost: a\r\nconnection: close\r\n", fields, b"\r\n"].concat();
        stream.write_all(&head).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }
}

fn visits(answer: &str) -> &str {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    body
}

#[rocket::async_test]
async fn clients_have_a_session() {
    let store = TestStore::default();
    let server = Server::start(&store).await;
    let first = server.raw(b"").await;
    assert_eq!(first.matches("set-cookie: ").count(), 1, "{first}");
    let (_, rest) = first.split_once("set-cookie: ").unwrap();
    let (cookie, attributes) = rest.lines().next().unwrap().split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; HttpOnly; Secure; SameSite=Lax");

    let fields = |before: &[u8]| [b"cookie: ", before, cookie.as_bytes(), b"\r\n"].concat();
    assert_eq!(visits(&server.raw(&fields(b"")).await), "2");
    // Bytes above 127 that are UTF-8 reach us and do not matter.
    assert_eq!(visits(&server.raw(&fields(b"a=\xc3\xa9\xe2\x80\x8b; ")).await), "3");
    // Rocket drops a field that is not UTF-8, whole. A second field is not harmed.
    assert_eq!(visits(&server.raw(&fields(b"a=\xff; ")).await), "1");
    let two_fields = [b"cookie: a=\xff\r\n", &fields(b"")[..]].concat();
    assert_eq!(visits(&server.raw(&two_fields).await), "4");
    server.stop.notify();
}

#[rocket::async_test]
async fn a_request_too_malformed_for_fairings_touches_nothing() {
    let store = TestStore::default();
    let server = Server::start(&store).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"BREW /count HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && !answer.contains("set-cookie"), "{answer}");
    assert_eq!(store.calls(), 0);
    server.stop.notify();
}
