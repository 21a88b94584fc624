//! What an adapter remembers: of each record of the source a small row. Plain data in a fixed order, so that the same feed
//! gives the same bytes, and what changed since the last commit can be written with the facts of that commit.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The first byte of what is written. Raised when rows written before cannot be read any more.
const FORM: u8 = 1;

/// What is remembered of one record: words by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row(BTreeMap<String, String>);

impl Row {
    /// A word; none is none, and empty is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Notes a word, or that there is none.
    pub(super) fn set(&mut self, name: &str, word: Option<&str>) {
        match word.filter(|word| !word.is_empty()) {
            Some(word) => self.0.insert(name.to_owned(), word.to_owned()),
            None => self.0.remove(name),
        };
    }

    /// The same, one after another.
    pub(super) fn with(mut self, name: &str, word: Option<&str>) -> Row {
        self.set(name, word);
        self
    }

    /// As bytes: equal rows, equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        written(&self.0)
    }

    /// All words, by name.
    pub fn words(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, word)| (name.as_str(), word.as_str()))
    }
}

/// Why stored bytes are no state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another form than this program writes.
    #[error(
        "the state is of form {0:?}, and this program reads form {FORM}: read the source anew from a position before it"
    )]
    Form(Option<u8>),
    /// Damaged.
    #[error("the state's bytes are damaged: {0}")]
    Damaged(#[from] postcard::Error),
}

/// All that one adapter remembers, by the source's own record ids.
#[derive(Clone, Debug, Default)]
pub struct State {
    rows: BTreeMap<String, Row>,
    changed: BTreeSet<String>,
}

impl State {
    /// What is remembered of a record.
    pub fn get(&self, id: &str) -> Option<&Row> {
        self.rows.get(id)
    }

    /// Remembers; the same again is no change.
    pub(super) fn put(&mut self, id: &str, row: Option<Row>) -> Option<Row> {
        if self.rows.get(id) == row.as_ref() {
            return row;
        }
        self.changed.insert(id.to_owned());
        match row {
            Some(row) => self.rows.insert(id.to_owned(), row),
            None => self.rows.remove(id),
        }
    }

    /// How many records are remembered.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All rows, by id.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &Row)> {
        self.rows.iter().map(|(id, row)| (id.as_str(), row))
    }

    /// Forgets a record: whoever keeps the state does so when the record has ended and its settling time is over.
    pub fn forget(&mut self, id: &str) {
        self.put(id, None);
    }

    /// A row as it was written down: it comes back, and does not count as changed.
    ///
    /// # Errors
    /// The bytes are no row of this program's.
    pub fn restore(&mut self, id: &str, bytes: &[u8]) -> Result<(), StateError> {
        self.rows.insert(id.to_owned(), Row(read(bytes)?));
        Ok(())
    }

    /// What was written or forgotten (`None`) since [`State::committed`] was last called, by id.
    pub fn changed(&self) -> impl Iterator<Item = (&str, Option<&Row>)> {
        self.changed.iter().map(|id| (id.as_str(), self.rows.get(id)))
    }

    /// What has changed so far is safe.
    pub fn committed(&mut self) {
        self.changed.clear();
    }

    /// All of it, as bytes: equal states, equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        written(&self.rows)
    }

    /// What was written; nothing of it counts as changed.
    pub fn from_bytes(bytes: &[u8]) -> Result<State, StateError> {
        Ok(State { rows: read(bytes)?, changed: BTreeSet::new() })
    }
}

fn written(what: &impl Serialize) -> Vec<u8> {
    // Into memory, of plain types: there is nothing that could go wrong.
    postcard::to_extend(what, vec![FORM]).unwrap_or_default()
}

fn read<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<T, StateError> {
    match bytes.split_first() {
        Some((&FORM, rest)) => Ok(postcard::from_bytes(rest)?),
        other => Err(StateError::Form(other.map(|(form, _)| *form))),
    }
}

/// Two states are the same when they remember the same.
impl PartialEq for State {
    fn eq(&self, other: &State) -> bool {
        self.rows == other.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(word: &str) -> Option<Row> {
        Some(Row::default().with("state", Some(word)))
    }

    #[test]
    fn bytes_are_the_same_whatever_order_rows_came_in_and_come_back_whole() {
        let (mut one, mut other) = (State::default(), State::default());
        one.put("a", row("1"));
        one.put("b", row("2"));
        other.put("b", row("3"));
        other.put("a", row("1"));
        other.put("b", row("2"));
        assert_eq!(one.to_bytes(), other.to_bytes());
        assert_eq!(State::from_bytes(&one.to_bytes()).expect("read back"), one);
        let mut again = State::default();
        for (id, row) in one.rows() {
            again.restore(id, &row.to_bytes()).expect("read back");
        }
        assert_eq!((&again, again.changed().count()), (&one, 0));
    }

    #[test]
    fn only_what_changed_since_the_commit_is_told() {
        let mut state = State::default();
        state.put("a", row("1"));
        state.put("b", row("1"));
        state.committed();
        state.put("a", row("1"));
        state.put("c", row("1"));
        state.forget("b");
        let told: Vec<_> = state.changed().map(|(id, row)| (id, row.is_some())).collect();
        assert_eq!(told, [("b", false), ("c", true)]);
    }

    #[test]
    fn bytes_of_another_form_are_refused() {
        assert!(matches!(State::from_bytes(&[]), Err(StateError::Form(None))));
        assert!(matches!(State::from_bytes(&[9, 0]), Err(StateError::Form(Some(9)))));
        assert!(matches!(State::from_bytes(&[FORM, 3]), Err(StateError::Damaged(_))));
    }
}
