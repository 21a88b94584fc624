//! From Markdown to cases: headings, the clause, the day, the table.
//!
//! What stands before the first case holds for every case that does not say it itself. Tables of other things, prose,
//! comments and code of other languages are for people, and passed over; a table that looks like a case's and is not
//! one is refused.

use super::Fault;
use super::cells::{cells, is_rule, items};
use super::happening::{self, Happening};
use super::place::Place;
use super::saying::{self, Statement};
use crate::contract::TRUST;
use onus_engine::terms::Trust;
use onus_engine::time::Moment;
use std::ops::Range;
use std::path::PathBuf;

/// A clause file.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// As it was named.
    pub file: String,
    /// Its cases, in order.
    pub cases: Vec<Case>,
}

/// One claim with its contract and its table.
#[derive(Clone, Debug)]
pub struct Case {
    /// The claim.
    pub title: String,
    /// Where it begins, from 1.
    pub line: usize,
    /// One a version.
    pub clauses: Vec<Clause>,
    /// What its times mean.
    pub place: Place,
    /// How far sources are believed, by pattern; any other as the run says.
    pub trust: Vec<(String, Trust)>,
    /// What happened and what follows.
    pub rows: Vec<Row>,
    /// Points that the rules leave open and the case assumes.
    pub open_points: usize,
}

/// One contract of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clause {
    /// In the file itself.
    Inline {
        /// Line of its fence.
        line: usize,
        /// The contract.
        yaml: String,
    },
    /// In a file or folder of its own.
    Named {
        /// Line that names it.
        line: usize,
        /// Relative to the clause file.
        path: PathBuf,
    },
}

/// One line of a table.
#[derive(Clone, Debug)]
pub struct Row {
    /// Position in the file, from 1.
    pub line: usize,
    /// The clock as we hear of it.
    pub now: Moment,
    /// What arrives, in order of arrival.
    pub(super) arrivals: Vec<Arrival>,
    /// First cell, as written.
    pub when: String,
    /// Second cell, as written.
    pub happened: String,
    /// Last cell, as written.
    pub says: String,
    /// Bytes of the file that the last cell takes up.
    pub(super) cell: Range<usize>,
    /// The last cell, read.
    pub(super) claim: Claim,
}

/// What arrives.
#[derive(Clone, Debug)]
pub(super) enum Arrival {
    /// The clock moves on: the whole record.
    Tick(String),
    /// News.
    Event(Happening),
}

/// What the last cell claims.
#[derive(Clone, Debug)]
pub(super) enum Claim {
    /// `-`: nothing.
    Nothing,
    /// Empty or `?`: to be written.
    Unwritten,
    /// Every duty there is.
    All(Vec<Statement>),
}

const CLAUSE: &str = "give it a block of ```yaml with a contract, or a line `contract: PATH`";
const DAY: &str = "write a line like `Times are Europe/Amsterdam; the day is Monday 2 March 2026.` before the table";
const TABLE: &str = "a case's table has the head `| when | what happened | what Onus says |`";

/// Reads a clause file. All that is wrong with it is told; cases in which something is wrong are left out.
pub fn read(text: &str, file: &str) -> (Sheet, Vec<Fault>) {
    let mut reader = Reader {
        file,
        cases: Vec::new(),
        faults: Vec::new(),
        common: Draft::new("", 1),
        case: None,
        skip: Skip::Nothing,
        table: Table::None,
        tables: 0,
    };
    let mut from = 0;
    for (line, at) in text.split_inclusive('\n').zip(1..) {
        let plain = line.trim_end_matches(['\n', '\r']);
        let bare = if at == 1 { plain.trim_start_matches('\u{feff}') } else { plain };
        reader.line(bare, at, from + (plain.len() - bare.len()));
        from += line.len();
    }
    reader.finish();
    let Reader { cases, faults, .. } = reader;
    (Sheet { file: file.to_owned(), cases }, faults)
}

