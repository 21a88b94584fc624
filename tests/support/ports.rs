//! Ports for servers of the tests' own.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below those that this machine gives to whoever connects: one of these would be taken, now and then, between the look and the
/// server's start, or while a server is down that shall come back under its address.
const FIRST: u32 = 10_240;
const PORTS: u32 = 32_768 - FIRST;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port on which nobody listens, and which this process was not given before.
pub(crate) fn free() -> u16 {
    // Processes beside this one begin elsewhere.
    let start = std::process::id().wrapping_mul(7_919);
    loop {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(n < PORTS, "no port is free");
        let port = (FIRST + start.wrapping_add(n) % PORTS) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
