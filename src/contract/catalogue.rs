//! Catalogues as people write them, read as strictly as contracts: all problems of all files at once, and with one problem
//! no catalogue.

use super::code::Code;
use super::fields::{self, Fields};
use super::keys::catalogue::{CATALOGUE, IDENTITY};
use super::problem::Problem;
use super::report::{At, Report, quote};
use super::yaml::{self, Node};
use super::{finish, load};
use crate::catalogue::{Catalogue, Identity};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Longest native name: that of a subject.
const LONGEST: usize = 1024;

/// Reads catalogues from files, and from folders every `*.yaml` and `*.yml` below them, into one.
///
/// # Errors
/// Everything that is wrong with any of them, and between them.
pub fn catalogue(paths: &[PathBuf]) -> Result<Catalogue, Vec<Problem>> {
    let (files, mut problems) = load::files(paths);
    let mut seen = Seen::default();
    let mut identities = Vec::new();
    for path in files {
        let file = path.display().to_string();
        match load::read(&path) {
            Ok(text) => match one(&text, &file, &mut seen) {
                Ok(read) => identities.extend(read),
                Err(found) => problems.extend(found),
            },
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(Catalogue::new(identities)) } else { Err(problems) }
}

/// Reads one catalogue from its text; `origin` is how problems name it.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn catalogue_text(text: &str, origin: &str) -> Result<Catalogue, Vec<Problem>> {
    one(text, origin, &mut Seen::default()).map(Catalogue::new)
}

/// Whether a file is a catalogue.
pub(super) fn is_catalogue(root: &Node) -> bool {
    root.get("catalogue").is_some() && root.get("contract").is_none()
}

/// What is wrong with a file that has been taken apart already.
pub(super) fn linted(root: Option<&Node>, mut report: Report<'_>, seen: &mut Seen) -> Vec<Problem> {
    let read = root.and_then(|root| whole(root, seen, &mut report));
    finish(read, report).err().unwrap_or_default()
}

fn one(text: &str, origin: &str, seen: &mut Seen) -> Result<Vec<Identity>, Vec<Problem>> {
    let mut report = Report::new(origin, text);
    let root = yaml::tree(text, &mut report);
    let read = root.and_then(|root| whole(&root, seen, &mut report));
    finish(read, report)
}

/// Every id and native name that was read, of all files: where, and of which identity.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<String, (String, u32, String)>);

impl Seen {
    /// Whether a name is there for the first time; if not, it is reported.
    fn first(&mut self, name: &str, id: &str, at: At, report: &mut Report<'_>) -> bool {
        let here = (report.file(at).to_owned(), at.line, id.to_owned());
        let Some((file, line, whose)) = self.0.get(name) else {
            self.0.insert(name.to_owned(), here);
            return true;
        };
        let place = if *file == here.0 { format!("line {line}") } else { format!("{file}, line {line}") };
        let message = format!("{} stands for {} already ({place})", quote(name), quote(whose));
        let hint = "a name stands for one identity; take it out of the other, or make one identity of both";
        report.hinted(Code::DuplicateName, at, message, hint);
        false
    }
}

fn whole(root: &Node, seen: &mut Seen, report: &mut Report<'_>) -> Option<Vec<Identity>> {
    let fields = Fields::of(root, &CATALOGUE, report)?;
    let name = fields.need("catalogue", report).and_then(|node| fields::name(node, "a catalogue's name", report));
    let says = fields::optional(fields.get("says").map(|node| fields::text(node, "`says`", report)));
    let identities = fields.need("identities", report).and_then(|node| fields::list(node, "`identities`", report));
    let identities = identities.and_then(|items| fields::every(items, |item| identity(item, seen, report)));
    name.and(says).and(identities)
}

fn identity(node: &Node, seen: &mut Seen, report: &mut Report<'_>) -> Option<Identity> {
    let fields = Fields::of(node, &IDENTITY, report)?;
    let id = fields.need("id", report).and_then(|node| {
        let id = fields::name(node, "an identity's id", report)?;
        seen.first(&id, &id, node.at, report).then_some(id)
    });
    let own = id.as_deref().unwrap_or("this identity").to_owned();
    let names = fields::optional(fields.get("names").map(|node| {
        let items = fields::one_or_more(node, "`names`", report)?;
        fields::every(items, |item| {
            let name = native(item, report)?;
            seen.first(&name, &own, item.at, report).then_some(name)
        })
    }));
    let mut named =
        |key: &str, what: &str| fields::optional(fields.get(key).map(|node| fields::name(node, what, report)));
    let (partner, kind) = (named("partner", "a partner"), named("kind", "a kind"));
    let owner = fields::optional(fields.get("owner").map(|node| fields::text(node, "`owner`", report)));
    const TRUTH: &[(&str, bool)] = &[("true", true), ("false", false)];
    let privileged =
        fields::optional(fields.get("privileged").map(|node| fields::word(node, "`privileged`", TRUTH, report)));
    let says = fields::optional(fields.get("says").map(|node| fields::text(node, "`says`", report)));
    says?;
    Some(Identity {
        id: id?,
        kind: kind?,
        owner: owner?.map(str::to_owned),
        privileged: privileged?,
        partner: partner?,
        names: names?.unwrap_or_default(),
    })
}

/// What a subject may be called.
fn native(node: &Node, report: &mut Report<'_>) -> Option<String> {
    let name = fields::text(node, "a native name", report)?;
    if name.len() > LONGEST {
        let message = format!("a native name of {} bytes", name.len());
        report.hinted(Code::BadName, node.at, message, "no subject is longer than 1,024 bytes");
        return None;
    }
    if name.contains('*') && !name.starts_with("arn:") {
        let message = format!("{} looks like a pattern", quote(name));
        let hint = "names are taken letter for letter: write each; a contract's `scope` takes patterns";
        report.hinted(Code::BadName, node.at, message, hint);
        return None;
    }
    Some(name.to_owned())
}
