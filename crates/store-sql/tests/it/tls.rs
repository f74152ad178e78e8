//! Encrypted connections: the certificate has to be of an authority that is trusted, for the host that was asked for.

use session_core::{Store, StoreErrorKind};
use session_test_servers::Authority;

use crate::common::*;

on_each_server! {
    async fn a_server_is_used_if_its_certificate_is_right_and_not_otherwise(lab) {
        // One for the address, and none for the name.
        let Some(authority) = installed(Authority::for_names(&["IP:127.0.0.1"])) else { return };
        let Some(stranger) = installed(Authority::for_names(&["IP:127.0.0.1"])) else { return };
        let Some(server) = lab.certified_server(&authority) else { return };
        let store = lab.builder().connect(&server.url_trusting("127.0.0.1", &authority)).await.unwrap();
        create(&store, &key(1), entry("x")).await;
        assert_eq!(load(&store, &key(1)).await.unwrap(), b"x");
        for (host, trusted) in [("127.0.0.1", &stranger), ("localhost", &authority)] {
            let store = lab.builder().connect_lazy(&server.url_trusting(host, trusted)).unwrap();
            let error = store.load(&key(1)).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{host}: {}", told(&error));
            assert!(told(&error).contains("certificate"), "{host}: {}", told(&error));
        }
    }
}
