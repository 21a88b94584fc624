//! Tokens that open figures: a file with a line for each, of which only the digest is known here.
//!
//! ```text
//! ID EXPIRES SHA256 partner NAME
//! ID EXPIRES SHA256 all
//! ```
//!
//! It is read again when it changes. What cannot be read lets nobody in.

use onus_engine::time::Moment;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// What a token begins with, so that scanners for secrets can know it.
pub const PREFIX: &str = "onus_metrics_";

/// What a token opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// This partner's own figures.
    Partner(String),
    /// Every partner's figures, and the page of everything.
    All,
}

/// A token, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// By which people name it.
    pub id: String,
    /// It opens nothing from then on.
    pub expires: Moment,
    /// SHA-256 of its text.
    pub sha256: [u8; 32],
    /// What it opens.
    pub scope: Scope,
}

/// Why somebody is refused. They are not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No token, or no such header as is asked for.
    Missing,
    /// Not one of ours.
    Unknown,
    /// Over.
    Expired,
    /// Another partner's.
    Foreign,
}

impl Refused {
    /// The label under which it is counted.
    pub fn word(self) -> &'static str {
        match self {
            Refused::Missing => "missing",
            Refused::Unknown => "unknown",
            Refused::Expired => "expired",
            Refused::Foreign => "foreign",
        }
    }
}

/// The file, as it was read last.
#[derive(Debug)]
pub struct Tokens {
    file: PathBuf,
    clock: fn() -> Moment,
    read: Mutex<Option<(Stamp, Vec<Token>)>>,
}

/// By which a changed file is known.
type Stamp = (Option<SystemTime>, u64, u64);

impl Tokens {
    /// Those of a file, which need not be there yet.
    pub fn of(file: PathBuf, clock: fn() -> Moment) -> Tokens {
        Tokens { file, clock, read: Mutex::new(None) }
    }

    /// Whether a token opens this partner's figures; without a partner, the page of everything.
    ///
    /// # Errors
    /// It does not.
    pub fn look(&self, token: &str, partner: Option<&str>) -> Result<(), Refused> {
        let told: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp(&self.file);
        if read.as_ref().is_none_or(|(known, _)| *known != stamp) {
            let tokens = load(&self.file).unwrap_or_else(|why| {
                tracing::error!("no token opens any figures: {why}");
                Vec::new()
            });
            *read = Some((stamp, tokens));
        }
        let tokens = read.as_ref().map_or(&[][..], |(_, tokens)| tokens);
        // All are looked at, and each to its end: how long it takes says nothing of any of them.
        let same = |token: &&Token| openssl::memcmp::eq(&told, &token.sha256);
        let found = tokens.iter().fold(None, |found, token| if same(&token) { Some(token) } else { found });
        let Some(found) = found else { return Err(Refused::Unknown) };
        if (self.clock)() >= found.expires {
            return Err(Refused::Expired);
        }
        match (&found.scope, partner) {
            (Scope::All, _) => Ok(()),
            (Scope::Partner(own), Some(asked)) if own == asked => Ok(()),
            (Scope::Partner(_), _) => Err(Refused::Foreign),
        }
    }
}

fn stamp(file: &Path) -> Stamp {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(file).map_or((None, 0, 0), |meta| (meta.modified().ok(), meta.len(), meta.ino()))
}

