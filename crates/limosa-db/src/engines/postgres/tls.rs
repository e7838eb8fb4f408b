//! TLS by libpq's rules: which certificates are trusted, and which one is shown.
//!
//! PostgreSQL documentation, chapter "libpq", "SSL Support".

use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryFutureExt};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::parameters::{NamedFile, Roots, SslMode, Tls};
use super::tap::{Heard, Socket, Tap};
use super::wire::Stream;
use crate::network::tls::{self, Versions};
use crate::network::{self, Demand, Identity, Verifier, certificates};
use crate::{DbError, DbErrorKind};

type Plain = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;

/// Opens a TLS stream that is listened to, for one host.
pub(super) struct TlsAbove {
    plain: Plain,
    heard: Arc<Heard>,
}

impl TlsAbove {
    pub(super) fn new(tls: &MakeRustlsConnect, host: &str, heard: Arc<Heard>) -> TlsAbove {
        match MakeTlsConnect::<Socket>::make_tls_connect(&mut tls.clone(), host) {
            Ok(plain) => TlsAbove { plain, heard },
            Err(never) => match never {},
        }
    }
}

impl TlsConnect<Socket> for TlsAbove {
    type Stream = Stream;
    type Error = <Plain as TlsConnect<Socket>>::Error;
    type Future = BoxFuture<'static, Result<Stream, Self::Error>>;

    fn connect(self, socket: Socket) -> Self::Future {
        let TlsAbove { plain, heard } = self;
        plain.connect(socket).map_ok(|stream| Tap::above_tls(stream, heard)).boxed()
    }
}

/// Makes what opens TLS streams. Reads the files; the server is not asked.
pub(super) fn connector(tls: &Tls) -> Result<MakeRustlsConnect, DbError> {
    let provider = tls::provider();
    let versions = Versions { with_1_2: tls.with_1_2, with_1_3: tls.with_1_3 };
    let verifier = verifier(tls, &provider)?;
    let identity = if tls.mode == SslMode::Disable { None } else { identity(tls)? };
    let mut config = tls::client(provider, versions, verifier, identity)?;
    config.enable_sni = tls.send_name;
    if tls.direct {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

/// libpq checks the certificate's chain in every mode as soon as there are root certificates.
fn verifier(tls: &Tls, provider: &Arc<CryptoProvider>) -> Result<Verifier, DbError> {
    let unchecked = || Verifier::unchecked(provider.signature_verification_algorithms);
    if tls.mode == SslMode::Disable {
        return Ok(unchecked());
    }
    let Some(trusted) = trusted(tls)? else {
        return Ok(unchecked());
    };
    let taken_back = tls.revocations.as_ref().filter(|file| file.given || file.path.exists());
    let demand = if tls.mode == SslMode::VerifyFull { Demand::ChainAndName } else { Demand::Chain };
    tls::checking(demand, trusted, "the root certificates", taken_back.map(|file| file.path.as_path()), provider)
}

/// The trusted certificates; None where the mode asks for no check.
fn trusted(tls: &Tls) -> Result<Option<Vec<CertificateDer<'static>>>, DbError> {
    let needed = tls.mode >= SslMode::VerifyCa;
    let hint = "name a file of root certificates in sslrootcert, or write sslrootcert=system for those of the system";
    match &tls.roots {
        Roots::System => {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                return Err(wrong("the system has no root certificates, which sslrootcert=system asks for".to_owned())
                    .hint("install them (Debian: ca-certificates), or name a file in sslrootcert"));
            }
            Ok(Some(found.certs))
        }
        Roots::File { path, given } => {
            if !given && !path.exists() {
                if needed {
                    let message =
                        format!("sslmode asks for a check, but there is no root certificate {}", path.display());
                    return Err(wrong(message).hint(hint));
                }
                return Ok(None);
            }
            certificates(path, "root certificate").map(Some)
        }
        Roots::Nowhere if needed => {
            Err(wrong("sslmode asks for a check, but no root certificate is given".to_owned()).hint(hint))
        }
        Roots::Nowhere => Ok(None),
    }
}

/// The client's own certificate and key, where the files are there.
fn identity(tls: &Tls) -> Result<Option<Identity>, DbError> {
    let Some(certificate) = present(tls.certificate.as_ref()) else { return Ok(None) };
    let Some(key) = present(tls.key.as_ref()) else {
        let message = format!("the client certificate {} has no private key beside it", certificate.display());
        return Err(wrong(message).hint("name the key's file in sslkey"));
    };
    network::identity(certificate, key).map(Some)
}

/// A file that was named, even if it is missing, or a default one that exists.
fn present(file: Option<&NamedFile>) -> Option<&Path> {
    file.filter(|file| file.given || file.path.exists()).map(|file| file.path.as_path())
}

fn wrong(message: String) -> DbError {
    DbError::new(DbErrorKind::Configuration, message)
}
