//! TLS by the rules of MySQL's client: which certificates are trusted, and which one is shown.
//!
//! MySQL documentation, "Command Options for Encrypted Connections".

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::parameters::{Roots, SslMode, Tls};
use crate::network::{Demand, Verifier, certificates, identity, revocations};
use crate::{DbError, DbErrorKind};

/// Opens TLS streams to one host.
#[derive(Clone)]
pub(super) struct TlsAbove {
    pub(super) connector: TlsConnector,
    pub(super) name: ServerName<'static>,
}

/// Makes what opens TLS streams. Reads the files; the server is not asked.
pub(super) fn above(tls: &Tls, host: &str) -> Result<TlsAbove, DbError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions: &[&rustls::SupportedProtocolVersion] = match (tls.with_1_2, tls.with_1_3) {
        (true, false) => &[&rustls::version::TLS12],
        (false, true) => &[&rustls::version::TLS13],
        _ => &[&rustls::version::TLS13, &rustls::version::TLS12],
    };
    let verifier = verifier(tls, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| wrong(format!("TLS cannot be set up: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config = match &tls.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let (chain, key) = identity(certificate, key)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| wrong(format!("the client certificate and its key cannot be used: {error}")))?
        }
    };
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| wrong(format!("the host {host:?} cannot stand in a certificate")))?;
    Ok(TlsAbove { connector: TlsConnector::from(Arc::new(config)), name })
}

fn verifier(tls: &Tls, provider: &Arc<rustls::crypto::CryptoProvider>) -> Result<Verifier, DbError> {
    let algorithms = provider.signature_verification_algorithms;
    let demand = match tls.mode {
        SslMode::VerifyCa => Demand::Chain,
        SslMode::VerifyIdentity => Demand::ChainAndName,
        SslMode::Disabled | SslMode::Preferred | SslMode::Required => return Ok(Verifier::unchecked(algorithms)),
    };
    let trusted = trusted(tls)?;
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(trusted.iter().cloned());
    let mut builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    if let Some(file) = &tls.revocations {
        builder = builder.with_crls(revocations(file)?);
    }
    let chain = match builder.build() {
        Ok(chain) => Some(chain),
        // Old certificates, which cannot sign others here, may still be the server's own.
        Err(_) if added == 0 => None,
        Err(error) => return Err(wrong(format!("the certificates of ssl-ca cannot be used: {error}"))),
    };
    Ok(Verifier::new(demand, chain, trusted, algorithms))
}

fn trusted(tls: &Tls) -> Result<Vec<CertificateDer<'static>>, DbError> {
    match &tls.roots {
        Roots::File(path) => certificates(path, "authority's certificate (ssl-ca)"),
        Roots::System => {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                return Err(wrong("the system has no certificates to check the server's against".to_owned())
                    .hint("install them (Debian: ca-certificates), or name a file in ssl-ca"));
            }
            Ok(found.certs)
        }
    }
}

fn wrong(message: String) -> DbError {
    DbError::new(DbErrorKind::Configuration, message)
}