/// The tokens of a file; none where there is no file.
///
/// # Errors
/// It cannot be read, or a line of it is none of ours: in words.
pub fn load(file: &Path) -> Result<Vec<Token>, String> {
    match std::fs::read_to_string(file) {
        Ok(text) => parse(&text).map_err(|why| format!("{}: {why}", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

/// The tokens of a file's text.
fn parse(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens: Vec<Token> = Vec::new();
    for (n, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let token = line_of(line).ok_or_else(|| {
            format!(
                "line {} is no token: ID EXPIRES SHA256, then `partner NAME` or `all`; `onus token create` writes one",
                n + 1
            )
        })?;
        if tokens.iter().any(|known| known.id == token.id) {
            return Err(format!("line {} has the id {} a second time: take one of them out", n + 1, token.id));
        }
        tokens.push(token);
    }
    Ok(tokens)
}

fn line_of(line: &str) -> Option<Token> {
    let mut parts = line.splitn(4, ' ');
    let (id, expires, digest, scope) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let named = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
    let scope = match scope.split_once(' ') {
        None if scope == "all" => Scope::All,
        Some(("partner", name)) if !name.is_empty() => Scope::Partner(name.to_owned()),
        _ => return None,
    };
    let token = Token { id: id.to_owned(), expires: Moment::parse(expires)?, sha256: unhexed(digest)?, scope };
    named.then_some(token)
}

/// The file's text.
pub fn written(tokens: &[Token]) -> String {
    let mut text = String::from(
        "# Tokens for figures: ID EXPIRES SHA256 SCOPE. Written by `onus token`; a line taken out opens nothing.\n",
    );
    for token in tokens {
        let digest: String = token.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let _ = write!(text, "{} {} {digest} ", token.id, token.expires);
        let _ = match &token.scope {
            Scope::All => writeln!(text, "all"),
            Scope::Partner(name) => writeln!(text, "partner {name}"),
        };
    }
    text
}

/// A new token of 256 random bits: as the file has it, and its text, which nobody can find again.
///
/// # Errors
/// There are no random numbers to be had.
pub fn fresh(scope: Scope, expires: Moment) -> Result<(Token, String), String> {
    let (mut id, mut secret) = ([0u8; 4], [0u8; 32]);
    for bytes in [&mut id[..], &mut secret[..]] {
        openssl::rand::rand_bytes(bytes).map_err(|error| format!("no random numbers: {error}"))?;
    }
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let id = hex(&id);
    let text = format!("{PREFIX}{id}_{}", hex(&secret));
    let sha256 = Sha256::digest(text.as_bytes()).into();
    Ok((Token { id, expires, sha256, scope }, text))
}

fn unhexed(text: &str) -> Option<[u8; 32]> {
    let bytes = text.as_bytes();
    if bytes.len() != 64 || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut out = [0; 32];
    for (i, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Moment {
        Moment(1_000_000)
    }

    fn made(scope: Scope, expires: i64) -> (Token, String) {
        fresh(scope, Moment(expires)).expect("random numbers")
    }

    #[test]
    fn what_is_written_is_read() {
        let scopes = [Scope::All, Scope::Partner("acme".to_owned()), Scope::Partner("Acme & Sons, all".to_owned())];
        let tokens: Vec<Token> = scopes.into_iter().map(|scope| made(scope, 5_000_000_000).0).collect();
        assert_eq!(parse(&written(&tokens)), Ok(tokens));
    }

    #[test]
    fn a_line_that_is_no_token_is_refused_with_the_whole_file() {
        let (token, _) = made(Scope::All, 1);
        let good = written(&[token]);
        let line = good.lines().last().expect("a line").to_owned();
        for bad in [
            line.replace(" all", ""),
            line.replace(" all", " everything"),
            line.replace(" all", " partner "),
            line.replace(" all", " all of them"),
            line.replacen(' ', "", 1),
            line[..line.len() - 6].to_owned(),
            format!("{line}\n{line}"),
        ] {
            assert!(parse(&format!("{good}{bad}\n")).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_token_opens_what_it_is_for_until_it_expires_or_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tokens");
        let tokens = Tokens::of(file.clone(), now);
        let (own, own_text) = made(Scope::Partner("acme".to_owned()), 2_000_000);
        let (old, old_text) = made(Scope::Partner("acme".to_owned()), 1_000_000);
        let (all, all_text) = made(Scope::All, 2_000_000);
        assert_eq!(tokens.look(&own_text, Some("acme")), Err(Refused::Unknown), "there is no file");
        std::fs::write(&file, written(&[own.clone(), old, all])).expect("written");
        assert_eq!(tokens.look(&own_text, Some("acme")), Ok(()));
        assert_eq!(tokens.look(&own_text, Some("acm")), Err(Refused::Foreign));
        assert_eq!(tokens.look(&own_text, None), Err(Refused::Foreign));
        assert_eq!(tokens.look(&old_text, Some("acme")), Err(Refused::Expired));
        assert_eq!(tokens.look(&all_text, Some("other")), Ok(()));
        assert_eq!(tokens.look(&all_text, None), Ok(()));
        assert_eq!(tokens.look(&own_text[1..], Some("acme")), Err(Refused::Unknown));
        std::fs::write(&file, written(&[own])).expect("written");
        assert_eq!(tokens.look(&all_text, None), Err(Refused::Unknown), "it was taken out");
        std::fs::write(&file, "nonsense\n").expect("written");
        assert_eq!(tokens.look(&own_text, Some("acme")), Err(Refused::Unknown), "what cannot be read lets nobody in");
    }
}
