//! A server's certificate, the authority that signed it, and a client's.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::guardian;

/// Files in PEM form, made anew for each server with TLS.
#[derive(Clone, Debug)]
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    pub(crate) fn create(names: &[String], user: &str, server: &Path) -> Result<Self> {
        let folder = server.join("tls");
        fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let certificates = Self { folder };
        let authority = Authority::new("limosa test authority")?;
        certificates.put("authority.pem", &authority.certificate)?;
        certificates.put("stranger.pem", &Authority::new("stranger")?.certificate)?;
        let (certificate, key) = authority.sign("server", names.to_vec())?;
        certificates.put("server.pem", &certificate)?;
        certificates.put_key("server.key", &key)?;
        guardian::give_to_server(&certificates.server_key())?;
        let (certificate, key) = authority.sign(user, Vec::new())?;
        certificates.put("client.pem", &certificate)?;
        certificates.put_key("client.key", &key)?;
        Ok(certificates)
    }

    /// The authority that signed the server's and the client's certificate: for `sslrootcert`.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// An authority that signed neither: a client that trusts only this one must refuse the server.
    pub fn stranger(&self) -> PathBuf {
        self.folder.join("stranger.pem")
    }

    /// A client's certificate whose common name is the user of the server's URLs: for `sslcert`.
    pub fn client_certificate(&self) -> PathBuf {
        self.folder.join("client.pem")
    }

    /// The key of the client's certificate: for `sslkey`.
    pub fn client_key(&self) -> PathBuf {
        self.folder.join("client.key")
    }

    pub(crate) fn server_certificate(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    pub(crate) fn server_key(&self) -> PathBuf {
        self.folder.join("server.key")
    }

    fn put(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// PostgreSQL and libpq refuse a key that others can read.
    fn put_key(&self, name: &str, text: &str) -> Result<()> {
        self.put(name, text)?;
        Ok(fs::set_permissions(self.folder.join(name), Permissions::from_mode(0o600))?)
    }
}

struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    fn sign(&self, common_name: &str, names: Vec<String>) -> Result<(String, String)> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, common_name);
        Ok((params.signed_by(&key, &self.issuer)?.pem(), key.serialize_pem()))
    }
}
