//! Collects the problems of one contract, with the source lines they point into: those of its file and of the files
//! that it includes.

use super::code::{Code, Level};
use super::hidden::is_hidden;
use super::problem::{Excerpt, Problem};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A place in a file: line and column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    /// Which of the report's files: 0 is the contract's own, the others are included.
    pub(crate) file: u16,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl At {
    /// Where the contract's own file begins: for problems of the file as a whole.
    pub(crate) const TOP: At = At { file: 0, line: 1, column: 1 };
}

/// One file, as problems show it.
struct Page<'t> {
    file: String,
    lines: Vec<Cow<'t, str>>,
}

/// What to do about a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// In words.
    Say(String),
    /// This was meant.
    Meant(String),
}

impl Hint {
    /// What to write in the place of the wrong piece, and the hint for people.
    fn told(self) -> (Option<String>, String) {
        match self {
            Hint::Say(text) => (None, text),
            Hint::Meant(word) => {
                let text = format!("did you mean `{word}`?");
                (Some(word), text)
            }
        }
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Hint {
        Hint::Say(text.to_owned())
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Hint {
        Hint::Say(text)
    }
}

/// The problems found so far in one contract.
pub(crate) struct Report<'t> {
    /// The contract's own file, then the included ones in the order in which they were read.
    pages: Vec<Page<'t>>,
    /// Where each scalar begins and ends, in the order of the files: how far a problem's place reaches.
    scalars: Vec<(At, At)>,
    obligation: Option<String>,
    clause: Option<String>,
    found: Vec<(At, Problem)>,
    /// Found beyond [`MOST`], and counted only.
    beyond: usize,
    /// Where an alias, an anchor or a tag stands. What stands behind it is not read as it was meant: more of that place
    /// only follows from it.
    opaque: BTreeSet<At>,
    aliases: Aliases,
}

/// Anchors and aliases: of many, the first few are told, and the others counted.
#[derive(Default)]
struct Aliases {
    found: usize,
    /// The first that is not told by itself.
    next: Option<At>,
}

/// Most problems of one file that are told: nobody reads on, and a file of noise must not take minutes to refuse.
const MOST: usize = 500;

/// Most anchors and aliases that are told one by one: a small file can hold thousands, all for one reason.
const ALIASES: usize = 3;

/// Longest excerpt shown; a contract in one line of JSON is cut around the place.
const EXCERPT: usize = 120;

/// Longest text that is compared or quoted whole in a message.
const QUOTED: usize = 60;

impl<'t> Report<'t> {
    pub(crate) fn new(file: &str, text: &'t str) -> Report<'t> {
        Report {
            pages: vec![Page { file: file.to_owned(), lines: lines(text).map(Cow::Borrowed).collect() }],
            scalars: Vec::new(),
            obligation: None,
            clause: None,
            found: Vec::new(),
            beyond: 0,
            opaque: BTreeSet::new(),
            aliases: Aliases::default(),
        }
    }

    /// From here on, what is parsed is an included file.
    pub(crate) fn turn(&mut self, file: &str, text: &str) {
        let lines = lines(text).map(|line| Cow::Owned(line.to_owned())).collect();
        self.pages.push(Page { file: file.to_owned(), lines });
    }

    /// Where the file begins that was turned to last.
    pub(crate) fn top(&self) -> At {
        At { file: u16::try_from(self.pages.len() - 1).unwrap_or(u16::MAX), ..At::TOP }
    }

    /// The name of the file that a place is in.
    pub(crate) fn file(&self, at: At) -> &str {
        self.pages.get(usize::from(at.file)).map_or("", |page| &page.file)
    }

    /// One name at two places: told where the contract's author can mend it, naming the other.
    pub(crate) fn twice(&mut self, what: &str, name: &str, first: At, second: At, hint: &str) {
        let (at, other) = if first.file == 0 && second.file != 0 { (first, second) } else { (second, first) };
        let place = if at.file == other.file {
            format!("on line {}", other.line)
        } else {
            format!("in {}, line {}", self.file(other), other.line)
        };
        let message = format!("two {what} are named {}: the other stands {place}", quote(name));
        self.hinted(Code::DuplicateName, at, message, hint);
    }

    /// Problems from here on are within this obligation; None: outside any.
    pub(crate) fn within(&mut self, obligation: Option<String>, clause: Option<String>) {
        // Each problem carries them: a clause as long as the file would make the report its square.
        self.obligation = obligation.map(|id| short(&id));
        self.clause = clause.map(|clause| short(&clause));
    }

    /// Notes a scalar as it is read: a problem that begins there reaches to its end.
    pub(crate) fn scalar(&mut self, from: At, to: At) {
        self.scalars.push((from, to));
    }

    pub(crate) fn error(&mut self, code: Code, at: At, message: impl Into<String>) {
        self.push(code, at, message.into(), None);
    }

    pub(crate) fn hinted(&mut self, code: Code, at: At, message: impl Into<String>, hint: impl Into<Hint>) {
        self.push(code, at, message.into(), Some(hint.into()));
    }

    /// An error whose hint is the nearest of the possible words, else all of them when they are few.
    pub(crate) fn misnamed<'c>(
        &mut self,
        code: Code,
        at: At,
        message: impl Into<String>,
        word: &str,
        possible: impl IntoIterator<Item = &'c str>,
    ) {
        // The search for the nearest is the dear part.
        let possible: Vec<&str> = if self.is_full() { Vec::new() } else { possible.into_iter().collect() };
        let hint = match nearest(word, possible.iter().copied()) {
            Some(near) => Some(Hint::Meant(near.to_owned())),
            None if possible.is_empty() => None,
            None if possible.len() <= 12 => Some(Hint::Say(format!("possible here: {}", possible.join(", ")))),
            None => None,
        };
        self.push(code, at, message.into(), hint);
    }

