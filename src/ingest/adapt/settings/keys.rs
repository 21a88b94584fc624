//! Reading a tree strictly: every problem is collected, with the key that it is at.

use super::Table;
use crate::ingest::adapt::codes::quoted;
use crate::ingest::adapt::tree::Tree;
use chrono_tz::Tz;
use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) problems: Vec<String>,
}

impl Keys {
    pub(super) fn wrong(&mut self, at: &str, what: String) {
        let at = if at.is_empty() { "the file" } else { at };
        self.problems.push(format!("{at}: {what}"));
    }

    pub(super) fn unknown<'k>(&mut self, at: &str, said: &str, known: impl Iterator<Item = &'k str> + Clone) {
        let remedy = match nearest(said, known.clone()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("known are {}", known.collect::<Vec<_>>().join(", ")),
        };
        self.wrong(at, format!("{} is not known; {remedy}", quoted(said)));
    }

    /// An object with no other keys than these; `_` is a comment.
    pub(super) fn map(&mut self, at: &str, tree: &Tree<'_>, known: &[&str]) {
        for (key, _) in self.members(at, tree) {
            if key != "_" && !known.contains(&key) {
                self.unknown(at, key, known.iter().copied());
            }
        }
    }

    /// The members of an object; of nothing none.
    pub(super) fn members<'t>(&mut self, at: &str, tree: &'t Tree<'t>) -> Vec<(&'t str, &'t Tree<'t>)> {
        match tree {
            Tree::Null => Vec::new(),
            Tree::Map(members) => members.iter().map(|(key, value)| (key.as_ref(), value)).collect(),
            _ => {
                self.wrong(at, "an object is wanted".to_owned());
                Vec::new()
            }
        }
    }

    pub(super) fn text(&mut self, at: &str, tree: &Tree<'_>) -> Option<String> {
        match tree {
            Tree::Null => None,
            Tree::Text(text) if !text.is_empty() => Some(text.to_string()),
            _ => {
                self.wrong(at, "a text is wanted".to_owned());
                None
            }
        }
    }

    pub(super) fn whole(&mut self, at: &str, tree: &Tree<'_>) -> Option<i64> {
        match tree {
            Tree::Null => None,
            Tree::Whole(number) if *number >= 0 => Some(*number),
            _ => {
                self.wrong(at, "a whole number from 0 is wanted".to_owned());
                None
            }
        }
    }

    pub(super) fn flag(&mut self, at: &str, tree: &Tree<'_>) -> Option<bool> {
        match tree {
            Tree::Null => None,
            Tree::Bool(truth) => Some(*truth),
            _ => {
                self.wrong(at, "true or false is wanted".to_owned());
                None
            }
        }
    }

    /// A list of texts.
    fn list(&mut self, at: &str, tree: &Tree<'_>) -> Vec<String> {
        match tree {
            Tree::Null => Vec::new(),
            Tree::List(items) => items.iter().filter_map(|item| self.text(at, item)).collect(),
            _ => {
                self.wrong(at, "a list of texts is wanted".to_owned());
                Vec::new()
            }
        }
    }

    pub(super) fn set(&mut self, at: &str, tree: &Tree<'_>) -> BTreeSet<String> {
        self.list(at, tree).into_iter().collect()
    }

    /// A list of some of these words.
    pub(super) fn list_of(&mut self, at: &str, tree: &Tree<'_>, known: &[&str]) -> Vec<String> {
        let said = self.list(at, tree);
        for word in said.iter().filter(|word| !known.contains(&word.as_str())) {
            self.unknown(at, word, known.iter().copied());
        }
        said
    }

    /// Words by words.
    pub(super) fn words(&mut self, at: &str, tree: &Tree<'_>) -> Table {
        let mut table = Table::new();
        for (key, value) in self.members(at, tree) {
            if let Some(word) = self.text(&format!("{at}.{key}"), value) {
                table.insert(key.to_owned(), word);
            }
        }
        table
    }

    /// Some of these words by words.
    pub(super) fn table(&mut self, at: &str, tree: &Tree<'_>, known: &[&str]) -> Table {
        let table = self.words(at, tree);
        for (key, word) in &table {
            if !known.contains(&word.as_str()) {
                self.unknown(&format!("{at}.{key}"), word, known.iter().copied());
            }
        }
        table
    }

    pub(super) fn zone(&mut self, at: &str, tree: &Tree<'_>) -> Option<Tz> {
        let name = self.text(at, tree)?;
        let zone = name.parse().ok();
        if zone.is_none() {
            self.wrong(at, format!("{} is no time zone; write one as `Europe/Warsaw`", quoted(&name)));
        }
        zone
    }
}

/// The word that was probably meant.
fn nearest<'k>(said: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let said: String = said.to_lowercase().chars().take(60).collect();
    known
        .map(|word| (strsim::damerau_levenshtein(&said, word), word))
        .min_by_key(|(away, _)| *away)
        .filter(|(away, word)| *away <= (word.len() / 3).max(1))
        .map(|(_, word)| word)
}
