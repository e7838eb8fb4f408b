//! Free ports.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::Result;

/// A port of 127.0.0.1 that nobody has at this moment. Somebody may take it in the next.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
