//! Encrypted connections, to a server with a certificate that one child trusts and the other does not.

use std::{net::TcpListener, path::Path};

use session_conformance::processes::{run, task};
use session_test_servers::{Authority, RedisRecipe};

use super::*;

/// What is trusted is set for a whole process, by environment variables, so each case is one.
#[tokio::test]
async fn a_server_is_used_if_its_certificate_is_trusted_and_not_otherwise() {
    if let Some(task) = task() {
        let port = u16::try_from(task.number("port")).unwrap();
        return connect(port, task.number("trusted") == 1).await;
    }
    let names = ["DNS:localhost", "IP:127.0.0.1"];
    let Some(authority) = or_skip(Authority::for_names(&names)) else { return };
    let Some(stranger) = or_skip(Authority::for_names(&names)) else { return };
    let path = |path: &Path| path.display().to_string();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let recipe = RedisRecipe::default().set("tls-port", port.to_string()).set("tls-auth-clients", "no");
    let recipe = recipe.set("tls-cert-file", path(&authority.server_certificate()));
    let recipe = recipe.set("tls-key-file", path(&authority.server_key()));
    let recipe = recipe.set("tls-ca-cert-file", path(&authority.certificate()));
    let Some(_server) = or_skip(recipe.start()) else { return };
    for (trusted, certificate) in
        [(1, Some(authority.certificate())), (0, Some(stranger.certificate())), (0, None)]
    {
        let child = run("tls::a_server_is_used_if_its_certificate_is_trusted_and_not_otherwise");
        let child = child.with("port", port).with("trusted", trusted);
        let trusts = |command: &mut std::process::Command| {
            if let Some(certificate) = certificate {
                command.env("SSL_CERT_FILE", certificate);
            }
        };
        child.command(trusts).finish();
    }
}

async fn connect(port: u16, trusted: bool) {
    for (number, host) in ["localhost", "127.0.0.1"].into_iter().enumerate() {
        let store = RedisStore::new(format!("rediss://{host}:{port}")).unwrap();
        if trusted {
            let key = key(number as u64);
            create(&store, &key, entry("x")).await;
            assert!(store.load(&key).await.unwrap().is_some());
        } else {
            let error = store.load(&key(1)).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{}", spelt_out(&error));
        }
    }
    // Who speaks without encryption gets no answer.
    assert_eq!(kind(hasty(port).load(&key(1)).await), StoreErrorKind::Unavailable);
}