    /// Part of the language whose absence would change a standing: refused rather than ignored.
    pub(crate) fn unsupported(&mut self, at: At, what: impl AsRef<str>) {
        let hint =
            "leaving it out would change what is owed, so the contract is not loaded; say it otherwise or keep it out";
        self.unsupported_but(at, what, hint);
    }

    /// The same, where it can be said otherwise.
    pub(crate) fn unsupported_but(&mut self, at: At, what: impl AsRef<str>, hint: &str) {
        let message = format!("not supported yet: {}", what.as_ref());
        self.push(Code::Unsupported, at, message, Some(hint.into()));
    }

    /// No errors; there may be warnings.
    pub(crate) fn is_clean(&self) -> bool {
        self.found.iter().all(|(_, problem)| problem.level() == Level::Warning)
    }

    fn is_full(&self) -> bool {
        self.found.len() >= MOST
    }

    pub(crate) fn finish(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|(at, _)| *at);
        // Two readers may look at one node (a default applied to many obligations): once is enough.
        self.found.dedup();
        if let Some(at) = self.aliases.next {
            let message = format!("and {} more anchors and aliases", thousands(self.aliases.found - ALIASES));
            let more = self.problem(Code::Alias, at, message, None);
            let after = self.found.partition_point(|(place, _)| *place <= at);
            self.found.insert(after, (at, more));
        }
        if self.beyond > 0 {
            let last = self.found.last().map_or(At::TOP, |(at, _)| *at);
            // Warnings are looked for only where there are no errors: what is beyond is all of one kind.
            let (code, what) =
                if self.is_clean() { (Code::MoreWarnings, "warnings") } else { (Code::TooMany, "problems") };
            let message = format!("{} more {what}, not shown", std::mem::take(&mut self.beyond));
            let shown = self.problem(code, last, message, None);
            self.found.push((last, shown));
        }
        self.found.into_iter().map(|(_, problem)| problem).collect()
    }

    fn push(&mut self, code: Code, at: At, message: String, hint: Option<Hint>) {
        if matches!(code, Code::Alias | Code::Tag) {
            self.opaque.insert(at);
        } else if self.opaque.contains(&at) {
            return;
        }
        if code == Code::Alias {
            self.aliases.found += 1;
            if self.aliases.found > ALIASES {
                self.aliases.next.get_or_insert(at);
                return;
            }
        }
        if self.is_full() {
            self.beyond += 1;
        } else {
            let problem = self.problem(code, at, message, hint);
            self.found.push((at, problem));
        }
    }

