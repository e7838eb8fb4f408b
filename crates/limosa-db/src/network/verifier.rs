//! Checks a server's certificate as far as the mode of TLS asks for it.

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
pub(crate) enum Demand {
    /// Nothing (PostgreSQL's `require` without root certificates, MySQL's REQUIRED).
    Nothing,
    /// A chain to a trusted certificate (`verify-ca`, VERIFY_CA).
    Chain,
    /// And the host's name in it (`verify-full`, VERIFY_IDENTITY).
    ChainAndName,
}

/// The rules of the servers' own clients, which OpenSSL made, on top of those of WebPKI.
#[derive(Debug)]
pub(crate) struct Verifier {
    demand: Demand,
    chain: Option<Arc<WebPkiServerVerifier>>,
    trusted: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// Takes any certificate.
    pub(crate) fn unchecked(algorithms: WebPkiSupportedAlgorithms) -> Verifier {
        Verifier { demand: Demand::Nothing, chain: None, trusted: Vec::new(), algorithms }
    }

    /// Checks against the trusted certificates; `chain` is None where none of them can sign others.
    pub(crate) fn new(
        demand: Demand,
        chain: Option<Arc<WebPkiServerVerifier>>,
        trusted: Vec<CertificateDer<'static>>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Verifier {
        Verifier { demand, chain, trusted, algorithms }
    }

    /// The certificate itself is among the trusted ones. WebPKI refuses that where it is also an authority's, as
    /// `openssl req -x509` makes it; OpenSSL, and so the servers' own clients, take it.
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
        // Without alternative names libpq and MySQL's client look at the common name, which WebPKI has given up.
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

/// A `*` stands for the whole first label, and only for one (RFC 2818 as OpenSSL reads it).
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

    use rcgen::{
        BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
    };

    /// Parameters of a certificate with these alternative names and this common name.
    fn params(names: &[&str], common_name: &str) -> CertificateParams {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params
    }

    fn authority() -> (CertificateDer<'static>, Issuer<'static, KeyPair>) {
        let key = KeyPair::generate().unwrap();
        let mut params = params(&[], "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        (certificate, Issuer::new(params, key))
    }

    fn verifier(demand: Demand, trusted: &CertificateDer<'static>) -> Verifier {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let algorithms = provider.signature_verification_algorithms;
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        Verifier::new(demand, Some(chain), vec![trusted.clone()], algorithms)
    }

    fn verify(verifier: &Verifier, certificate: &CertificateDer<'_>, host: &str) -> Result<(), Error> {
        let host = ServerName::try_from(host.to_owned()).unwrap();
        verifier.verify_server_cert(certificate, &[], &host, &[], UnixTime::now()).map(drop)
    }

    #[test]
    fn chains_and_names_are_checked_as_the_mode_asks() {
        let (root, issuer) = authority();
        let (stranger, _) = authority();
        let sign = |params: CertificateParams| {
            let key = KeyPair::generate().unwrap();
            params.signed_by(&key, &issuer).unwrap().der().clone()
        };
        let named = sign(params(&["db.example.com", "10.0.0.1"], "ignored.example.com"));
        let common = sign(params(&[], "db.example.com"));
        let star = sign(params(&[], "*.example.com"));
        let mut old = params(&["db.example.com"], "x");
        old.not_before = date_time_ymd(2001, 1, 1);
        old.not_after = date_time_ymd(2002, 1, 1);
        let old = sign(old);
        let mut for_clients = params(&["db.example.com"], "x");
        for_clients.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let for_clients = sign(for_clients);
        for (certificate, host, chain, full) in [
            (&named, "db.example.com", true, true),
            (&named, "10.0.0.1", true, true),
            (&named, "ignored.example.com", true, false),
            (&named, "10.0.0.2", true, false),
            (&common, "db.example.com", true, true),
            (&common, "other.example.com", true, false),
            (&star, "db.example.com", true, true),
            (&star, "a.b.example.com", true, false),
            (&old, "db.example.com", false, false),
            (&for_clients, "db.example.com", false, false),
        ] {
            assert_eq!(verify(&verifier(Demand::Chain, &root), certificate, host).is_ok(), chain, "{host}");
            assert_eq!(verify(&verifier(Demand::ChainAndName, &root), certificate, host).is_ok(), full, "{host}");
            assert!(verify(&verifier(Demand::Chain, &stranger), certificate, host).is_err(), "{host}");
            assert!(verify(&verifier(Demand::Nothing, &stranger), certificate, host).is_ok(), "{host}");
        }
    }

    #[test]
    fn a_certificate_that_signed_itself_is_trusted_where_it_is_named() {
        for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
            let key = KeyPair::generate().unwrap();
            let mut good = params(&[], "db.example.com");
            good.is_ca = is_ca;
            let certificate = good.self_signed(&key).unwrap().der().clone();
            let trusting = verifier(Demand::ChainAndName, &certificate);
            verify(&trusting, &certificate, "db.example.com").unwrap();
            assert!(verify(&trusting, &certificate, "other.example.com").is_err());
            let (root, _) = authority();
            assert!(verify(&verifier(Demand::Chain, &root), &certificate, "db.example.com").is_err());
            good.not_before = date_time_ymd(2001, 1, 1);
            good.not_after = date_time_ymd(2002, 1, 1);
            let old = good.self_signed(&key).unwrap().der().clone();
            let error = verify(&verifier(Demand::Chain, &old), &old, "db.example.com").unwrap_err();
            assert_eq!(error, Error::InvalidCertificate(CertificateError::Expired));
        }
    }

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
