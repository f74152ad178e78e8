//! Servers of a test's own, to be harmed.

use session_test_servers::{
    Authority, CuttableProxy, MariadbRecipe, MariadbServer, PostgresRecipe, PostgresServer,
};
use sqlx::Connection;

use crate::common::{Kind, Lab, installed};

pub(crate) enum Server {
    Postgres(PostgresServer),
    MySql(MariadbServer),
}

macro_rules! each {
    ($server:ident, $own:ident => $work:expr) => {
        match $server {
            Server::Postgres($own) => $work,
            Server::MySql($own) => $work,
        }
    };
}

impl Lab {
    /// A server that nobody else uses; nothing if it is not installed, which is said.
    pub(crate) fn server(&self) -> Option<Server> {
        match self.kind {
            Kind::Postgres => installed(PostgresServer::start()).map(Server::Postgres),
            Kind::MySql => installed(MariadbServer::start()).map(Server::MySql),
            Kind::Sqlite => None,
        }
    }

    /// The same with the certificate that the authority has signed.
    pub(crate) fn certified_server(&self, authority: &Authority) -> Option<Server> {
        let certificate = authority.server_certificate().display().to_string();
        let key = authority.server_key().display().to_string();
        match self.kind {
            Kind::Postgres => {
                let recipe = PostgresRecipe::default().set("ssl", "on").set("ssl_cert_file", certificate);
                installed(recipe.set("ssl_key_file", key).start()).map(Server::Postgres)
            }
            Kind::MySql => {
                let recipe = MariadbRecipe::default().set("ssl-cert", certificate);
                installed(recipe.set("ssl-key", key).start()).map(Server::MySql)
            }
            Kind::Sqlite => None,
        }
    }

    /// The same with place for six clients.
    pub(crate) fn small_server(&self) -> Option<Server> {
        match self.kind {
            Kind::Postgres => {
                let recipe = PostgresRecipe::default().set("max_connections", "6");
                installed(recipe.set("superuser_reserved_connections", "0").start()).map(Server::Postgres)
            }
            Kind::MySql => {
                // The least that it takes is 10.
                let recipe = MariadbRecipe::default().set("max-connections", "10");
                installed(recipe.start()).map(Server::MySql)
            }
            Kind::Sqlite => None,
        }
    }

    /// A proxy in front of the server that all tests share, and the URL through it.
    pub(crate) fn proxy(&self) -> (CuttableProxy, String) {
        let port = self.url.rsplit_once(':').and_then(|(_, rest)| rest.split_once('/')?.0.parse().ok());
        let proxy = CuttableProxy::start(port.unwrap()).unwrap();
        let url = match self.kind {
            Kind::MySql => MariadbServer::url_at(proxy.port()),
            Kind::Postgres | Kind::Sqlite => PostgresServer::url_at(proxy.port()),
        };
        (proxy, url)
    }
}

impl Server {
    pub(crate) fn url(&self) -> String {
        each!(self, server => server.url())
    }

    /// For who trusts that authority and nobody else.
    pub(crate) fn url_trusting(&self, host: &str, authority: &Authority) -> String {
        let trusted = authority.certificate();
        let trusted = trusted.display();
        match self {
            Self::Postgres(server) => {
                let port = server.port();
                format!("postgres://session@{host}:{port}/postgres?sslmode=verify-full&sslrootcert={trusted}")
            }
            Self::MySql(server) => {
                let port = server.port();
                format!("mysql://session@{host}:{port}/session?ssl-mode=VERIFY_IDENTITY&ssl-ca={trusted}")
            }
        }
    }

    pub(crate) fn url_with_password(&self, password: &str) -> String {
        each!(self, server => server.url_with_password(password))
    }

    pub(crate) fn kill(&self) {
        each!(self, server => server.kill().unwrap());
    }

    pub(crate) fn restart(&self) {
        each!(self, server => server.restart().unwrap());
    }

    pub(crate) fn restart_empty(&self) {
        each!(self, server => server.restart_empty().unwrap());
    }

    pub(crate) fn pause(&self) {
        each!(self, server => server.pause().unwrap());
    }

    pub(crate) fn resume(&self) {
        each!(self, server => server.resume().unwrap());
    }

    /// Makes the user `guarded`, whose password is `secret`.
    pub(crate) async fn make_guarded(&self) {
        if let Self::Postgres(server) = self {
            let mut connection = sqlx::PgConnection::connect(&server.url()).await.unwrap();
            let role = "CREATE ROLE guarded LOGIN PASSWORD 'secret'; GRANT ALL ON SCHEMA public TO guarded";
            sqlx::raw_sql(role).execute(&mut connection).await.unwrap();
        }
    }
}
