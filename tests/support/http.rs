//! A small HTTP client, that can also be wrong on purpose.

use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    stream: TcpStream,
    rest: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
    head: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

impl Client {
    pub(crate) fn to(addr: SocketAddr) -> Client {
        let stream = TcpStream::connect(addr).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Client { stream, rest: Vec::new() }
    }

    pub(crate) fn request(token: &str, kind: &str, body: &[u8]) -> Vec<u8> {
        let mut bytes = Client::head(token, kind);
        bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).into_bytes());
        bytes.extend_from_slice(body);
        bytes
    }

    fn head(token: &str, kind: &str) -> Vec<u8> {
        let mut head = String::from("POST /events HTTP/1.1\r\nhost: localhost\r\n");
        if !token.is_empty() {
            head += &format!("authorization: Bearer {token}\r\n");
        }
        if !kind.is_empty() {
            head += &format!("content-type: {kind}\r\n");
        }
        head.into_bytes()
    }

    pub(crate) fn post(self, token: &str, kind: &str, body: &str) -> Reply {
        self.post_bytes(token, kind, body.as_bytes())
    }

    pub(crate) fn post_bytes(mut self, token: &str, kind: &str, body: &[u8]) -> Reply {
        self.send(&Client::request(token, kind, body));
        self.reply()
    }

    pub(crate) fn chunked(mut self, token: &str, kind: &str, pieces: &[&[u8]]) -> Reply {
        let mut bytes = Client::head(token, kind);
        bytes.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
        for piece in pieces {
            bytes.extend(format!("{:x}\r\n", piece.len()).into_bytes());
            bytes.extend_from_slice(piece);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        self.send(&bytes);
        self.reply()
    }

    pub(crate) fn get(mut self, path: &str) -> Reply {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes());
        self.reply()
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Reply {
        self.send(bytes);
        self.reply()
    }

    /// The status of the answer; None where the connection was reset.
    pub(crate) fn refused(mut self, bytes: &[u8]) -> Option<u16> {
        self.send(bytes);
        let mut room = Vec::new();
        self.stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let read = self.stream.read_to_end(&mut room);
        assert!(!matches!(&read, Err(error) if error.kind() != ErrorKind::ConnectionReset), "{read:?}");
        let text = String::from_utf8_lossy(&room).into_owned();
        text.split(' ').nth(1).and_then(|status| status.parse().ok())
    }

    /// Whoever refuses early may not read to the end.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    pub(crate) fn reply(&mut self) -> Reply {
        self.reply_within(PATIENCE).expect("a reply")
    }

    /// None: there is none yet.
    pub(crate) fn reply_within(&mut self, time: Duration) -> Option<Reply> {
        self.stream.set_read_timeout(Some(time)).expect("a timeout");
        loop {
            if let Some(reply) = self.whole() {
                return Some(reply);
            }
            let mut room = [0; 4096];
            match self.stream.read(&mut room) {
                Ok(0) => panic!("closed after {:?}", String::from_utf8_lossy(&self.rest)),
                Ok(read) => self.rest.extend_from_slice(&room[..read]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return None,
                Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&self.rest)),
            }
        }
    }

    fn whole(&mut self) -> Option<Reply> {
        let text = String::from_utf8_lossy(&self.rest).into_owned();
        let (head, _) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().expect("a status");
        let mut reply = Reply { status, body: String::new(), head: head.to_owned() };
        let length: usize = reply.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        let begin = head.len() + 4;
        let body = self.rest.get(begin..begin + length)?;
        reply.body = String::from_utf8_lossy(body).into_owned();
        self.rest.drain(..begin + length);
        Some(reply)
    }

    /// No byte comes in this time.
    pub(crate) fn nothing(&mut self, time: Duration) {
        assert!(self.reply_within(time).is_none(), "answered too early");
    }

    /// The other side closes, by itself.
    pub(crate) fn closed(&mut self) {
        self.stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut room = [0; 4096];
        loop {
            match self.stream.read(&mut room) {
                Ok(0) => return,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return,
                Ok(_) => {}
                Err(error) => panic!("not closed: {error}"),
            }
        }
    }
}
