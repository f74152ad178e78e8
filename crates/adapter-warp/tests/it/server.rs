//! The server, over real sockets.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use session_adapter_warp::{remote_address, serve};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use warp::Filter;

use crate::support::{TestStore, layer, routes};

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

async fn start(store: &TestStore) -> Server {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let client = warp::path("client")
        .and(remote_address())
        .map(|address: Option<SocketAddr>| address.unwrap().ip().to_string());
    let service = layer(store).wrap(client.or(routes()));
    let task = tokio::spawn(serve(listener, service, async { drop(stopped.await) }));
    Server { address, stop, task }
}

/// Sends bytes over a connection of their own, and answers everything that comes back.
async fn raw(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn clients_of_http_1_have_a_session_and_an_address() {
    let store = TestStore::default();
    let server = start(&store).await;
    let first = raw(server.address, b"GET /count HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    let (_, rest) = first.split_once("set-cookie: ").unwrap();
    let cookie = rest.split(';').next().unwrap();
    let second = format!("GET /count HTTP/1.1\r\nhost: a\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n");
    assert!(raw(server.address, second.as_bytes()).await.ends_with("\r\n\r\n2"));
    let third = raw(server.address, b"GET /client HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(third.ends_with("\r\n\r\n127.0.0.1"), "{third}");
}

#[tokio::test]
async fn clients_of_http_2_have_a_session_for_each_of_their_streams() {
    let store = TestStore::waiting(3);
    let server = start(&store).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let requests = (0..20).map(|_| {
        let mut sender = sender.clone();
        let request =
            Request::get(format!("http://{}/count", server.address)).body(Empty::<Bytes>::new()).unwrap();
        async move {
            let response = sender.send_request(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.headers().get_all(header::SET_COOKIE).iter().count(), 1);
            response.into_body().collect().await.unwrap().to_bytes()
        }
    });
    let bodies = futures_util::future::join_all(requests).await;
    assert!(bodies.iter().all(|body| body == "1"));
    assert_eq!(store.records(), 20);
}

#[tokio::test]
async fn a_server_that_is_stopped_finishes_what_is_under_way() {
    let store = TestStore::waiting(50);
    let server = start(&store).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /count HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    while store.calls() == 0 {
        tokio::task::yield_now().await;
    }
    server.stop.send(()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n1"), "{answer}");
    server.task.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
    assert_eq!(store.records(), 1);
}
