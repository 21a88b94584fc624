//! Included files: parts of a contract in its own grammar, put together before anything is read.
//!
//! Names add up; one that stands twice is an error. Only `values` may be given anew, and the file that includes wins
//! over what it includes. `calendar` and `defaults` of a part hold for the obligations of that file, over those of the
//! file that includes it: a part means the same wherever it is included.

use super::code::Code;
use super::fields;
use super::keys::top;
use super::library::{Found, Library, Missing, Place};
use super::report::{At, Hint, Report, quote};
use super::yaml::{self, Entry, MAX_BYTES, Node, Value};
use std::collections::BTreeMap;

/// Most files that one contract is made of.
const MOST_FILES: usize = 100;

/// Most bytes that they have together.
const MOST_BYTES: usize = 4 * MAX_BYTES;

/// Keys that say who is bound and since when: a contract without all of them is a part of others.
const HEAD: [&str; 4] = ["contract", "partner", "customer", "effective"];

/// What the files of a contract say beside what they say together.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// What holds for the obligations of one included file only.
    pub(crate) scoped: Vec<Scoped>,
    /// A file is missing: names that are not there may stand in it.
    pub(crate) missing: bool,
    /// What was read: [`Found::identity`].
    pub(crate) read: Vec<String>,
}

/// See [`Parts::scoped`].
#[derive(Debug)]
pub(crate) struct Scoped {
    pub(crate) file: u16,
    /// The file that includes it.
    pub(crate) parent: u16,
    pub(crate) calendar: Option<Node>,
    pub(crate) defaults: Option<Node>,
}

/// Whether a file is a part of contracts, and none itself.
pub(crate) fn is_part(root: &Node) -> bool {
    HEAD.iter().all(|key| root.get(key).is_none()) && top::PART.keys.iter().any(|key| root.get(key.name).is_some())
}

/// Puts what a contract includes into its tree.
pub(crate) fn expand(root: &mut Node, place: &Place, library: &Library, report: &mut Report<'_>) -> Parts {
    let open = place.identity().map(|identity| (identity, report.file(At::TOP).to_owned())).into_iter().collect();
    let mut reader = Reader { library, report, parts: Parts::default(), open, bytes: 0 };
    reader.file(root, 0, place);
    reader.parts
}

struct Reader<'r, 'x> {
    library: &'r Library,
    report: &'r mut Report<'x>,
    parts: Parts,
    /// The files that are being read, from the contract's own: [`Found::identity`], and as problems name it.
    open: Vec<(String, String)>,
    bytes: usize,
}

impl Reader<'_, '_> {
    /// Reads what a file includes into it.
    fn file(&mut self, root: &mut Node, file: u16, place: &Place) {
        let Some(node) = root.get("include").cloned() else { return };
        let Some(items) = fields::one_or_more(&node, "`include`", self.report) else {
            self.parts.missing = true;
            return;
        };
        let own: Vec<String> = entries(root, "values").iter().map(|entry| entry.key.clone()).collect();
        let mut named: Vec<(String, At)> = Vec::new();
        for item in items {
            let Some(name) = fields::text(item, "an included file", self.report) else {
                self.parts.missing = true;
                continue;
            };
            if let Some((_, first)) = named.iter().find(|(other, _)| other == name) {
                self.report.twice("included files", name, *first, item.at, "name it once");
                continue;
            }
            named.push((name.to_owned(), item.at));
            if let Some(part) = self.part(name, item.at, file, place) {
                self.merge(root, part, &own);
            }
        }
    }

    /// An included file with what it includes itself; None: it was read before, or it cannot be.
    fn part(&mut self, name: &str, at: At, parent: u16, place: &Place) -> Option<Node> {
        let found = match self.library.find(place, name) {
            Ok(found) => found,
            Err(missing) => {
                self.missing(name, at, missing);
                return None;
            }
        };
        if let Some(from) = self.open.iter().position(|(identity, _)| *identity == found.identity) {
            let names = self.open[from..].iter().map(|(_, file)| file.as_str()).chain([found.file.as_str()]);
            let message = format!("files that include each other: {}", names.collect::<Vec<_>>().join(" includes "));
            self.report.hinted(Code::IncludeCycle, at, message, "take one of the `include`s out");
            self.parts.missing = true;
            return None;
        }
        // What two parts of a contract share is there once.
        if self.parts.read.contains(&found.identity) {
            return None;
        }
        self.bytes += found.text.len();
        if self.parts.read.len() >= MOST_FILES || self.bytes > MOST_BYTES {
            let message = format!("more than {MOST_FILES} files, or more than {} MiB of them", MOST_BYTES >> 20);
            self.report.hinted(Code::TooLarge, at, message, "include less");
            self.parts.missing = true;
            return None;
        }
        let Found { file, identity, place, text } = found;
        self.parts.read.push(identity.clone());
        self.report.turn(&file, &text);
        let number = self.report.top().file;
        let Some(mut root) = yaml::tree(&text, self.report) else {
            self.parts.missing = true;
            return None;
        };
        self.open.push((identity, file));
        self.file(&mut root, number, &place);
        self.open.pop();
        self.only_what_parts_have(&root);
        let mut take = |key: &str| match &mut root.value {
            Value::Map(all) => all.iter().position(|entry| entry.key == key).map(|at| all.remove(at).node),
            Value::Scalar { .. } | Value::List(_) => None,
        };
        take("include");
        let (calendar, defaults) = (take("calendar"), take("defaults"));
        self.parts.scoped.push(Scoped { file: number, parent, calendar, defaults });
        Some(root)
    }

