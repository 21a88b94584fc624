//! The canonical form of a contract file: keys in reading order, one indentation, one kind of quotes, and every
//! comment kept.
//!
//! What is written is read again and compared with what was read first, text by text and comment by comment. If
//! anything differs the file is left alone: a formatter that loses a remark of the lawyers is worse than none.

mod comments;
mod emit;
mod order;
mod source;

use super::catalogue::is_catalogue;
use super::keys::{Shape, catalogue, mapper, top};
use super::mapper::is_mapper;
use super::problem::Problem;
use super::report::Report;
use super::yaml;
use saphyr_parser::ScalarStyle;
use source::{Body, Node};

/// Why a file was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum Unformatted {
    /// It is no YAML that a contract can be.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"))]
    Problems(Vec<Problem>),
    /// Something in it would not be kept.
    #[error("{file} is left as it is: {what}")]
    NotKept {
        /// The file, as it was named.
        file: String,
        /// What would not be kept.
        what: &'static str,
    },
}

static CONTRACT: Shape = Shape::Block(&top::CONTRACT);
static MAPPER: Shape = Shape::Block(&mapper::MAPPER);
static CATALOGUE: Shape = Shape::Block(&catalogue::CATALOGUE);

/// The canonical form of a contract, a mapper, or a catalogue. It need not be one that loads, but YAML as contracts are written.
///
/// # Errors
/// What is wrong with its YAML; or that something in it could not be kept.
pub fn format(text: &str, origin: &str) -> Result<String, Unformatted> {
    // Line ends and a byte order mark mean nothing.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut report = Report::new(origin, &text);
    let tree = yaml::tree(&text, &mut report);
    let (Some(tree), true) = (tree, report.is_clean()) else { return Err(Unformatted::Problems(report.finish())) };
    let not_kept = |what: &'static str| Unformatted::NotKept { file: origin.to_owned(), what };
    let mut source = source::read(&text).ok_or_else(|| not_kept("a text block with `+` or a digit in its header"))?;
    let said = comments::texts(&text, &source);
    let top = comments::attach(&text, &mut source);
    let kind = match () {
        () if is_mapper(&tree) => &MAPPER,
        () if is_catalogue(&tree) => &CATALOGUE,
        () => &CONTRACT,
    };
    order::arrange(&mut source.root, Some(kind));
    let meant = Meaning::of(&source.root);
    let Body::Collection(root) = source.root.body else { return Err(not_kept("it is one text, and no map")) };
    let out = emit::file(top, root);
    let again = source::read(&out).ok_or_else(|| not_kept("its canonical form is no YAML"))?;
    if Meaning::of(&again.root) != meant {
        return Err(not_kept("its canonical form would say something else"));
    }
    let (mut said, mut kept) = (said, comments::texts(&out, &again));
    said.sort();
    kept.sort();
    if said != kept {
        return Err(not_kept("a comment would be lost"));
    }
    Ok(out)
}

/// What a tree says, without places, comments and kinds of quotes.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Text { text: String, quoted: bool },
    List(Vec<Meaning>),
    Map(Vec<(String, Meaning)>),
}

impl Meaning {
    fn of(node: &Node) -> Meaning {
        match &node.body {
            Body::Scalar(scalar) => {
                Meaning::Text { text: scalar.text.clone(), quoted: scalar.style != ScalarStyle::Plain }
            }
            Body::Collection(collection) if collection.map => Meaning::Map(
                collection
                    .children
                    .iter()
                    .map(|child| {
                        (child.key.as_ref().map(|key| key.text.clone()).unwrap_or_default(), Meaning::of(&child.value))
                    })
                    .collect(),
            ),
            Body::Collection(collection) => {
                Meaning::List(collection.children.iter().map(|child| Meaning::of(&child.value)).collect())
            }
        }
    }
}
