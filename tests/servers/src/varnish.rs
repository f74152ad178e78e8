//! Varnish as a cache in front of a site.

use std::{fs, net::SocketAddr, ops::Deref, path::Path, process::Command};

use tempfile::TempDir;

use crate::{
    binary::find,
    error::StartError,
    port,
    server::{Recipe, Server},
};

/// A Varnish that caches every answer that HTTP lets it cache, one with `Set-Cookie` and one to a request with `Cookie`
/// too, and says `x-cache: HIT` where it does. Dropping it ends it.
#[derive(Debug)]
pub struct VarnishCache(Server<Varnish>);

/// How it is started.
#[derive(Debug)]
pub struct Varnish {
    site: SocketAddr,
    /// It runs what it compiles there, which the folder of a [`Server`] may not allow.
    work: TempDir,
}

impl VarnishCache {
    /// Starts it in front of a site.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start(site: SocketAddr) -> Result<Self, StartError> {
        find("varnishd", "varnish")?;
        let work = tempfile::Builder::new().prefix("session-test-").tempdir();
        let work = work.map_err(StartError::io("make a folder for varnish"))?;
        Server::start(Varnish { site, work }).map(Self)
    }
}

impl Deref for VarnishCache {
    type Target = Server<Varnish>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Recipe for Varnish {
    const NAME: &'static str = "varnishd";

    fn prepare(&self, data: &Path) -> Result<(), StartError> {
        fs::write(data.join("cache.vcl"), language(self.site)).map_err(StartError::io("write cache.vcl"))
    }

    fn command(&self, data: &Path, port: u16) -> Result<Command, StartError> {
        let mut command = Command::new(find("varnishd", "varnish")?);
        command
            .current_dir(data)
            .arg("-F")
            .args(["-j", "none", "-s", "malloc,16m", "-T", "none"])
            .args(["-a", &format!("127.0.0.1:{port}")])
            .arg("-n")
            .arg(self.work.path())
            .arg("-f")
            .arg(data.join("cache.vcl"));
        Ok(command)
    }

    fn is_ready(&self, port: u16) -> bool {
        port::answers(port)
    }
}

/// Its own rules pass requests with `Cookie` on and keep no answer with `Set-Cookie`; these leave both out, so that only
/// `Cache-Control` and `Vary` tell it what not to do.
fn language(site: SocketAddr) -> String {
    format!(
        r#"vcl 4.1;
backend default {{ .host = "{}"; .port = "{}"; }}
sub vcl_recv {{ return (hash); }}
sub vcl_backend_response {{
    if (beresp.http.Cache-Control ~ "(?i:no-cache|no-store|private)") {{
        set beresp.uncacheable = true;
        set beresp.ttl = 60s;
    }}
    return (deliver);
}}
sub vcl_deliver {{
    if (obj.hits > 0) {{ set resp.http.x-cache = "HIT"; }} else {{ set resp.http.x-cache = "MISS"; }}
    return (deliver);
}}
"#,
        site.ip(),
        site.port()
    )
}