    fn missing(&mut self, name: &str, at: At, missing: Missing) {
        self.parts.missing = true;
        let (code, message, hint) = match missing {
            Missing::Outside(path) => (
                Code::IncludeOutside,
                format!("{} leads out of the folder that is read", quote(&path)),
                "name a file below this one's folder, or below one given with `--library`".to_owned(),
            ),
            Missing::Nowhere(tried) => {
                let what = format!("no file {} to include", quote(name));
                let shipped = Library::shipped().map(|path| path.strip_suffix(".yaml").unwrap_or(path));
                if let Some(near) = super::report::nearest(name, shipped) {
                    let near = near.to_owned();
                    self.report.hinted(Code::NoPart, at, what, Hint::Meant(near));
                    return;
                }
                (Code::NoPart, what, format!("looked for: {}", tried.join(", ")))
            }
            Missing::Unreadable(why) => {
                (Code::NoPart, format!("{} cannot be included: {why}", quote(name)), "see to the file".to_owned())
            }
        };
        self.report.hinted(code, at, message, hint);
    }

    /// Who is bound, since when and to what stands in the contract itself, where its readers look for it.
    fn only_what_parts_have(&mut self, root: &Node) {
        let Some(all) = fields::map(root, top::PART.what, self.report) else { return };
        let keys = top::PART.names();
        for entry in all.iter().filter(|entry| !keys.contains(&entry.key.as_str())) {
            if top::CONTRACT.key(&entry.key).is_some() {
                let message = format!("an included file has no {}: it is the contract's own to say", quote(&entry.key));
                self.report.hinted(Code::WrongPart, entry.at, message, "move it into the contract");
            } else {
                fields::unknown(entry, top::PART.what, &keys, self.report);
            }
        }
    }

    /// Names add up, lists go on.
    fn merge(&mut self, root: &mut Node, part: Node, own_values: &[String]) {
        let (Value::Map(into), Value::Map(from)) = (&mut root.value, part.value) else { return };
        // What no part may have has been told.
        for entry in from.into_iter().filter(|entry| top::PART.key(&entry.key).is_some()) {
            let Some(there) = into.iter_mut().find(|there| there.key == entry.key) else {
                into.push(entry);
                continue;
            };
            match (&mut there.node.value, entry.node.value) {
                (Value::Map(there), Value::Map(new)) => self.names(&entry.key, there, new, own_values),
                (Value::List(there), Value::List(new)) => there.extend(new),
                (_, value) => {
                    let new = Node { value, ..entry.node };
                    let message = format!(
                        "`{}` is {} here, and {} in {}",
                        entry.key,
                        new.shape(),
                        there.node.shape(),
                        self.report.file(there.at)
                    );
                    self.report.hinted(Code::WrongShape, entry.at, message, "write both in the same way");
                }
            }
        }
    }

    fn names(&mut self, key: &str, there: &mut Vec<Entry>, new: Vec<Entry>, own_values: &[String]) {
        let known: BTreeMap<String, At> = there.iter().map(|entry| (entry.key.clone(), entry.at)).collect();
        for one in new {
            match known.get(&one.key) {
                None => there.push(one),
                Some(_) if key == "values" && own_values.contains(&one.key) => {}
                Some(first) => {
                    let hint = if key == "values" {
                        "give the value in the file that includes both: it wins"
                    } else {
                        "only `values` may be given anew: give one of them another name"
                    };
                    self.report.twice(plural(key), &one.key, *first, one.at, hint);
                }
            }
        }
    }
}

/// What is named under a key.
fn plural(key: &str) -> &str {
    match key {
        "holidays" => "holiday sets",
        "escalation" => "ladders",
        other => other,
    }
}

fn entries<'n>(root: &'n Node, key: &str) -> &'n [Entry] {
    match root.get(key).map(|node| &node.value) {
        Some(Value::Map(entries)) => entries,
        _ => &[],
    }
}
