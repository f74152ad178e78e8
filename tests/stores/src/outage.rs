//! A network that can be cut.

use std::{future::ready, sync::Arc};

use session_conformance::store::{Fresh, Medium};
use session_test_servers::CuttableProxy;

/// A proxy in front of the server on that port.
pub(crate) fn proxy(port: u16) -> Arc<CuttableProxy> {
    Arc::new(CuttableProxy::start(port).expect("a proxy"))
}

/// Declares that the store is behind the proxy, and keeps that.
pub(crate) fn behind(proxy: Arc<CuttableProxy>, fresh: Fresh) -> Fresh {
    let switch = Arc::clone(&proxy);
    let turn = move |medium| {
        switch.refuse(medium == Medium::Down);
        if medium == Medium::Down {
            switch.cut();
        }
        ready(())
    };
    fresh.outage_with(turn).keep(proxy)
}
