//! URLs, taken apart and checked: what is not understood is refused, so that a slip in a configuration is not ignored.

use redis::{
    ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};

use crate::build_error::BuildError;

/// The nodes that a URL names, and whether they are a Cluster.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) nodes: Vec<ConnectionInfo>,
    pub(crate) cluster: bool,
}

/// Reads `redis://…` and the like, or `redis+cluster://host:port,host:port`.
pub(crate) fn read(url: &str) -> Result<Named, BuildError> {
    let (scheme, rest) = url.split_once("://").ok_or(BuildError::Url("it has no scheme"))?;
    let (scheme, cluster) = scheme.strip_suffix("+cluster").map_or((scheme, false), |scheme| (scheme, true));
    match scheme {
        "redis" | "valkey" | "rediss" | "valkeys" => {}
        "redis+unix" | "valkey+unix" | "unix" if !cluster => {}
        _ => return Err(BuildError::Url("its scheme is none of Redis")),
    }
    if matches!(scheme, "rediss" | "valkeys") && !cfg!(feature = "tls-rustls") {
        return Err(BuildError::TlsIsOff);
    }
    if rest.contains('#') {
        // The only fragment that means something turns the check of certificates off.
        return Err(BuildError::Url("it has a fragment"));
    }
    if !cluster {
        return Ok(Named { nodes: vec![node(scheme, rest)?], cluster });
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !path.is_empty() || authority.contains('?') {
        return Err(BuildError::Url("a Cluster has one database"));
    }
    let (login, hosts) = match authority.rsplit_once('@') {
        Some((login, hosts)) => (format!("{login}@"), hosts),
        None => (String::new(), authority),
    };
    let nodes =
        hosts.split(',').map(|host| node(scheme, &format!("{login}{host}"))).collect::<Result<_, _>>()?;
    Ok(Named { nodes, cluster })
}

fn node(scheme: &str, rest: &str) -> Result<ConnectionInfo, BuildError> {
    let unix = scheme.ends_with("unix");
    if let Some((_, query)) = rest.split_once('?') {
        let known: &[&str] = if unix { &["db", "user", "pass"] } else { &[] };
        let name = |pair: &str| pair.split('=').next().map(str::to_owned).unwrap_or_default();
        if !query.split('&').all(|pair| known.contains(&name(pair).as_str())) {
            return Err(BuildError::Url("it has a parameter that is not known"));
        }
    }
    // The library's own words may repeat parts of the URL.
    let unusable = |_| BuildError::Url("host, port, database or login cannot be read");
    let info = format!("{scheme}://{rest}").as_str().into_connection_info().map_err(unusable)?;
    if matches!(info.addr(), ConnectionAddr::Tcp(host, _) if host.is_empty()) {
        return Err(BuildError::Url("it has no host"));
    }
    if info.redis_settings().db() < 0 {
        return Err(BuildError::Url("its database is negative"));
    }
    let settings =
        info.redis_settings().clone().set_lib_name(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 3);
    let tcp = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    Ok(info.set_redis_settings(settings).set_tcp_settings(tcp))
}

/// Without a provider of cryptography rustls panics at the first connection. The application's, if it has one.
#[cfg(feature = "tls-rustls")]
pub(crate) fn have_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // If another thread is faster there is one as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// So that a connection which a firewall has forgotten is noticed before the next request needs it.
const KEEPALIVE: std::time::Duration = std::time::Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> BuildError {
        match read(url) {
            Err(error) => error,
            Ok(named) => panic!("{url} is taken: {} nodes", named.nodes.len()),
        }
    }

    #[test]
    fn usual_urls_are_read() {
        for url in [
            "redis://127.0.0.1",
            "redis://:pw@h:1/3",
            "valkey://u:p%40w@[::1]:6379",
            "redis+unix:///run/r.sock?db=2&pass=x",
        ] {
            let named = read(url).unwrap();
            assert_eq!((named.nodes.len(), named.cluster), (1, false), "{url}");
        }
        let named = read("redis+cluster://u:p@a:1,b:2,[::1]:3/").unwrap();
        assert!(named.cluster);
        let nodes: Vec<_> = named
            .nodes
            .iter()
            .map(|node| (node.addr().to_string(), node.redis_settings().password()))
            .collect();
        assert_eq!(
            nodes,
            [("a:1", Some("p")), ("b:2", Some("p")), ("::1:3", Some("p"))].map(|(a, p)| (a.to_owned(), p))
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_and_not_repeated() {
        for url in [
            "",
            "redis",
            "http://h",
            "redis://",
            "redis://h:hunter2",
            "redis://h:99999",
            "redis://h/hunter2",
            "redis://h/-1",
            "redis://h?hunter2=1",
            "redis://h?protocol=hunter2",
            "redis://:hunter2@h/#insecure",
            "redis+cluster://:hunter2@/",
            "redis+cluster://a:1,,b:2",
            "redis+cluster://a:1/2",
            "redis+cluster://a:1?db=2",
            "unix+cluster:///hunter2",
            "redis://0.0.0.0",
            "redis+unix:///s?db=hunter2",
            "redis+unix:///s?wrong=hunter2",
            "redis://:hunter2@h\n:1/x",
        ] {
            let error = refused(url);
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error}");
        }
    }

    #[cfg(not(feature = "tls-rustls"))]
    #[test]
    fn encryption_is_never_left_out() {
        assert_eq!(refused("rediss://h"), BuildError::TlsIsOff);
        assert_eq!(refused("rediss+cluster://h"), BuildError::TlsIsOff);
    }
}
