//! nginx as a cache in front of a site.

use std::{fs, net::SocketAddr, ops::Deref, path::Path, process::Command};

use crate::{
    binary::find,
    error::StartError,
    port,
    server::{Recipe, Server},
};

/// An nginx that caches every answer that HTTP lets it cache, one with `Set-Cookie` too, and says `x-cache: HIT` where
/// it does. Dropping it ends it.
#[derive(Debug)]
pub struct NginxCache(Server<Nginx>);

/// How it is started.
#[derive(Debug)]
pub struct Nginx {
    site: SocketAddr,
}

impl NginxCache {
    /// Starts it in front of a site.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start(site: SocketAddr) -> Result<Self, StartError> {
        Server::start(Nginx { site }).map(Self)
    }
}

impl Deref for NginxCache {
    type Target = Server<Nginx>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Recipe for Nginx {
    const NAME: &'static str = "nginx";

    fn prepare(&self, data: &Path) -> Result<(), StartError> {
        for folder in ["body", "proxy", "fastcgi", "uwsgi", "scgi", "cache"] {
            fs::create_dir(data.join(folder)).map_err(StartError::io("make a folder for nginx"))?;
        }
        Ok(())
    }

    fn command(&self, data: &Path, port: u16) -> Result<Command, StartError> {
        let program = find("nginx", "nginx-light")?;
        fs::write(data.join("nginx.conf"), configuration(self.site, port))
            .map_err(StartError::io("write nginx.conf"))?;
        let mut command = Command::new(program);
        command.current_dir(data).arg("-p").arg(data).args(["-c", "nginx.conf", "-e", "stderr"]);
        Ok(command)
    }

    fn is_ready(&self, port: u16) -> bool {
        port::answers(port)
    }
}

/// Without `proxy_ignore_headers` nginx would keep no answer with `Set-Cookie`; as it is, only `Cache-Control` and `Vary`
/// tell it what not to do.
fn configuration(site: SocketAddr, port: u16) -> String {
    format!(
        "daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path body;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    proxy_temp_path proxy;
    proxy_cache_path cache keys_zone=all:1m;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://{site};
            proxy_cache all;
            proxy_cache_key $request_uri;
            proxy_cache_valid any 1m;
            proxy_ignore_headers Set-Cookie;
            add_header x-cache $upstream_cache_status always;
        }}
    }}
}}
"
    )
}
