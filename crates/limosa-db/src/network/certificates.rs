//! Reads the files of TLS: certificates, private keys, revocation lists.

use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use crate::{DbError, DbErrorKind};

/// A chain of certificates and the key of the first.
pub(crate) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// All certificates of a file in PEM form; `what` names their use.
pub(crate) fn certificates(path: &Path, what: &str) -> Result<Vec<CertificateDer<'static>>, DbError> {
    let unreadable = |error: String| wrong(format!("the {what} file {} cannot be read: {error}", path.display()));
    let iterator = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))?;
    let found = iterator.collect::<Result<Vec<_>, _>>().map_err(|error| unreadable(error.to_string()))?;
    if found.is_empty() {
        return Err(unreadable("it holds no certificate in PEM form".to_owned()));
    }
    Ok(found)
}

/// All revocation lists of a file in PEM form.
pub(crate) fn revocations(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, DbError> {
    let unreadable = |error| wrong(format!("the revocation list {} cannot be read: {error}", path.display()));
    let iterator = CertificateRevocationListDer::pem_file_iter(path).map_err(unreadable)?;
    iterator.collect::<Result<Vec<_>, _>>().map_err(unreadable)
}

/// The client's own certificate and key.
pub(crate) fn identity(certificate: &Path, key: &Path) -> Result<Identity, DbError> {
    check_key_rights(key)?;
    let chain = certificates(certificate, "client certificate")?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| {
        wrong(format!("the private key {} cannot be read: {error}", key.display()))
            .hint("store it in PEM form without a passphrase")
    })?;
    Ok((chain, key))
}

/// libpq's rule, and a good one for all: at most 0600, or 0640 where root owns the file.
#[cfg(unix)]
fn check_key_rights(path: &Path) -> Result<(), DbError> {
    use std::os::unix::fs::MetadataExt;

    let about = std::fs::metadata(path)
        .map_err(|error| wrong(format!("the private key {} cannot be read: {error}", path.display())))?;
    let forbidden = if about.uid() == 0 { 0o037 } else { 0o077 };
    if about.mode() & forbidden == 0 {
        return Ok(());
    }
    Err(wrong(format!("others may read the private key {}", path.display()))
        .hint(format!("chmod 600 {}", path.display())))
}

#[cfg(not(unix))]
fn check_key_rights(_path: &Path) -> Result<(), DbError> {
    Ok(())
}

fn wrong(message: String) -> DbError {
    DbError::new(DbErrorKind::Configuration, message)
}