struct Reader<'t> {
    file: &'t str,
    cases: Vec<Case>,
    faults: Vec<Fault>,
    /// What holds for every case.
    common: Draft,
    case: Option<Draft>,
    skip: Skip,
    table: Table,
    /// Tables of cases so far: rows of two tables of a case have ids of their own by their lines.
    tables: usize,
}

/// Inside what we are.
enum Skip {
    Nothing,
    Comment,
    Fence { mark: String, yaml: Option<String>, line: usize, indent: usize },
}

#[derive(Clone, Copy, PartialEq)]
enum Table {
    None,
    /// Its head was read, the line under it was not.
    Head,
    Rows,
    /// For people.
    Other,
}

struct Draft {
    title: String,
    line: usize,
    clauses: Vec<Clause>,
    place: Option<Place>,
    trust: Vec<(String, Trust)>,
    rows: Vec<Row>,
    has_table: bool,
    open_points: usize,
    faulty: bool,
}

impl Draft {
    fn new(title: &str, line: usize) -> Draft {
        Draft {
            title: title.to_owned(),
            line,
            clauses: Vec::new(),
            place: None,
            trust: Vec::new(),
            rows: Vec::new(),
            has_table: false,
            open_points: 0,
            faulty: false,
        }
    }
}

impl Reader<'_> {
    fn fault(&mut self, line: usize, what: impl Into<String>, hint: impl Into<String>) {
        self.draft().faulty = true;
        self.faults.push(Fault::new(self.file, line, what, hint));
    }

    /// The case, or what holds for all of them.
    fn draft(&mut self) -> &mut Draft {
        self.case.as_mut().unwrap_or(&mut self.common)
    }

    /// `from`: where the line begins in the file.
    fn line(&mut self, line: &str, at: usize, from: usize) {
        match &mut self.skip {
            Skip::Comment => {
                if line.contains("-->") {
                    self.skip = Skip::Nothing;
                }
                return;
            }
            Skip::Fence { mark, yaml, indent, .. } => {
                let text = line.trim();
                let closes = text.len() >= mark.len() && text.chars().all(|c| mark.starts_with(c));
                if !closes {
                    if let Some(yaml) = yaml {
                        let blanks = line.len() - line.trim_start_matches(' ').len();
                        yaml.push_str(&line[blanks.min(*indent)..]);
                        yaml.push('\n');
                    }
                    return;
                }
                if let Skip::Fence { yaml: Some(yaml), line, .. } = std::mem::replace(&mut self.skip, Skip::Nothing) {
                    self.draft().clauses.push(Clause::Inline { line, yaml });
                }
                return;
            }
            Skip::Nothing => {}
        }
        let text = line.trim_start();
        if text.starts_with('|') {
            self.row(line, at, from);
            return;
        }
        if self.table == Table::Head {
            self.fault(
                at,
                "the line `|---|---|---|` is missing under the head of this table",
                "without it, it is no table",
            );
        }
        self.table = Table::None;
        if let Some(mark) = fence(text) {
            let info = text[mark.len()..].split_whitespace().next().unwrap_or_default();
            let yaml = matches!(info, "yaml" | "yml").then(String::new);
            self.skip = Skip::Fence { mark: mark.to_owned(), yaml, line: at, indent: line.len() - text.len() };
        } else if text.starts_with("<!--") {
            if text.starts_with("<!-- open:") {
                self.draft().open_points += 1;
            }
            if !text.contains("-->") {
                self.skip = Skip::Comment;
            }
        } else if let Some(title) = line.strip_prefix("## ") {
            self.close();
            self.case = Some(Draft::new(title.trim().trim_end_matches('#').trim_end(), at));
        } else if text.starts_with("Times are ") {
            match Place::read(text) {
                Ok(place) if self.draft().place.is_none() => self.draft().place = Some(place),
                Ok(_) => {
                    self.fault(at, "the day of this case is given twice", "a case has one day; keep one of the lines")
                }
                Err(why) => self.fault(at, why, ""),
            }
        } else if let Some(list) = text.strip_prefix("Sources are trusted so: ") {
            match trusted(list) {
                Ok(trust) => self.draft().trust.extend(trust),
                Err(why) => self.fault(at, why, "write `Sources are trusted so: urn:desk asserted, urn:vault system.`"),
            }
        } else if let Some(path) = text.strip_prefix("contract:") {
            match named(path) {
                Some(path) => self.draft().clauses.push(Clause::Named { line: at, path: path.into() }),
                None => self.fault(at, "`contract:` names no file", "write `contract: ../contracts/acme.yaml`"),
            }
        }
    }

    fn row(&mut self, line: &str, at: usize, from: usize) {
        let places = cells(line);
        let texts: Vec<&str> = places.iter().map(|cell| &line[cell.clone()]).collect();
        match self.table {
            Table::Other => {}
            Table::None => {
                self.table = match heading(&texts) {
                    Heading::Case => Table::Head,
                    Heading::Other => Table::Other,
                    Heading::Nearly => {
                        self.fault(at, "this looks like the table of a case, and its head is another", TABLE);
                        Table::Other
                    }
                };
                if self.table == Table::Head && self.case.is_none() {
                    self.fault(at, "a table before the first case", "a case begins with a heading: `## The claim`");
                    self.table = Table::Other;
                }
                if self.table == Table::Head {
                    self.tables += 1;
                    self.draft().has_table = true;
                }
            }
            Table::Head if is_rule(line) => self.table = Table::Rows,
            Table::Head => {
                self.fault(at, "the line `|---|---|---|` is missing under the head of this table", "write it here");
                self.table = Table::Other;
            }
            Table::Rows => match self.read_row(&places, &texts, at, from) {
                Ok(row) => self.draft().rows.push(row),
                Err((what, hint)) => self.fault(at, what, hint),
            },
        }
    }

    fn read_row(
        &mut self,
        places: &[Range<usize>],
        texts: &[&str],
        at: usize,
        from: usize,
    ) -> Result<Row, (String, String)> {
        let plain = |why: String| (why, String::new());
        let ([when, happened, says], [_, _, last]) = (texts, places) else {
            let hint = "when, what happened, what Onus says; write `\\|` for a `|` inside a cell";
            return Err((format!("a row has three cells, this one has {}", texts.len()), hint.to_owned()));
        };
        let common = self.common.place;
        let Some(place) = self.draft().place.or(common) else {
            // Said once, not of every row.
            self.table = Table::Other;
            return Err(("a row before its day is known".to_owned(), DAY.to_owned()));
        };
        let now = place.instant(when).map_err(plain)?;
        if let Some(before) = self.draft().rows.last().filter(|row| row.now > now) {
            let what = format!("{when} lies before the row above it, {}", before.when);
            return Err((
                what,
                "rows stand in the order in which we hear; news of earlier is `we learn: .. at TIME`".to_owned(),
            ));
        }
        let mut arrivals = Vec::new();
        for (item, n) in items(happened).into_iter().zip(0..) {
            let id = format!("{at:04}-{n}");
            if item == "nothing" {
                arrivals.push(Arrival::Tick(happening::tick(&id, now)));
                continue;
            }
            let news = item.strip_prefix("we learn: ");
            if news.is_some() {
                arrivals.push(Arrival::Tick(happening::tick(&format!("{id}-tick"), now)));
            }
            let event = happening::read(news.unwrap_or(item), &id, now, &place).map_err(plain)?;
            if event.at > now {
                let hint = "give the row a later time, or the event an earlier one";
                return Err((format!("`{item}` happens later than {when}, when we hear of it"), hint.to_owned()));
            }
            arrivals.push(Arrival::Event(event));
        }
        let claim = match *says {
            "-" => Claim::Nothing,
            "" | "?" => Claim::Unwritten,
            "nothing is owed" => Claim::All(Vec::new()),
            says => Claim::All(saying::parse(says, &place)?),
        };
        let [when, happened, says] = [when, happened, says].map(|text| (*text).to_owned());
        Ok(Row { line: at, now, arrivals, when, happened, says, cell: from + last.start..from + last.end, claim })
    }

    /// The case, if it is one, is whole.
    fn close(&mut self) {
        let Some(case) = self.case.take() else { return };
        let Draft { title, line, mut clauses, place, mut trust, rows, has_table, open_points, faulty } = case;
        if clauses.is_empty() && place.is_none() && !has_table && open_points == 0 {
            // A heading with words under it.
            return;
        }
        if clauses.is_empty() {
            clauses.clone_from(&self.common.clauses);
        }
        // The first pattern that fits counts, so the case's own stand first.
        trust.extend_from_slice(&self.common.trust);
        let lacks = [
            (clauses.is_empty(), "no clause", CLAUSE),
            (place.or(self.common.place).is_none() && !faulty, "no day", DAY),
            (rows.is_empty() && !faulty, "no table with rows", TABLE),
        ];
        let mut whole = !faulty;
        for (_, what, hint) in lacks.iter().filter(|(lacks, _, _)| *lacks) {
            whole = false;
            self.faults.push(Fault::new(self.file, line, format!("the case \"{title}\" has {what}"), *hint));
        }
        if let (true, Some(place)) = (whole, place.or(self.common.place)) {
            self.cases.push(Case { title, line, clauses, place, trust, rows, open_points });
        }
    }

    fn finish(&mut self) {
        match std::mem::replace(&mut self.skip, Skip::Nothing) {
            Skip::Nothing => {}
            Skip::Comment => self.fault(1, "a comment `<!--` is never closed", "close it with `-->`"),
            Skip::Fence { line, mark, .. } => {
                self.fault(line, "the block that begins here is never closed", format!("close it with {mark}"));
            }
        }
        if self.table == Table::Head {
            let line = self.draft().line;
            self.fault(line, "a table of this case has a head and nothing under it", TABLE);
        }
        self.close();
        self.faults.sort_by_key(|fault| fault.line);
    }
}

