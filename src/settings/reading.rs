//! From what is said to values, with every complaint.

use super::keys::{Absent, Form, KINDS, Key, Section};
use super::layers::Layers;
use super::problem::{Problem, nearest};
use super::shaped::shaped;
use super::units;
use config::{Value, ValueKind};
use std::path::{Path, PathBuf};

/// One setting in force.
#[derive(Clone, Debug, PartialEq)]
pub struct InForce {
    /// Section, as it is written in TOML: `[judge]`, `[kafka.main]`, `[[source]]`.
    pub section: String,
    /// Its place in the tree: `judge.settling`, `source.tickets.topic`.
    pub path: String,
    /// The key within the section.
    pub key: String,
    /// As TOML; a password inside it is left out.
    pub value: toml::Value,
    /// `onus.toml:12`, an environment variable, or `default`.
    pub from: String,
}

/// Reads sections, and remembers what is wrong and what holds.
pub(super) struct Reader<'s> {
    layers: &'s Layers,
    base: &'s Path,
    pub(super) problems: Vec<Problem>,
    pub(super) shown: Vec<InForce>,
}

/// One section, being read.
pub(super) struct Part<'r, 's> {
    reader: &'r mut Reader<'s>,
    section: &'static Section,
    /// `judge`, `kafka.main`, `source.tickets`.
    pub(super) path: String,
    kind: Option<String>,
}

impl<'s> Reader<'s> {
    pub(super) fn new(layers: &'s Layers, base: &'s Path, problems: Vec<Problem>) -> Reader<'s> {
        Reader { layers, base, problems, shown: Vec::new() }
    }

    /// Complains of sections that there are not, and of keys that they have not.
    pub(super) fn strangers(&mut self, sections: &'static [Section]) {
        for (name, value) in sorted(&self.layers.tree) {
            let Some(section) = sections.iter().find(|section| section.name == name) else {
                self.unknown(
                    name,
                    name,
                    value,
                    &sections.iter().map(|section| section.name).collect::<Vec<_>>(),
                    "section",
                );
                continue;
            };
            let keys: Vec<&str> = section.keys.iter().map(|key| key.name).collect();
            if !matches!(value.kind, ValueKind::Table(_)) {
                self.no_table(name, value, section);
            }
            match section.form {
                Form::Once => self.strange_keys(name, "", value, &keys),
                Form::Named | Form::Listed => {
                    for (instance, value) in sorted(value) {
                        let path = format!("{name}.{instance}");
                        if !name_is_fine(instance) {
                            self.problems.push(Problem {
                                place: self.place(&path, value),
                                key: path.clone(),
                                what: format!("`{instance}` cannot be a name"),
                                remedy: Some("use lower-case letters, digits and hyphens".to_owned()),
                            });
                        }
                        if matches!(value.kind, ValueKind::Table(_)) {
                            self.strange_keys(&path, "", value, &keys);
                        } else {
                            self.no_table(&path, value, section);
                        }
                    }
                }
            }
        }
    }

    fn no_table(&mut self, path: &str, value: &Value, section: &Section) {
        let head = head(section, "NAME");
        self.problems.push(Problem {
            place: self.place(path, value),
            key: path.to_owned(),
            what: "is no table".to_owned(),
            remedy: Some(format!("write {head} on a line of its own, and the settings below it")),
        });
    }

    fn strange_keys(&mut self, path: &str, within: &str, value: &Value, keys: &[&str]) {
        for (name, value) in sorted(value) {
            let whole = format!("{within}{name}");
            if keys.contains(&whole.as_str()) {
                continue;
            }
            let table = format!("{whole}.");
            if keys.iter().any(|key| key.starts_with(&table)) {
                if matches!(value.kind, ValueKind::Table(_)) {
                    self.strange_keys(path, &table, value, keys);
                } else {
                    self.problems.push(Problem {
                        place: self.place(&format!("{path}.{whole}"), value),
                        key: format!("{path}.{whole}"),
                        what: "is no table".to_owned(),
                        remedy: Some(format!("write {whole} = {{ ... }}")),
                    });
                }
                continue;
            }
            self.unknown(&format!("{path}.{whole}"), &whole, value, keys, "setting");
        }
    }

    fn unknown(&mut self, path: &str, said: &str, value: &Value, known: &[&str], what: &str) {
        let remedy = match nearest(said, known.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("known are: {}", known.join(", ")),
        };
        self.problems.push(Problem {
            place: self.place(path, value),
            key: path.to_owned(),
            what: format!("there is no such {what}"),
            remedy: Some(remedy),
        });
    }

    fn place(&self, path: &str, value: &Value) -> Option<String> {
        value.origin().map(str::to_owned).or_else(|| self.layers.places.get(path).cloned())
    }

    /// Names of a section's instances: sources in their order, others sorted.
    pub(super) fn names(&self, section: &Section) -> Vec<String> {
        // Of those that cannot be names was complained already.
        let fine = |name: &&str| name_is_fine(name);
        if section.form == Form::Listed {
            return self.layers.sources.iter().map(String::as_str).filter(fine).map(str::to_owned).collect();
        }
        let ValueKind::Table(table) = &self.layers.tree.kind else { return Vec::new() };
        let Some(named) = table.get(section.name) else { return Vec::new() };
        sorted(named).into_iter().map(|(name, _)| name).filter(fine).map(str::to_owned).collect()
    }

    pub(super) fn part(&mut self, section: &'static Section, instance: Option<&str>) -> Part<'_, 's> {
        let path = instance.map_or_else(|| section.name.to_owned(), |name| format!("{}.{name}", section.name));
        Part { reader: self, section, path, kind: None }
    }
}

