//! What is wrong with a contract: where, what, and the remedy. All problems of a file are told at once.

use serde::{Serialize, Serializer};
use std::fmt;

/// One thing wrong in one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable: scripts may rely on it.
    pub code: Code,
    /// The file, as it was named to the loader.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// The source line, if there is one to show.
    pub excerpt: Option<Excerpt>,
    /// The obligation it is in, by id.
    pub obligation: Option<String>,
    /// The clause of that obligation.
    pub clause: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The line of the source that a problem points into; long lines are cut around the place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    /// The text.
    pub text: String,
    /// Characters before the place.
    pub caret: usize,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}: {}", self.file, self.line, self.column, self.code, self.message)?;
        match (&self.obligation, &self.clause) {
            (Some(id), Some(clause)) => write!(f, " (obligation {id}, clause {clause})")?,
            (Some(id), None) => write!(f, " (obligation {id})")?,
            (None, Some(clause)) => write!(f, " (clause {clause})")?,
            (None, None) => {}
        }
        if let Some(excerpt) = &self.excerpt {
            let number = self.line.to_string();
            write!(f, "\n{number:>5} | {}", excerpt.text)?;
            // Tabs are repeated so that the caret stands under its character whatever a tab's width is.
            let before: String =
                excerpt.text.chars().take(excerpt.caret).map(|c| if c == '\t' { c } else { ' ' }).collect();
            write!(f, "\n      | {before}^")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n      = {hint}")?;
        }
        Ok(())
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// What kind of problem it is. The hundreds group them: files and YAML, shape, values, names, sense, several files.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every code, with what it means, in order.
            pub const ALL: &[(Code, &str)] = &[$((Code::$name, concat!($($doc),+)),)+];

            /// The stable text, `E101`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$name => $text,)+
                }
            }
        }
    };
}

codes! {
    /// The file cannot be read.
    Unreadable = "E001",
    /// The file is not UTF-8.
    NotUtf8 = "E002",
    /// The file is over 1 MiB.
    TooLarge = "E003",
    /// A NUL or another control character.
    ControlCharacter = "E004",
    /// Not YAML.
    Syntax = "E005",
    /// One key twice in a map.
    DuplicateKey = "E006",
    /// An anchor or an alias.
    Alias = "E007",
    /// A merge key.
    MergeKey = "E008",
    /// A tag.
    Tag = "E009",
    /// More than one document in a file.
    SecondDocument = "E010",
    /// Nested deeper than 64.
    TooDeep = "E011",
    /// Nothing in the file.
    EmptyFile = "E012",
    /// A key that is no text.
    KeyNotText = "E013",
    /// More problems than are shown.
    TooMany = "E014",
    /// A key that means nothing here.
    UnknownKey = "E101",
    /// A key that must be there.
    MissingKey = "E102",
    /// Text where a map or a list belongs, or the other way round.
    WrongShape = "E103",
    /// Plain text that YAML reads as a number or truth value, where that would change it.
    MustQuote = "E104",
    /// An empty text, list or map.
    Empty = "E105",
    /// Not one of the words possible here.
    UnknownWord = "E107",
    /// A name with characters that names cannot have.
    BadName = "E108",
    /// A length or limit that cannot be read, or that is of a kind that cannot stand here.
    BadLength = "E201",
    /// An event type that is neither built in nor declared.
    UnknownEvent = "E202",
    /// No instant with an offset.
    BadInstant = "E203",
    /// A date that cannot be read or does not exist.
    BadDate = "E204",
    /// No time zone of the IANA table.
    UnknownZone = "E205",
    /// A bad percentage.
    BadPercent = "E206",
    /// A bad time of day, window or weekday.
    BadTime = "E207",
    /// Neither a side nor a role of one.
    BadParty = "E208",
    /// No number.
    BadNumber = "E209",
    /// A test of a field that cannot be read.
    BadTest = "E210",
    /// No calendar of that name.
    NoCalendar = "E301",
    /// No control of that name.
    NoControl = "E302",
    /// No obligation of that id.
    NoObligation = "E303",
    /// No value of that name.
    NoValue = "E304",
    /// No holiday set of that name.
    NoHolidays = "E305",
    /// No escalation ladder of that name.
    NoLadder = "E306",
    /// No role of that name, though the contract lists its roles.
    NoRole = "E307",
    /// One name twice.
    DuplicateName = "E308",
    /// Obligations that wait for each other.
    ObligationCycle = "E309",
    /// Calendars that are made of each other.
    CalendarCycle = "E310",
    /// Business time with no calendar in force.
    NoBusiness = "E311",
    /// None, or more than one, of the three sentences.
    NoSentence = "E401",
    /// A key that this sentence cannot have.
    WrongSentence = "E402",
    /// Rows that are not as deep as `depends-on` is long.
    TableDepth = "E403",
    /// A table without a row for a value of the contract.
    NoRow = "E404",
    /// An end that does not come after its beginning.
    EndsFirst = "E405",
    /// A calendar without a zone.
    NoZone = "E406",
    /// A `should` that is not shorter than its `must`.
    ShouldNotShorter = "E407",
    /// Date rows out of order.
    DateOrder = "E408",
    /// A waiver that the wrong party grants.
    WaiverParty = "E409",
    /// A selector that names no event, or says it in two ways.
    SelectorHead = "E410",
    /// A filter that cannot stand here.
    WrongFilter = "E411",
    /// One version of one contract twice.
    DuplicateVersion = "E501",
    /// A directory without contracts.
    NoContracts = "E502",
    /// Part of the language, but not supported yet where ignoring it would change a standing.
    Unsupported = "E900",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_place_and_its_remedy() {
        let problem = Problem {
            code: Code::UnknownKey,
            file: "w1.yaml".into(),
            line: 12,
            column: 5,
            excerpt: Some(Excerpt { text: "    wihtin: 4h".into(), caret: 4 }),
            obligation: Some("S1".into()),
            clause: Some("4.1".into()),
            message: "unknown key `wihtin`".into(),
            hint: Some("did you mean `within`?".into()),
        };
        let want = "w1.yaml:12:5: E101: unknown key `wihtin` (obligation S1, clause 4.1)\n   12 |     wihtin: 4h\n      |     ^\n      = did you mean `within`?";
        assert_eq!(problem.to_string(), want);
    }

    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(Code::ALL.windows(2).all(|w| w[0].0.as_str() < w[1].0.as_str()));
    }
}
