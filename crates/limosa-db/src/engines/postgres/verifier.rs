//! Checks a server's certificate as far as `sslmode` asks for it.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::asn1::{PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::der::oid::db::rfc4519::CN;
use x509_cert::der::oid::db::rfc5912::ID_CE_SUBJECT_ALT_NAME;

/// What is asked of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    /// Nothing (`require` without root certificates).
    Nothing,
    /// A chain to a trusted certificate (`verify-ca`).
    Chain,
    /// And the host's name in it (`verify-full`).
    ChainAndName,
}

/// libpq's rules on top of those of WebPKI.
#[derive(Debug)]
pub(super) struct Verifier {
    demand: Demand,
    chain: Option<Arc<WebPkiServerVerifier>>,
    trusted: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// Takes any certificate.
    pub(super) fn unchecked(algorithms: WebPkiSupportedAlgorithms) -> Verifier {
        Verifier { demand: Demand::Nothing, chain: None, trusted: Vec::new(), algorithms }
    }

    /// Checks against the trusted certificates; `chain` is None where none of them can sign others.
    pub(super) fn new(
        demand: Demand,
        chain: Option<Arc<WebPkiServerVerifier>>,
        trusted: Vec<CertificateDer<'static>>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Verifier {
        Verifier { demand, chain, trusted, algorithms }
    }

    /// The certificate itself is among the trusted ones. WebPKI refuses that where it is also an authority's, as
    /// `openssl req -x509` makes it; OpenSSL, and so libpq, takes it.
    fn is_trusted_itself(&self, certificate: &CertificateDer<'_>, now: UnixTime) -> Result<bool, Error> {
        if !self.trusted.iter().any(|trusted| trusted.as_ref() == certificate.as_ref()) {
            return Ok(false);
        }
        let validity = parse(certificate)?.tbs_certificate.validity;
        if now.as_secs() < validity.not_before.to_unix_duration().as_secs() {
            return Err(CertificateError::NotValidYet.into());
        }
        if now.as_secs() > validity.not_after.to_unix_duration().as_secs() {
            return Err(CertificateError::Expired.into());
        }
        Ok(true)
    }

    fn check_name(&self, certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Error> {
        let parsed = parse(certificate)?;
        let extensions = parsed.tbs_certificate.extensions.as_deref().unwrap_or_default();
        if extensions.iter().any(|extension| extension.extn_id == ID_CE_SUBJECT_ALT_NAME) {
            let parsed = rustls::server::ParsedCertificate::try_from(certificate)?;
            return rustls::client::verify_server_name(&parsed, name);
        }
        // Without alternative names libpq looks at the common name, which WebPKI has given up.
        let host = name.to_str();
        if common_names(&parsed).iter().any(|common| name_matches(common, &host)) {
            return Ok(());
        }
        Err(CertificateError::NotValidForName.into())
    }
}

fn parse(certificate: &CertificateDer<'_>) -> Result<Certificate, Error> {
    Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding.into())
}

fn common_names(certificate: &Certificate) -> Vec<String> {
    let attributes = certificate.tbs_certificate.subject.0.iter().flat_map(|relative| relative.0.iter());
    attributes
        .filter(|attribute| attribute.oid == CN)
        .filter_map(|attribute| {
            let value = &attribute.value;
            let utf8 = Utf8StringRef::try_from(value).map(|text| text.as_str().to_owned());
            let printable = || PrintableStringRef::try_from(value).map(|text| text.as_str().to_owned());
            let teletex = || TeletexStringRef::try_from(value).map(|text| text.as_str().to_owned());
            utf8.or_else(|_| printable()).or_else(|_| teletex()).ok()
        })
        .collect()
}

/// A `*` stands for the whole first label, and only for one (RFC 2818 as libpq reads it).
fn name_matches(pattern: &str, host: &str) -> bool {
    if pattern.eq_ignore_ascii_case(host) {
        return true;
    }
    let Some(suffix) = pattern.strip_prefix("*.") else { return false };
    let numeric = host.parse::<std::net::IpAddr>().is_ok();
    host.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && !numeric && rest.eq_ignore_ascii_case(suffix))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.demand == Demand::Nothing {
            return Ok(ServerCertVerified::assertion());
        }
        if !self.is_trusted_itself(certificate, now)? {
            let Some(chain) = &self.chain else {
                return Err(CertificateError::UnknownIssuer.into());
            };
            match chain.verify_server_cert(certificate, intermediates, name, ocsp_response, now) {
                // The name is checked last, so the chain is good.
                Ok(_)
                | Err(Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                )) => {}
                Err(error) => return Err(error),
            }
        }
        if self.demand == Demand::ChainAndName {
            self.check_name(certificate, name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Whoever takes any certificate gains nothing from knowing that the server owns it; and old certificates
        // (X.509 version 1) could not be checked.
        if self.demand == Demand::Nothing {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.demand == Demand::Nothing {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        for (pattern, host, expected) in [
            ("db.example.com", "DB.example.com", true),
            ("*.example.com", "db.example.com", true),
            ("*.example.com", "a.db.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.0.0.1", "127.0.0.1", false),
            ("db*.example.com", "db1.example.com", false),
            ("*", "localhost", false),
        ] {
            assert_eq!(name_matches(pattern, host), expected, "{pattern} {host}");
        }
    }
}