impl Part<'_, '_> {
    fn declared(&self, name: &str) -> &'static Key {
        self.section.keys.iter().find(|key| key.name == name).expect("every setting that is read is declared")
    }

    fn said(&self, name: &str) -> Option<Value> {
        let mut at = &self.reader.layers.tree;
        for step in self.path.split('.').chain(name.split('.')) {
            let ValueKind::Table(table) = &at.kind else { return None };
            at = table.get(step)?;
        }
        Some(at.clone())
    }

    /// Whether anything of a table within the section was said.
    pub(super) fn has(&self, name: &str) -> bool {
        self.said(name).is_some()
    }

    /// Where a setting was said, or else its section.
    fn place(&self, name: &str) -> Option<String> {
        let said = self.said(name).and_then(|value| value.origin().map(str::to_owned));
        let places = &self.reader.layers.places;
        said.or_else(|| places.get(&format!("{}.{name}", self.path)).cloned())
            .or_else(|| places.get(&self.path).cloned())
    }

    /// Complains of a setting.
    pub(super) fn wrong(&mut self, name: &str, what: impl Into<String>, remedy: impl Into<String>) {
        let problem = Problem {
            place: self.place(name),
            key: format!("{}.{name}", self.path),
            what: what.into(),
            remedy: Some(remedy.into()),
        };
        self.reader.problems.push(problem);
    }

    /// The kind of a source decides which settings it has.
    pub(super) fn kind(&mut self) -> String {
        let kind = self.text("kind");
        self.kind = Some(kind.clone());
        for key in self.section.keys {
            let foreign =
                !key.kinds.is_empty() && !key.kinds.contains(&kind.as_str()) && KINDS.contains(&kind.as_str());
            if foreign && self.has(key.name) {
                let kinds = key.kinds.join(" or ");
                self.wrong(
                    key.name,
                    format!("a {kind} source has no `{}`", key.name),
                    format!("take it out, or write kind = \"{kinds}\""),
                );
            }
        }
        kind
    }

    /// What was said, or holds by default, in the shape that was declared.
    fn value(&mut self, name: &str) -> Option<toml::Value> {
        let key = self.declared(name);
        let (value, from) = match self.said(name) {
            Some(said) => {
                let from = self.place(name).unwrap_or_default();
                match shaped(key.shape, &said) {
                    Ok(value) => (value, from),
                    Err((what, remedy)) => {
                        self.wrong(name, what, remedy);
                        return None;
                    }
                }
            }
            None => match key.absent {
                Absent::Is(text) => (literal(text), "default".to_owned()),
                Absent::Nothing(_) => return None,
                Absent::Refused(sample) => {
                    self.wrong(name, "must be said", format!("for example: {name} = {sample}"));
                    return None;
                }
            },
        };
        let shown = InForce {
            section: head(self.section, self.path.split_once('.').map_or("", |(_, name)| name)),
            path: format!("{}.{name}", self.path),
            key: name.to_owned(),
            value: value.clone(),
            from,
        };
        self.reader.shown.push(shown);
        Some(value)
    }

    /// Says in words of its own how a value is shown.
    pub(super) fn show_as(&mut self, name: &str, value: toml::Value) {
        let path = format!("{}.{name}", self.path);
        if let Some(shown) = self.reader.shown.iter_mut().rev().find(|shown| shown.path == path) {
            shown.value = value;
        }
    }

    pub(super) fn maybe_text(&mut self, name: &str) -> Option<String> {
        self.value(name).and_then(|value| value.as_str().map(str::to_owned))
    }

    pub(super) fn text(&mut self, name: &str) -> String {
        self.maybe_text(name).unwrap_or_default()
    }

    pub(super) fn maybe_path(&mut self, name: &str) -> Option<PathBuf> {
        self.maybe_text(name).map(|text| self.reader.base.join(text))
    }

    pub(super) fn list(&mut self, name: &str) -> Vec<String> {
        let value = self.value(name);
        let list = value.as_ref().and_then(toml::Value::as_array);
        list.map(|list| list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()).unwrap_or_default()
    }

    pub(super) fn paths(&mut self, name: &str) -> Vec<PathBuf> {
        self.list(name).iter().map(|text| self.reader.base.join(text)).collect()
    }

    /// Against the folder of the settings file.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.reader.base.join(path)
    }

    pub(super) fn yes(&mut self, name: &str) -> bool {
        self.value(name).and_then(|value| value.as_bool()).unwrap_or_default()
    }

    pub(super) fn whole(&mut self, name: &str) -> i64 {
        self.value(name).and_then(|value| value.as_integer()).unwrap_or_default()
    }

    pub(super) fn maybe_whole(&mut self, name: &str) -> Option<i64> {
        self.value(name).and_then(|value| value.as_integer())
    }

    /// Milliseconds; None: `none`, not said, or wrong.
    pub(super) fn maybe_length(&mut self, name: &str) -> Option<i64> {
        self.maybe_text(name).and_then(|text| units::length(&text).ok())
    }

    pub(super) fn maybe_rate(&mut self, name: &str) -> Option<(u64, i64)> {
        units::rate(&self.maybe_text(name)?).ok()
    }

    pub(super) fn length(&mut self, name: &str) -> i64 {
        self.maybe_length(name).unwrap_or_default()
    }

    pub(super) fn size(&mut self, name: &str) -> u64 {
        self.maybe_text(name).and_then(|text| units::size(&text).ok()).unwrap_or_default()
    }

    pub(super) fn open(&mut self, name: &str) -> Vec<(String, String)> {
        let value = self.value(name);
        let table = value.as_ref().and_then(toml::Value::as_table);
        let pair = |(key, value): (&String, &toml::Value)| (key.clone(), value.as_str().unwrap_or_default().to_owned());
        table.map(|table| table.iter().map(pair).collect()).unwrap_or_default()
    }

    /// A file that must be there and be readable.
    pub(super) fn file(&mut self, name: &str) -> Option<PathBuf> {
        let path = self.maybe_path(name)?;
        if let Err(error) = std::fs::File::open(&path) {
            self.wrong(name, format!("{}: {error}", path.display()), "check the path, and that Onus may read the file");
        }
        Some(path)
    }
}

/// How a section begins in TOML.
pub(super) fn head(section: &Section, name: &str) -> String {
    match section.form {
        Form::Once => format!("[{}]", section.name),
        Form::Named => format!("[{}.{name}]", section.name),
        Form::Listed => format!("[[{}]]", section.name),
    }
}

/// A declared default or sample.
pub(super) fn literal(text: &str) -> toml::Value {
    let table: toml::Table = toml::from_str(&format!("it = {text}")).expect("what is declared is TOML");
    table["it"].clone()
}

fn name_is_fine(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn sorted(value: &Value) -> Vec<(&str, &Value)> {
    let ValueKind::Table(table) = &value.kind else { return Vec::new() };
    let mut all: Vec<(&str, &Value)> = table.iter().map(|(name, value)| (name.as_str(), value)).collect();
    all.sort_by_key(|(name, _)| *name);
    all
}
