//! Every key of the language, declared once: its name, what may stand under it and what it means.
//!
//! The readers take from here which keys a block may have, `onus schema` what editors check and show, the key
//! reference its words, and `onus fmt` the order in which keys stand.

/// A key and what it is worth. (A macro and not a function: what a function is given does not live for ever.)
macro_rules! key {
    ($needed:literal, $effect:ident, $name:literal, $shape:expr, $says:expr) => {
        Key {
            name: $name,
            shape: &$shape,
            says: $says,
            needed: $needed,
            effect: $crate::contract::keys::Effect::$effect,
        }
    };
}

/// A key that may be left out.
macro_rules! may {
    ($name:literal, $shape:expr, $says:expr $(,)?) => {
        key!(false, Judged, $name, $shape, $says)
    };
}

/// A key that must be there.
macro_rules! must {
    ($name:literal, $shape:expr, $says:expr $(,)?) => {
        key!(true, Judged, $name, $shape, $says)
    };
}

/// A key that is checked, and changes no standing.
macro_rules! told {
    ($name:literal, $shape:expr, $says:expr $(,)?) => {
        key!(false, Told, $name, $shape, $says)
    };
}

pub(crate) mod catalogue;
pub(crate) mod duty;
pub(crate) mod examples;
pub(crate) mod forms;
pub(crate) mod holidays;
pub(crate) mod mapper;
pub(crate) mod selectors;
pub(crate) mod top;

/// A map with keys of the language.
#[derive(Debug)]
pub(crate) struct Block {
    /// Its name in the schema and the reference, `obligation`.
    pub(crate) name: &'static str,
    /// What a message calls it, "an obligation".
    pub(crate) what: &'static str,
    /// What it is for.
    pub(crate) says: &'static str,
    /// In reading order.
    pub(crate) keys: &'static [Key],
    /// The ways to put its keys together; exactly one holds. Empty: any way.
    pub(crate) ways: &'static [Way],
}

/// One way to put the keys of a block together.
#[derive(Debug)]
pub(crate) struct Way {
    /// Keys that are there.
    pub(crate) with: &'static [&'static str],
    /// Keys that are not.
    pub(crate) without: &'static [&'static str],
}

/// A key and what it means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: &'static Shape,
    pub(crate) says: &'static str,
    pub(crate) needed: bool,
    pub(crate) effect: Effect,
}

/// What a key does today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes what is owed or how it stands.
    Judged,
    /// It is checked, and changes no standing.
    Told,
}