    fn problem(&self, code: Code, at: At, message: String, hint: Option<Hint>) -> Problem {
        let (nearest, hint) = match hint.map(Hint::told) {
            Some((nearest, hint)) => (nearest, Some(hint)),
            None => (None, None),
        };
        let end = self.end(at);
        Problem {
            code,
            file: self.file(at).to_owned(),
            line: at.line,
            column: at.column,
            end_column: end,
            excerpt: self.excerpt(at, end),
            obligation: self.obligation.clone(),
            clause: self.clause.clone(),
            message,
            nearest,
            hint,
        }
    }

    /// The line that a place is in.
    fn line(&self, at: At) -> Option<&str> {
        let page = self.pages.get(usize::from(at.file))?;
        page.lines.get((at.line as usize).checked_sub(1)?).map(AsRef::as_ref)
    }

    /// The character at a place.
    pub(crate) fn char_at(&self, at: At) -> Option<char> {
        self.line(at)?.chars().nth((at.column as usize).checked_sub(1)?)
    }

    /// The first tab in a line's indentation, from a line on.
    pub(crate) fn tab_from(&self, at: At) -> Option<At> {
        let lines = &self.pages.get(usize::from(at.file))?.lines;
        (at.line..).zip(lines.iter().skip((at.line as usize).saturating_sub(1))).find_map(|(line, text)| {
            let column = text.chars().take_while(|c| c.is_whitespace()).position(|c| c == '\t')?;
            Some(At { line, column: u32::try_from(column + 1).unwrap_or(u32::MAX), ..at })
        })
    }

    /// The first column after what begins here, on its line: of a scalar its end, of anything else one character.
    fn end(&self, at: At) -> u32 {
        let line = self.line(at).unwrap_or_default().trim_end();
        let rest = || line.chars().skip((at.column as usize).saturating_sub(1));
        let column =
            |width: usize| at.column.saturating_add(u32::try_from(width).unwrap_or(u32::MAX)).max(at.column + 1);
        let found = self.scalars.binary_search_by_key(&at, |(from, _)| *from).ok().map(|index| self.scalars[index].1);
        match (found, rest().next()) {
            (None, _) => column(1),
            // The parser's own end of a quoted text reaches over what follows it.
            (Some(_), Some(quote @ ('"' | '\''))) => column(quoted(rest(), quote)),
            (Some(end), _) if end.line == at.line => end.column.max(at.column + 1),
            (Some(_), _) => column(rest().count()),
        }
    }

    fn excerpt(&self, at: At, end: u32) -> Option<Excerpt> {
        let line = self.line(at)?;
        let place = (at.column as usize).saturating_sub(1);
        let first = if place > EXCERPT * 2 / 3 { place - EXCERPT / 2 } else { 0 };
        // What a terminal would obey, or nobody would see, is shown, not sent.
        let shown = |c: char| if is_hidden(c) { '\u{fffd}' } else { c };
        let text: String = line.chars().skip(first).take(EXCERPT).map(shown).collect();
        let text = text.trim_end();
        let shown = text.chars().count();
        let caret = (place - first).min(shown);
        let width = (end.saturating_sub(at.column) as usize).min(shown.saturating_sub(caret)).max(1);
        Some(Excerpt { text: text.to_owned(), caret, width })
    }
}

/// A count with a comma between thousands: `4,093`.
fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let comma = |at: usize| at > 0 && (digits.len() - at).is_multiple_of(3);
    digits.char_indices().flat_map(|(at, digit)| comma(at).then_some(',').into_iter().chain([digit])).collect()
}

