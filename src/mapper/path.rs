//! Where something stands in a record: `vendor.name`, `approvals[0].by`, `labels["app.name"]`.

use std::fmt;

/// Deepest path; no record that is read nests deeper.
const DEEPEST: usize = 32;

/// The way to a value in a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    text: String,
    steps: Vec<Step>,
}

/// One step of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The member of that name.
    Key(String),
    /// The item at that place, from 0.
    Item(usize),
}

/// Why a text is no path, and what to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// Nothing before, between or behind dots.
    #[error("there is nothing before, between or after its dots")]
    Empty,
    /// A bracket that is not closed, or holds neither a number nor a quoted name.
    #[error("its brackets hold neither a number nor a name in quotes")]
    Bracket,
    /// Something stands behind a bracket that is neither a dot nor a bracket.
    #[error("after a bracket only a dot, another bracket or the end can stand")]
    AfterBracket,
    /// Too many steps.
    #[error("it has more than {DEEPEST} steps")]
    TooDeep,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Path, BadPath> {
        let (mut steps, mut rest) = (Vec::new(), text);
        loop {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            // A path may begin with a bracket: the record is a list, or its key has a dot.
            if end > 0 {
                steps.push(Step::Key(rest[..end].to_owned()));
            } else if !(steps.is_empty() && rest.starts_with('[')) {
                return Err(BadPath::Empty);
            }
            rest = &rest[end..];
            while let Some(inside) = rest.strip_prefix('[') {
                let (step, behind) = bracket(inside)?;
                steps.push(step);
                rest = behind;
            }
            if steps.len() > DEEPEST {
                return Err(BadPath::TooDeep);
            }
            rest = match rest.strip_prefix('.') {
                Some(rest) => rest,
                None if rest.is_empty() => return Ok(Path { text: text.to_owned(), steps }),
                None => return Err(BadPath::AfterBracket),
            };
            if rest.starts_with('[') {
                return Err(BadPath::Empty);
            }
        }
    }

    /// Its steps, from the record on.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

/// What stands in brackets, and what follows them.
fn bracket(inside: &str) -> Result<(Step, &str), BadPath> {
    if let Some(quoted) = inside.strip_prefix('"') {
        let (name, behind) = quoted.split_once("\"]").ok_or(BadPath::Bracket)?;
        return if name.is_empty() { Err(BadPath::Bracket) } else { Ok((Step::Key(name.to_owned()), behind)) };
    }
    let (number, behind) = inside.split_once(']').ok_or(BadPath::Bracket)?;
    let digits = !number.is_empty() && number.len() <= 6 && number.bytes().all(|b| b.is_ascii_digit());
    match number.parse() {
        Ok(number) if digits => Ok((Step::Item(number), behind)),
        _ => Err(BadPath::Bracket),
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Result<Vec<String>, BadPath> {
        let step = |step: &Step| match step {
            Step::Key(key) => format!("k:{key}"),
            Step::Item(n) => format!("i:{n}"),
        };
        Path::parse(text).map(|path| path.steps().iter().map(step).collect())
    }

    #[test]
    fn a_path_is_keys_with_dots_and_places_in_brackets() {
        let keys = |keys: &[&str]| Ok(keys.iter().map(|key| (*key).to_owned()).collect());
        assert_eq!(steps("number"), keys(&["k:number"]));
        assert_eq!(steps("a.b[0][12].c"), keys(&["k:a", "k:b", "i:0", "i:12", "k:c"]));
        assert_eq!(
            steps("labels[\"app.kubernetes.io/name\"].x"),
            keys(&["k:labels", "k:app.kubernetes.io/name", "k:x"])
        );
        assert_eq!(steps("[0].a"), keys(&["i:0", "k:a"]));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_no_path() {
        for text in ["", ".a", "a.", "a..b", "a.[0]"] {
            assert_eq!(steps(text), Err(BadPath::Empty), "{text}");
        }
        for text in ["a[", "a[]", "a[x]", "a[-1]", "a[\"\"]", "a[\"x]", "a[9999999]"] {
            assert_eq!(steps(text), Err(BadPath::Bracket), "{text}");
        }
        assert_eq!(steps("a[0]b"), Err(BadPath::AfterBracket));
        assert_eq!(steps(&"a.".repeat(40)), Err(BadPath::TooDeep));
    }
}
