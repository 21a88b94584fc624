//! Where a store is, as people write it.

use super::error::StoreError;
use super::{Store, postgres, sqlite};
use onus_engine::time::Millis;
use std::fmt;
use std::path::PathBuf;
use tokio_postgres::config::Host;

/// `sqlite:PATH` or `postgres://user@host/database`. Shown without secrets.
#[derive(Clone)]
pub enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// A database of a server.
    Postgres(Box<Server>),
}

/// How to reach a PostgreSQL server.
#[derive(Clone)]
pub struct Server {
    pub(super) config: tokio_postgres::Config,
    /// Read at each connect, so that a password can change while the process runs.
    pub(super) password_file: Option<PathBuf>,
    /// Whom to believe beside the system's own certificates.
    pub(super) authorities: Option<PathBuf>,
    /// How long a transaction that writes may wait for its client; None: as sessions are set up.
    pub(super) idle: Option<Millis>,
}

impl Server {
    /// The same, with its password in this file, if one is named.
    #[must_use]
    pub fn with_password_file(mut self, file: Option<PathBuf>) -> Server {
        self.password_file = file.or(self.password_file);
        self
    }

    /// The same, for an owner of whom others expect a sign of life so often: one that stands still in the middle of a commit loses that commit
    /// then, and whoever takes the shard over need not wait for it.
    #[must_use]
    pub fn with_lease(mut self, lease: Millis) -> Server {
        self.idle = Some(lease.max(1));
        self
    }
}

const HOW: &str = "write sqlite:PATH, or postgres://user@host:5432/database?passwordfile=PATH";

impl Place {
    /// Reads what a person wrote.
    ///
    /// # Errors
    /// Says what is wrong, and nothing of a password.
    pub fn parse(text: &str) -> Result<Place, StoreError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(refused("sqlite:", "names no file: write sqlite:PATH"));
            }
            return Ok(Place::Sqlite(PathBuf::from(path)));
        }
        let scheme = ["postgres://", "postgresql://"].into_iter().find(|scheme| text.starts_with(scheme));
        match scheme {
            Some(scheme) => server(text, scheme).map(|server| Place::Postgres(Box::new(server))),
            // It may be a password that was put in the wrong place: nothing of it is shown.
            None => Err(refused("the store", &format!("is neither a file nor a PostgreSQL server: {HOW}"))),
        }
    }
}

/// Parameters that are ours are taken out; libpq's go to the driver, and what it does not know is an error there.
fn server(text: &str, scheme: &str) -> Result<Server, StoreError> {
    let (address, parameters) = text.split_once('?').unwrap_or((text, ""));
    let (mut password_file, mut authorities, mut mode, mut others) = (None, None, None, Vec::new());
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name {
            "passwordfile" => password_file = Some(PathBuf::from(decoded(value))),
            "sslrootcert" => authorities = Some(PathBuf::from(decoded(value))),
            "sslmode" => mode = Some(value),
            _ => others.push(parameter),
        }
    }
    let address = if others.is_empty() { address.to_owned() } else { format!("{address}?{}", others.join("&")) };
    let mut config: tokio_postgres::Config = address
        .parse()
        .map_err(|error: tokio_postgres::Error| refused(scheme, &format!("{}: {HOW}", words(&error))))?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(refused(scheme, &format!("names no host: {HOW}")));
    }
    if config.get_dbname().is_none() {
        return Err(refused(scheme, &format!("names no database: {HOW}")));
    }
    if config.get_password().is_some() && password_file.is_some() {
        return Err(refused(scheme, "has a password and a passwordfile: leave one away"));
    }
    use tokio_postgres::config::SslMode;
    config.ssl_mode(match mode {
        Some("disable") => SslMode::Disable,
        // A certificate that is not looked at protects from nobody: `require` looks, too.
        Some("require" | "verify-full") => SslMode::Require,
        // Unsaid: nothing goes over a network in clear.
        None if config.get_hosts().iter().all(near) => SslMode::Disable,
        None => SslMode::Require,
        Some(other) => {
            let why = format!("sslmode={other} is not known: write require (checks the certificate) or disable");
            return Err(refused(scheme, &why));
        }
    });
    Ok(Server { config, password_file, authorities, idle: None })
}

/// On this machine.
fn near(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// An error with what is behind it.
pub(super) fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let more = source.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        next = source.source();
    }
    text
}

fn refused(target: &str, why: &str) -> StoreError {
    StoreError::Refused { target: target.to_owned(), why: why.to_owned() }
}

/// Percent signs as in any URL.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        let hex = more
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            _ => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Place::Postgres(server) => server.fmt(f),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        let ports = self.config.get_ports();
        for (place, host) in self.config.get_hosts().iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            match host {
                Host::Tcp(name) if name.contains(':') => write!(f, "{comma}[{name}]")?,
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                #[cfg(unix)]
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
            // One port may stand for all hosts.
            if let Some(port) = ports.get(place).or_else(|| ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

/// As shown: the driver's own text would do, but what it hides is its affair.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Opens a shard's store; an empty one is made if there is none.
///
/// # Errors
/// As [`sqlite::open`] and [`postgres::open`].
pub fn open(place: &Place, shard: u16) -> Result<Box<dyn Store>, StoreError> {
    Ok(match place {
        Place::Sqlite(path) => Box::new(sqlite::open(path, shard)?),
        Place::Postgres(server) => Box::new(postgres::open(server, shard)?),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio_postgres::config::SslMode;

    fn server(text: &str) -> Server {
        match Place::parse(text).unwrap() {
            Place::Postgres(server) => *server,
            Place::Sqlite(path) => panic!("{}", path.display()),
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let text = "postgres://onus:hunter2@db.example:6432/evidence?application_name=x";
        let place = Place::parse(text).unwrap();
        assert_eq!(place.to_string(), "postgres://onus@db.example:6432/evidence");
        assert!(!format!("{place:?}").contains("hunter2"));
        for wrong in [
            "postgres://onus:hunter2@db/evidence?sslmode=maybe",
            "postgres://onus:hunter2@db/evidence?colour=red",
            "postgres://onus:hunter2@db/evidence?passwordfile=/run/p",
            "postgres://onus:hunter2@db",
            "postgres://onus:hunter2@",
            "postgers://onus:hunter2@db/evidence",
            "postgres://onus:hunter2@db:hunter2/evidence",
        ] {
            let error = Place::parse(wrong).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_unless_somebody_says_otherwise() {
        assert_eq!(server("postgres://u@db.example/d").config.get_ssl_mode(), SslMode::Require);
        assert_eq!(server("postgres://u@db.example/d?sslmode=disable").config.get_ssl_mode(), SslMode::Disable);
        assert_eq!(server("postgres://u@127.0.0.1/d").config.get_ssl_mode(), SslMode::Disable);
        assert_eq!(server("postgres://u@localhost,db.example/d").config.get_ssl_mode(), SslMode::Require);
    }

    #[test]
    fn files_are_named_as_in_any_url() {
        let server = server("postgresql://u@h/d?passwordfile=/run/my%20secret&sslrootcert=ca.pem&connect_timeout=3");
        assert_eq!(server.password_file.as_deref(), Some(std::path::Path::new("/run/my secret")));
        assert_eq!(server.authorities.as_deref(), Some(std::path::Path::new("ca.pem")));
        assert_eq!(server.config.get_connect_timeout().map(std::time::Duration::as_secs), Some(3));
        assert_eq!(Place::parse("sqlite:///var/onus.db").unwrap().to_string(), "sqlite:/var/onus.db");
        assert!(Place::parse("sqlite:").is_err() && Place::parse("onus.db").is_err());
    }
}