/// The marks that open or close a block of code.
fn fence(text: &str) -> Option<&str> {
    let mark = ['`', '~'].into_iter().find(|c| text.starts_with(*c))?;
    let length = text.len() - text.trim_start_matches(mark).len();
    // ``` in the running text of a line opens nothing.
    (length >= 3 && !text[length..].contains('`')).then(|| &text[..length])
}

/// `urn:desk asserted, urn:vault system.`
fn trusted(text: &str) -> Result<Vec<(String, Trust)>, String> {
    let one = |part: &str| {
        let (source, level) = part.trim().rsplit_once(' ').ok_or_else(|| format!("`{part}` is no source and level"))?;
        let known = TRUST.iter().find(|(word, _)| *word == level);
        let (_, trust) = known.ok_or_else(|| {
            let words: Vec<&str> = TRUST.iter().map(|(word, _)| *word).collect();
            format!("`{level}` is no level of trust: {}", words.join(", "))
        })?;
        Ok((source.trim().to_owned(), *trust))
    };
    text.trim().trim_end_matches('.').split(',').map(one).collect()
}

/// A path, plain or as a Markdown link.
fn named(text: &str) -> Option<&str> {
    let text = text.trim().trim_matches('`');
    let path = match text.split_once("](") {
        Some((label, rest)) if label.starts_with('[') => rest.strip_suffix(')').unwrap_or(rest),
        _ => text,
    };
    (!path.is_empty()).then_some(path)
}

enum Heading {
    Case,
    Nearly,
    Other,
}

fn heading(cells: &[&str]) -> Heading {
    let lower: Vec<String> = cells.iter().map(|cell| cell.to_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    match lower[..] {
        ["when", "what happened", "what onus says"] => Heading::Case,
        _ if lower.contains(&"what onus says") || lower.contains(&"what happened") => Heading::Nearly,
        _ if lower.first() == Some(&"when") => Heading::Nearly,
        _ => Heading::Other,
    }
}

#[cfg(test)]
mod tests;
