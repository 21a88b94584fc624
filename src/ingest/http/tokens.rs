//! Who sends: told by a token, of which only the digest is known here.

use crate::ingest::feed::FeedId;
use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

/// A token that a source may send with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Whose.
    pub feed: FeedId,
    /// SHA-256 of its text.
    pub sha256: [u8; 32],
}

/// What the settings have of a token.
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Which source has sent the token in these headers.
pub(super) fn whose(tokens: &[Token], headers: &HeaderMap) -> Option<FeedId> {
    let value = super::only(headers, &header::AUTHORIZATION).ok()??;
    let (scheme, token) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let told = digest(token.trim_matches(' '));
    // All are looked at, and each to its end: how long it takes says nothing of any of them.
    tokens
        .iter()
        .fold(None, |found, token| if openssl::memcmp::eq(&told, &token.sha256) { Some(token.feed) } else { found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn asked(values: &[&str]) -> Option<FeedId> {
        let tokens = [("old", 1), ("new", 1), ("other", 2)];
        let tokens: Vec<Token> =
            tokens.iter().map(|(text, feed)| Token { feed: FeedId(*feed), sha256: digest(text) }).collect();
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).expect("a header"));
        }
        whose(&tokens, &headers)
    }

    #[test]
    fn a_token_says_whose_it_is() {
        assert_eq!(asked(&["Bearer old"]), Some(FeedId(1)));
        assert_eq!(asked(&["bearer  new "]), Some(FeedId(1)));
        assert_eq!(asked(&["Bearer other"]), Some(FeedId(2)));
        for wrong in ["Bearer", "Bearer ", "Bearer othe", "Bearer other2", "Basic other", "other", ""] {
            assert_eq!(asked(&[wrong]), None, "{wrong}");
        }
        assert_eq!(asked(&[]), None);
        assert_eq!(asked(&["Bearer other", "Bearer old"]), None);
    }
}
