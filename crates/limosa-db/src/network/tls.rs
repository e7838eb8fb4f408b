//! How a client of any server speaks TLS: versions, the check of the server's certificate, a certificate of its own.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use super::certificates::{Identity, revocations};
use super::verifier::{Demand, Verifier};
use crate::{DbError, DbErrorKind};

/// The ciphers and signatures that are spoken.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The versions of TLS that are allowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Versions {
    pub(crate) with_1_2: bool,
    pub(crate) with_1_3: bool,
}

/// Makes a client of its parts.
pub(crate) fn client(
    provider: Arc<CryptoProvider>,
    versions: Versions,
    verifier: Verifier,
    identity: Option<Identity>,
) -> Result<ClientConfig, DbError> {
    let versions: &[&rustls::SupportedProtocolVersion] = match (versions.with_1_2, versions.with_1_3) {
        (true, false) => &[&rustls::version::TLS12],
        (false, true) => &[&rustls::version::TLS13],
        _ => &[&rustls::version::TLS13, &rustls::version::TLS12],
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| wrong(format!("TLS cannot be set up: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match identity {
        None => Ok(builder.with_no_client_auth()),
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| wrong(format!("the client certificate and its key cannot be used: {error}"))),
    }
}

/// Checks a server's certificate against trusted ones and, where there is one, a list of those taken back; `name` is what
/// the trusted ones are called in an error.
pub(crate) fn checking(
    demand: Demand,
    trusted: Vec<CertificateDer<'static>>,
    name: &str,
    taken_back: Option<&Path>,
    provider: &Arc<CryptoProvider>,
) -> Result<Verifier, DbError> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(trusted.iter().cloned());
    let mut builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    if let Some(file) = taken_back {
        builder = builder.with_crls(revocations(file)?);
    }
    let chain = match builder.build() {
        Ok(chain) => Some(chain),
        // Old certificates, which cannot sign others here, may still be the server's own.
        Err(_) if added == 0 => None,
        Err(error) => return Err(wrong(format!("{name} cannot be used: {error}"))),
    };
    Ok(Verifier::new(demand, chain, trusted, provider.signature_verification_algorithms))
}

fn wrong(message: String) -> DbError {
    DbError::new(DbErrorKind::Configuration, message)
}
