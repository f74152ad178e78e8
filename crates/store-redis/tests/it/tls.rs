//! Encrypted connections, to a server with a certificate that one child trusts and the other does not.

use std::{env, fs, net::TcpListener, path::Path, process::Command};

use session_test_servers::RedisRecipe;

use super::*;
use crate::child;

#[tokio::test]
async fn a_server_is_used_if_its_certificate_is_trusted_and_not_otherwise() {
    if let Some(port) = child::task() {
        return connect(port, env::var_os(TRUSTS).is_some()).await;
    }
    let folder = tempfile::tempdir().unwrap();
    if Command::new("openssl").arg("version").output().is_err() {
        return session_conformance::skip("openssl is not installed: Debian package openssl");
    }
    certificates(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let recipe = RedisRecipe::default().set("tls-port", port.to_string()).set("tls-auth-clients", "no");
    let recipe = recipe.set("tls-cert-file", path("server.pem")).set("tls-key-file", path("server.key"));
    let Some(_server) = or_skip(recipe.set("tls-ca-cert-file", path("ca.pem")).start()) else { return };
    let test = "tls::a_server_is_used_if_its_certificate_is_trusted_and_not_otherwise";
    child::start_with(test, port, &[("SSL_CERT_FILE", &path("ca.pem")), (TRUSTS, "1")]).finish();
    child::start(test, port).finish();
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

/// An authority, and a certificate of it for the loopback interface.
fn certificates(folder: &Path) {
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for arguments in [
        format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority -days 2"),
        format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"),
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names".to_owned(),
    ] {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Set in the child that trusts the authority.
const TRUSTS: &str = "SESSION_STORE_REDIS_TEST_TRUSTS";
