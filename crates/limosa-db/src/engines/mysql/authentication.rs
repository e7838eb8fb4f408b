//! The proof of the password, in the way that the server asks for.
//!
//! MySQL documentation, "Client/Server Protocol", "Authentication Methods"; MariaDB documentation, "Authentication Plugins".

use bytes::Bytes;
use mysql_common::io::ParseBuf;
use mysql_common::packets::{AuthPlugin, AuthSwitchRequest, HandshakePacket};
use mysql_common::proto::MySerialize;

use super::parameters::Parameters;
use super::refusal;
use super::reply;
use crate::DbError;

/// The older one of the two ways of MySQL with SHA-256.
const SHA256_PASSWORD: &[u8] = b"sha256_password";

/// What a packet of these ways begins with.
const MORE: u8 = 0x01;

/// The password was right: nothing more is needed.
const FAST: u8 = 0x03;

/// The server does not remember the password, and wants to see it.
const FULL: u8 = 0x04;

/// Asks for the server's key.
const KEY_OF_CACHING: &[u8] = &[0x02];
const KEY_OF_SHA256: &[u8] = &[0x01];

/// What comes next.
pub(super) enum Step {
    /// Send this.
    Send(Bytes),
    /// Wait for the server.
    Listen,
}

/// Who can read along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrecy {
    /// Nobody: there is TLS.
    Encrypted,
    /// Nobody but this machine: a socket.
    Socket,
    /// Everybody between here and the server.
    Open,
}

/// One login.
pub(super) struct Authentication<'a> {
    parameters: &'a Parameters,
    secrecy: Secrecy,
    plugin: AuthPlugin<'static>,
    nonce: Vec<u8>,
    /// The server's key was asked for.
    awaits_key: bool,
    switched: bool,
}

