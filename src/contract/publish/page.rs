//! The key references, of contracts and of mappers: every key, what may stand under it, what it means.

use crate::contract::keys::{Block, Effect, Form, Key, Shape, duty, examples, holidays, mapper, selectors, top};
use crate::contract::words;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const INTRO: &str = "\
<!-- Written by `onus schema contract --format page`. The words are in src/contract/keys. -->

# The keys of a contract

One YAML file is one version of one contract. An obligation is one of three sentences, and nothing else is owed:

    when A, do B, within L          when: ticket.opened    do: ticket.acknowledged   within: {P1: 15min, \"*\": 1h}
    every P, do B                   every: 90 days         do: credential.rotated    per: credential
    when A, requires B              when: change.executed  requires: {event: change.approved, by: customer}

A and B are [selectors](#selectors), L is a [limit](#limit), P a [period](#period). Keys stand in the order in which they
are read; `onus fmt` puts them so. A key in **bold** must be there. One that is *told* is checked and changes no standing;
one that is *not yet* supported is refused, because leaving it out would change what is owed.

`onus schema contract` prints the JSON Schema of the same for editors: a first line
`# yaml-language-server: $schema=contract.schema.json` gives completion, and the words of this page as hovers.
[What can be wrong](contract-errors.md) has every problem by its code.
";

/// Blocks in the order of the page, under the headings of the page.
const SECTIONS: &[(&str, &[&Block])] = &[
    ("The contract", &[&top::CONTRACT, &top::PART, &top::SCOPE]),
    (
        "Obligations",
        &[
            &duty::OBLIGATION,
            &duty::LIMIT,
            &duty::TABLE,
            &duty::ROW,
            &duty::PER,
            &duty::EVIDENCE_BLOCK,
            &duty::PAUSE_BLOCK,
            &duty::CONFIRM,
            &duty::EVIDENCE_BLOCK,
            &duty::REOPEN_BLOCK,
            &duty::REPRIORITISE_BLOCK,
            &duty::TARGET,
            &duty::DEFAULTS,
        ],
    ),
    (
        "Selectors",
        &[
            &selectors::SELECTOR,
            &selectors::REQUIREMENT,
            &selectors::POPULATION,
            &selectors::SINCE_BLOCK,
            &selectors::TEST,
        ],
    ),
    ("Calendars", &[&top::CALENDAR, &holidays::SET, &holidays::HOLIDAY]),
    ("Controls", &[&top::CONTROL, &top::RACI, &top::GUARDRAIL, &top::SUBCONTRACTOR, &top::RUNG]),
    ("Waivers", &[&top::WAIVERS, &top::GRANTED]),
];

const MAPPER_INTRO: &str = "\
<!-- Written by `onus schema mapper --format page`. The words are in src/contract/keys/mapper.rs. -->

# The keys of a mapper

One YAML file is one mapper: a source that no adapter knows, described. [The guide](../sources/mapper.md) says how one is
written and tried. Keys stand in the order in which they are read; `onus fmt` puts them so. A key in **bold** must be there; one
that is *told* is for people.

`onus schema mapper` prints the JSON Schema of the same for editors: a first line
`# yaml-language-server: $schema=mapper.schema.json` gives completion, and the words of this page as hovers.
[What can be wrong](contract-errors.md#mappers) has every problem by its code.
";

const MAPPER_SECTIONS: &[(&str, &[&Block])] = &[
    ("The mapper", &[&mapper::MAPPER, &mapper::TAKES, &mapper::TEST]),
    ("Logs and rows", &[&mapper::TYPE, &mapper::CHANGE, &mapper::TELLING]),
    ("Where things stand", &[&mapper::PLACE, &mapper::TIME, &mapper::ACTOR, &mapper::LINK, &mapper::FIELD]),
    ("Examples", &[&examples::EXAMPLE, &examples::SAMPLE, &examples::WANT]),
];

/// docs/reference/contract.md.
pub fn page() -> String {
    let values =
        "Wherever one of these stands, a value of the contract may stand as `$name`, except in words for people.";
    whole(INTRO, SECTIONS, values, "Those that are built in; a contract declares its own under `events`.")
}

/// docs/reference/mapper.md.
pub fn mapper_page() -> String {
    let words = "Plain text that YAML takes for something else, like 1.10 or True, is quoted.";
    whole(MAPPER_INTRO, MAPPER_SECTIONS, words, "Those that are built in; a mapper declares others under `events`.")
}

fn whole(intro: &str, sections: &[(&str, &[&'static Block])], texts: &str, events: &str) -> String {
    let mut writer = Page { out: intro.to_owned(), forms: BTreeMap::new() };
    for (title, blocks) in sections {
        let _ = writeln!(writer.out, "\n## {title}");
        blocks.iter().for_each(|block| writer.block(block));
    }
    writer.texts(texts);
    writer.events(events);
    writer.out
}

struct Page {
    out: String,
    /// Forms of text that were spoken of.
    forms: BTreeMap<&'static str, &'static Form>,
}

impl Page {
    fn block(&mut self, block: &'static Block) {
        let _ = write!(
            self.out,
            "\n### {}\n\n{}\n\n| key | what stands there | what it means |\n|---|---|---|\n",
            block.name, block.says
        );
        block.keys.iter().for_each(|key| self.key(key));
    }

    fn key(&mut self, key: &Key) {
        let name = if key.needed { format!("**`{}`**", key.name) } else { format!("`{}`", key.name) };
        let (shape, note) = match key.effect {
            Effect::Told => (self.shape(key.shape), " *Told.*"),
            Effect::Judged => (self.shape(key.shape), ""),
        };
        let mut says = format!("{}{note}", key.says);
        for (word, meaning) in words_of(key.shape) {
            let _ = write!(says, " `{word}`: {meaning}");
        }
        let _ = writeln!(self.out, "| {name} | {shape} | {says} |");
    }

    /// What may stand there, in words.
    fn shape(&mut self, shape: &'static Shape) -> String {
        match shape {
            Shape::Text(form) => {
                self.forms.insert(form.name, form);
                link(form.name)
            }
            Shape::Word(words) => words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            Shape::Null => "`null`".to_owned(),
            Shape::Any => "JSON".to_owned(),
            Shape::Block(block) => link(block.name),
            Shape::List(item) => format!("list of {}", self.shape(item)),
            Shape::OneOrMore(item) => format!("{}, or a list", self.shape(item)),
            Shape::Map(names, value) => {
                self.forms.insert(names.name, names);
                format!("map: {} to {}", link(names.name), self.shape(value))
            }
            Shape::Rows(row) => format!("[table](#table) of {}", self.shape(row)),
            Shape::Either(shapes) => shapes.iter().map(|shape| self.shape(shape)).collect::<Vec<_>>().join(", or "),
            Shape::Named(named) => match named.name {
                "selector" => "[event type](#event-type), or [selector](#selector-map)".to_owned(),
                "requirement" => "[event type](#event-type), or [requirement](#requirement-map)".to_owned(),
                "test" => "text, list, `null`, or [relation](#relation)".to_owned(),
                _ => self.shape(&named.shape),
            },
        }
    }

    fn texts(&mut self, says: &str) {
        let _ = write!(self.out, "\n## Forms of text\n\n{says}\n");
        for (name, form) in std::mem::take(&mut self.forms) {
            let examples: Vec<String> = form.examples.iter().map(|example| format!("`{example}`")).collect();
            let like = if examples.is_empty() { String::new() } else { format!(" Like {}.", examples.join(", ")) };
            let _ = write!(self.out, "\n### {name}\n\n{}{like}\n", form.says);
        }
    }

    fn events(&mut self, says: &str) {
        let _ = write!(self.out, "\n## Event types\n\n{says}\n\n| kind | acts |\n|---|---|\n");
        for (kind, acts) in words::EVENTS {
            let _ = writeln!(self.out, "| {kind} | {} |", acts.join(", "));
        }
    }
}

fn link(name: &str) -> String {
    format!("[{name}](#{name})")
}

/// The words that may stand there and say something by themselves.
fn words_of(shape: &'static Shape) -> Vec<(&'static str, &'static str)> {
    match shape {
        Shape::Word(words) => words.to_vec(),
        Shape::Either(shapes) => shapes.iter().flat_map(|shape| words_of(shape)).collect(),
        Shape::Text(_)
        | Shape::Null
        | Shape::Any
        | Shape::Block(_)
        | Shape::List(_)
        | Shape::OneOrMore(_)
        | Shape::Map(..)
        | Shape::Rows(_)
        | Shape::Named(_) => Vec::new(),
    }
}