/// What may stand under a key.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Text of a certain form.
    Text(&'static Form),
    /// One of these words, each with its meaning.
    Word(&'static [(&'static str, &'static str)]),
    /// Nothing, which is written `null`.
    Null,
    /// A map with keys of the language.
    Block(&'static Block),
    /// A list.
    List(&'static Shape),
    /// One, or a list.
    OneOrMore(&'static Shape),
    /// A map with keys of the author's.
    Map(&'static Form, &'static Shape),
    /// `{depends-on: .., table: ..}`, each row holding this.
    Rows(&'static Shape),
    /// One of these.
    Either(&'static [&'static Shape]),
    /// A shape with a name of its own, because it stands in many places.
    Named(&'static Named),
    /// Whatever JSON can say.
    Any,
}

/// See [`Shape::Named`].
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) name: &'static str,
    pub(crate) says: &'static str,
    pub(crate) shape: Shape,
}

/// A form that text has.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) name: &'static str,
    pub(crate) says: &'static str,
    /// The whole text matches it; None: any text.
    pub(crate) pattern: Option<&'static str>,
    pub(crate) examples: &'static [&'static str],
    /// Plain numbers and truth values are taken as their text.
    pub(crate) unquoted: bool,
    /// A `$name` is these characters, not the contract's value.
    pub(crate) literal: bool,
}

impl Block {
    /// The keys' names, in reading order.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }

    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Shape {
    /// The block that a map of this shape is: of several the one that knows most of its keys.
    pub(crate) fn block(&self, keys: &[&str]) -> Option<&'static Block> {
        let mut blocks = Vec::new();
        self.blocks(&mut blocks);
        let known = |block: &Block| keys.iter().filter(|key| block.key(key).is_some()).count();
        blocks.into_iter().max_by_key(|block| known(block)).filter(|block| known(block) > 0)
    }

    fn blocks(&self, out: &mut Vec<&'static Block>) {
        match self {
            Shape::Block(block) => out.push(block),
            Shape::Rows(_) => out.push(&duty::TABLE),
            Shape::OneOrMore(shape) => shape.blocks(out),
            Shape::Either(shapes) => shapes.iter().for_each(|shape| shape.blocks(out)),
            Shape::Named(named) => named.shape.blocks(out),
            Shape::Text(_) | Shape::Word(_) | Shape::Null | Shape::Any | Shape::List(_) | Shape::Map(..) => {}
        }
    }

    /// What an item of a list of this shape is.
    pub(crate) fn item(&self) -> Option<&'static Shape> {
        match self {
            Shape::List(item) | Shape::OneOrMore(item) => Some(item),
            Shape::Either(shapes) => shapes.iter().find_map(|shape| shape.item()),
            Shape::Named(named) => named.shape.item(),
            Shape::Text(_)
            | Shape::Word(_)
            | Shape::Null
            | Shape::Any
            | Shape::Block(_)
            | Shape::Map(..)
            | Shape::Rows(_) => None,
        }
    }

    /// What a row holds, if it may be a table.
    pub(crate) fn row(&self) -> Option<&'static Shape> {
        match self {
            Shape::Rows(row) => Some(row),
            Shape::OneOrMore(shape) => shape.row(),
            Shape::Either(shapes) => shapes.iter().find_map(|shape| shape.row()),
            Shape::Named(named) => named.shape.row(),
            Shape::Text(_)
            | Shape::Word(_)
            | Shape::Null
            | Shape::Any
            | Shape::Block(_)
            | Shape::List(_)
            | Shape::Map(..) => None,
        }
    }

    /// What stands under a key of the author's.
    pub(crate) fn value(&self) -> Option<&'static Shape> {
        match self {
            Shape::Map(_, value) => Some(value),
            Shape::OneOrMore(shape) => shape.value(),
            Shape::Either(shapes) => shapes.iter().find_map(|shape| shape.value()),
            Shape::Named(named) => named.shape.value(),
            Shape::Text(_)
            | Shape::Word(_)
            | Shape::Null
            | Shape::Any
            | Shape::Block(_)
            | Shape::List(_)
            | Shape::Rows(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::words;

    fn names<T>(words: &[(&str, T)]) -> Vec<String> {
        words.iter().map(|(word, _)| (*word).to_owned()).collect()
    }

    #[test]
    fn the_words_that_are_declared_are_those_that_are_read() {
        assert_eq!(names(duty::TRUST_WORDS), names(words::TRUST));
        assert_eq!(names(duty::SEVERITY_WORDS), names(words::SEVERITIES));
        let kinds: Vec<&str> = words::KINDS.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(names(duty::KIND_WORDS), kinds);
    }

    #[test]
    fn no_block_declares_a_key_twice() {
        for block in [&top::CONTRACT, &duty::OBLIGATION, &duty::DEFAULTS, &selectors::SELECTOR, &selectors::REQUIREMENT]
        {
            let mut names = block.names();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{}", block.name);
        }
    }

    #[test]
    fn a_map_is_known_by_its_keys() {
        let within = duty::OBLIGATION.key("within").map(|key| key.shape).expect("`within` is a key");
        assert_eq!(within.block(&["must", "should"]).map(|block| block.name), Some("limit"));
        assert_eq!(within.block(&["depends-on", "table"]).map(|block| block.name), Some("table"));
        assert_eq!(within.block(&["P1", "P2"]).map(|block| block.name), None);
    }
}
