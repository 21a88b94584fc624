//! What is wrong with a contract: where, what, and the remedy. All problems of a file are told at once.

use super::code::{Code, Level};
use serde::Serialize;
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
    /// Where the wrong piece ends on its line: the first column after it.
    pub end_column: u32,
    /// The source line, if there is one to show.
    pub excerpt: Option<Excerpt>,
    /// The obligation it is in, by id.
    pub obligation: Option<String>,
    /// The clause of that obligation.
    pub clause: Option<String>,
    /// What is wrong.
    pub message: String,
    /// The nearest right word, where one is near enough to be meant: what to put in the place of the wrong piece.
    pub nearest: Option<String>,
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
    /// Characters that the wrong piece is long; at least 1.
    pub width: usize,
}

impl Problem {
    /// Whether it stops the contract from being used.
    pub fn level(&self) -> Level {
        self.code.level()
    }

    /// The obligation and clause it is in, in brackets; empty where it is in none.
    pub fn context(&self) -> String {
        match (&self.obligation, &self.clause) {
            (Some(id), Some(clause)) => format!(" (obligation {id}, clause {clause})"),
            (Some(id), None) => format!(" (obligation {id})"),
            (None, Some(clause)) => format!(" (clause {clause})"),
            (None, None) => String::new(),
        }
    }
}

impl Excerpt {
    /// What stands under the text: blanks, then the mark. Tabs are repeated, so that the mark stands under its piece
    /// whatever a tab's width is.
    pub fn underline(&self) -> (String, String) {
        let before = self.text.chars().take(self.caret).map(|c| if c == '\t' { c } else { ' ' }).collect();
        (before, "^".repeat(self.width.max(1)))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}: {}", self.file, self.line, self.column, self.code, self.message)?;
        f.write_str(&self.context())?;
        if let Some(excerpt) = &self.excerpt {
            let (before, mark) = excerpt.underline();
            write!(f, "\n{:>5} | {}\n      | {before}{mark}", self.line, excerpt.text)?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n      = {hint}")?;
        }
        Ok(())
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
            end_column: 11,
            excerpt: Some(Excerpt { text: "    wihtin: 4h".into(), caret: 4, width: 6 }),
            obligation: Some("S1".into()),
            clause: Some("4.1".into()),
            message: "unknown key `wihtin`".into(),
            nearest: Some("within".into()),
            hint: Some("did you mean `within`?".into()),
        };
        let want = "w1.yaml:12:5: E101: unknown key `wihtin` (obligation S1, clause 4.1)\n   12 |     wihtin: 4h\n      |     ^^^^^^\n      = did you mean `within`?";
        assert_eq!(problem.to_string(), want);
    }
}