impl<'a> Authentication<'a> {
    /// Begins in the way that the greeting names, or in the oldest where that one begins otherwise.
    pub(super) fn new(
        parameters: &'a Parameters,
        secrecy: Secrecy,
        greeting: &HandshakePacket<'_>,
    ) -> Authentication<'a> {
        let plugin = match greeting.auth_plugin() {
            Some(AuthPlugin::CachingSha2Password) => AuthPlugin::CachingSha2Password,
            _ => AuthPlugin::MysqlNativePassword,
        };
        Authentication { parameters, secrecy, plugin, nonce: greeting.nonce(), awaits_key: false, switched: false }
    }

    pub(super) fn plugin(&self) -> AuthPlugin<'static> {
        self.plugin.clone()
    }

    /// What is sent with the user's name.
    pub(super) fn first(&self) -> Vec<u8> {
        self.scrambled().unwrap_or_default()
    }

    fn password(&self) -> &str {
        self.parameters.password.as_ref().map(crate::Secret::expose).unwrap_or_default()
    }

    /// The password with the server's random bytes; None where there is none.
    fn scrambled(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.plugin.gen_data(Some(self.password()), &self.nonce)?.serialize(&mut bytes);
        Some(bytes)
    }

    /// Takes a packet that is neither OK nor an error.
    pub(super) fn answer(&mut self, packet: &Bytes) -> Result<Step, DbError> {
        let place = &self.parameters.place;
        let malformed = || refusal::broken(place, &reply::malformed("authentication"));
        match (packet.first(), &self.plugin) {
            (Some(&reply::END), _) if packet.len() == 1 => {
                Err(refusal::unsupported(self.parameters, "mysql_old_password"))
            }
            (Some(&reply::END), _) if !self.switched => {
                let request = ParseBuf(packet).parse::<AuthSwitchRequest<'_>>(()).map_err(|_| malformed())?;
                self.switched = true;
                self.switch(&request)
            }
            (Some(&MORE), AuthPlugin::CachingSha2Password) => match (packet.get(1), packet.len()) {
                (Some(&FAST), 2) => Ok(Step::Listen),
                (Some(&FULL), 2) => self.show_password(self.secrecy != Secrecy::Open, KEY_OF_CACHING),
                _ if self.awaits_key => self.encrypt(&packet[1..]),
                _ => Err(malformed()),
            },
            (Some(&MORE), AuthPlugin::Other(name)) if name.as_ref() == SHA256_PASSWORD && self.awaits_key => {
                self.encrypt(&packet[1..])
            }
            // The first servers with this way sent no mark before the salt.
            (_, AuthPlugin::MariadbParsec { .. }) => {
                let salt = packet.strip_prefix(&[MORE]).unwrap_or(packet);
                self.plugin.read_add_data(salt).ok_or_else(malformed)?;
                Ok(Step::Send(self.scrambled().unwrap_or_default().into()))
            }
            _ => Err(malformed()),
        }
    }

    fn switch(&mut self, request: &AuthSwitchRequest<'_>) -> Result<Step, DbError> {
        self.plugin = request.auth_plugin().into_owned();
        self.nonce = request.plugin_data().to_vec();
        let name = String::from_utf8_lossy(self.plugin.as_bytes()).into_owned();
        match &self.plugin {
            AuthPlugin::MysqlNativePassword | AuthPlugin::CachingSha2Password | AuthPlugin::Ed25519 => {
                Ok(Step::Send(self.scrambled().unwrap_or_default().into()))
            }
            // Its salt comes when it is asked for.
            AuthPlugin::MariadbParsec { .. } => Ok(Step::Send(Bytes::new())),
            AuthPlugin::MysqlClearPassword if !self.parameters.cleartext || self.secrecy == Secrecy::Open => {
                Err(refusal::cleartext(self.parameters, self.secrecy != Secrecy::Open))
            }
            AuthPlugin::MysqlClearPassword => Ok(Step::Send(self.plain())),
            // This one counts a socket as open.
            AuthPlugin::Other(plugin) if plugin.as_ref() == SHA256_PASSWORD => {
                self.show_password(self.secrecy == Secrecy::Encrypted, KEY_OF_SHA256)
            }
            AuthPlugin::MysqlOldPassword | AuthPlugin::Other(_) => Err(refusal::unsupported(self.parameters, &name)),
        }
    }

    /// The password as it is, with its end.
    fn plain(&self) -> Bytes {
        [self.password().as_bytes(), &[0]].concat().into()
    }

    /// Shows the password where nobody can read along; else asks for the key to encrypt it with, where that is allowed.
    fn show_password(&mut self, secret: bool, ask_for_key: &'static [u8]) -> Result<Step, DbError> {
        if secret || self.password().is_empty() {
            return Ok(Step::Send(self.plain()));
        }
        if !self.parameters.public_key {
            return Err(refusal::needs_encryption(self.parameters));
        }
        self.awaits_key = true;
        Ok(Step::Send(Bytes::from_static(ask_for_key)))
    }

    fn encrypt(&mut self, key: &[u8]) -> Result<Step, DbError> {
        let password = self.plain();
        if !key::takes(key, password.len()) || self.nonce.is_empty() {
            return Err(refusal::broken(&self.parameters.place, &reply::malformed("key")));
        }
        let mixed: Vec<u8> = password.iter().zip(self.nonce.iter().cycle()).map(|(byte, with)| byte ^ with).collect();
        self.awaits_key = false;
        Ok(Step::Send(mysql_common::crypto::encrypt(&mixed, key).into()))
    }
}

mod key {
    //! Whether what a server sent is a key that can be used: what encrypts takes it for granted.

    use rustls::pki_types::SubjectPublicKeyInfoDer;
    use rustls::pki_types::pem::PemObject;
    use x509_cert::der::asn1::UintRef;
    use x509_cert::der::{Decode, Reader, SliceReader};
    use x509_cert::spki::SubjectPublicKeyInfoRef;

    /// Bytes that the padding takes (OAEP with SHA-1).
    const PADDING: usize = 42;

    /// True for an RSA key in PEM form that is long enough for a message of this length.
    pub(super) fn takes(pem: &[u8], message: usize) -> bool {
        modulus(pem).is_some_and(|length| length >= message + PADDING)
    }

    fn modulus(pem: &[u8]) -> Option<usize> {
        let information = SubjectPublicKeyInfoDer::from_pem_slice(pem).ok()?;
        let information = SubjectPublicKeyInfoRef::from_der(&information).ok()?;
        let key = information.subject_public_key.as_bytes()?;
        let mut reader = SliceReader::new(key).ok()?;
        let (modulus, exponent) =
            reader.sequence(|inside| Ok((inside.decode::<UintRef<'_>>()?, inside.decode::<UintRef<'_>>()?))).ok()?;
        let significant = modulus.as_bytes().iter().skip_while(|byte| **byte == 0).count();
        (exponent.as_bytes().iter().any(|byte| *byte != 0)).then_some(significant)
    }
}