/// How many characters a quoted text has with its quotes; to the end, if it goes on in the next line.
pub(crate) fn quoted(text: impl Iterator<Item = char>, quote: char) -> usize {
    let mut text = text.enumerate().skip(1).peekable();
    let mut width = 1;
    while let Some((index, c)) = text.next() {
        width = index + 1;
        let doubled = quote == '\'' && text.peek().is_some_and(|(_, next)| *next == quote);
        if c == quote && !doubled {
            break;
        }
        if doubled && c == quote || (quote == '"' && c == '\\') {
            text.next();
        }
    }
    width
}

/// Text fit for a message: no line ends, not too long.
pub(crate) fn quote(text: &str) -> String {
    format!("`{}`", short(text))
}

fn short(text: &str) -> String {
    let mut short: String =
        text.chars().take(QUOTED).map(|c| if c.is_control() || is_hidden(c) { ' ' } else { c }).collect();
    if text.chars().nth(QUOTED).is_some() {
        short.push('…');
    }
    short
}

/// The most similar of the possible words, if one is similar enough to be meant.
pub(crate) fn nearest<'c>(word: &str, possible: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > QUOTED {
        return None;
    }
    let lower = word.to_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    possible
        .into_iter()
        .map(|p| (strsim::damerau_levenshtein(&lower, &p.to_lowercase()), p))
        .filter(|(distance, p)| *distance <= allowed || is_stem(&lower, p))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, p)| p)
}

/// `reason` for `reasons`, `notification` for `incident-notification`.
fn is_stem(word: &str, whole: &str) -> bool {
    word.len() >= 4 && whole.contains(word)
}

/// Lines as YAML counts them: a lone carriage return ends one too.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\n', '\r']) else { return rest.take() };
        let width = if text[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = Some(&text[end + width..]);
        Some(&text[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_only_when_it_is_near() {
        assert_eq!(nearest("wihtin", ["when", "within", "where"]), Some("within"));
        assert_eq!(nearest("ticket.open", ["ticket.opened", "ticket.closed"]), Some("ticket.opened"));
        assert_eq!(nearest("banana", ["when", "within", "where"]), None);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = "x".repeat(1000);
        let report = Report::new("f", &text);
        let excerpt = report.excerpt(At { column: 501, ..At::TOP }, 502).expect("line 1 exists");
        assert_eq!((excerpt.text.len(), excerpt.caret), (EXCERPT, EXCERPT / 2));
    }

    #[test]
    fn a_quoted_text_ends_at_its_quote() {
        for (text, width) in [("'sq' # x", 4), ("'it''s' b", 7), (r#""a\"b" c"#, 6), ("\"open", 5), ("''", 2)] {
            assert_eq!(quoted(text.chars(), text.chars().next().expect("a quote")), width, "{text}");
        }
    }

    #[test]
    fn a_file_of_noise_is_refused_with_a_count() {
        let mut report = Report::new("f", "x");
        (0..MOST + 7).for_each(|n| report.error(Code::UnknownKey, At::TOP, n.to_string()));
        let all = report.finish();
        assert_eq!(all.len(), MOST + 1);
        assert_eq!(all[MOST].message, "7 more problems, not shown");
    }

    #[test]
    fn of_many_aliases_the_first_few_are_told_and_the_rest_counted() {
        let mut report = Report::new("f", "x");
        let at = |n: u32| At { line: n, ..At::TOP };
        for n in 1..=4_096 {
            report.error(Code::Alias, at(n), "an alias");
            report.error(Code::Empty, at(n), "what follows from it");
        }
        report.error(Code::MissingKey, at(5_000), "another matter");
        let all = report.finish();
        let told: Vec<(&str, u32)> = all.iter().map(|p| (p.message.as_str(), p.line)).collect();
        let more = "and 4,093 more anchors and aliases";
        assert_eq!(told[..3], [("an alias", 1), ("an alias", 2), ("an alias", 3)]);
        assert_eq!(told[3..], [(more, 4), ("another matter", 5_000)]);
        assert_eq!(["7", "400", "1,000", "12,345,678"], [7, 400, 1_000, 12_345_678].map(thousands));
    }

    #[test]
    fn lines_are_counted_as_yaml_counts_them() {
        assert_eq!(lines("a\r\nb\rc\nd").collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    }
}
