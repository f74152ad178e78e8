//! Certificates for servers, made by openssl.

use std::{fs, io, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::{binary::find, error::StartError, owner};

/// An authority of a test's own, and a certificate that it has signed. Dropped, the files are deleted.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
}

impl Authority {
    /// An authority that has signed a certificate for these names, as in `DNS:localhost` or `IP:127.0.0.1`.
    ///
    /// # Errors
    /// [`StartError`]; [`StartError::Missing`] without openssl.
    pub fn for_names(names: &[&str]) -> Result<Self, StartError> {
        let openssl = find("openssl", "openssl")?;
        let folder = prepare(names).map_err(StartError::io("make a folder for certificates"))?;
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        for arguments in [
            format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority -days 2"),
            format!("req {key} -keyout server.key -out server.csr -subj /CN=server"),
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names"
                .to_owned(),
        ] {
            let output = Command::new(&openssl).args(arguments.split(' ')).current_dir(folder.path()).output();
            let output = output.map_err(StartError::io("run openssl"))?;
            if !output.status.success() {
                let log = String::from_utf8_lossy(&output.stderr).into_owned();
                return Err(StartError::NotReady { server: "openssl", log });
            }
        }
        owner::give_away_file(&folder.path().join("server.key"))
            .map_err(StartError::io("give a key away"))?;
        Ok(Self { folder })
    }

    /// The certificate of the authority, for who has to trust it.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The certificate of the server.
    #[must_use]
    pub fn server_certificate(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    /// Its key, which who runs the servers can read, and nobody else.
    #[must_use]
    pub fn server_key(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }
}

/// A folder that servers reach as well, with the names.
fn prepare(names: &[&str]) -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("session-test-").tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))?;
    fs::write(folder.path().join("names"), format!("subjectAltName={}\n", names.join(",")))?;
    Ok(folder)
}
