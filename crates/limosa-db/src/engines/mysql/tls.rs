//! TLS by the rules of MySQL's client: which certificates are trusted, and which one is shown.
//!
//! MySQL documentation, "Command Options for Encrypted Connections".

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::TlsConnector;

use super::parameters::{Roots, SslMode, Tls};
use crate::network::tls::{self, Versions};
use crate::network::{Demand, Verifier, certificates, identity};
use crate::{DbError, DbErrorKind};

/// Opens TLS streams to one host.
#[derive(Clone)]
pub(super) struct TlsAbove {
    pub(super) connector: TlsConnector,
    pub(super) name: ServerName<'static>,
}

/// Makes what opens TLS streams. Reads the files; the server is not asked.
pub(super) fn above(tls: &Tls, host: &str) -> Result<TlsAbove, DbError> {
    let provider = tls::provider();
    let versions = Versions { with_1_2: tls.with_1_2, with_1_3: tls.with_1_3 };
    let verifier = verifier(tls, &provider)?;
    let own = tls.identity.as_ref().map(|(certificate, key)| identity(certificate, key)).transpose()?;
    let config = tls::client(provider, versions, verifier, own)?;
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| wrong(format!("the host {host:?} cannot stand in a certificate")))?;
    Ok(TlsAbove { connector: TlsConnector::from(Arc::new(config)), name })
}

fn verifier(tls: &Tls, provider: &Arc<CryptoProvider>) -> Result<Verifier, DbError> {
    let demand = match tls.mode {
        SslMode::VerifyCa => Demand::Chain,
        SslMode::VerifyIdentity => Demand::ChainAndName,
        SslMode::Disabled | SslMode::Preferred | SslMode::Required => {
            return Ok(Verifier::unchecked(provider.signature_verification_algorithms));
        }
    };
    let taken_back = tls.revocations.as_deref();
    tls::checking(demand, trusted(tls)?, "the certificates of ssl-ca", taken_back, provider)
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
