//! What is wrong with the settings.

use std::fmt;

/// One thing that is wrong: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `onus.toml:12`, or an environment variable's name; None where nobody said anything.
    pub place: Option<String>,
    /// The setting, as `judge.settling`; empty where the file as a whole is meant.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n    {remedy}"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong, as far as it can be told at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", all(.0))]
pub struct SettingsError(pub Vec<Problem>);

fn all(problems: &[Problem]) -> String {
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let count = if problems.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", problems.len()) };
    format!("the settings cannot be used:\n\n{}\n\n{count}", texts.join("\n"))
}

/// The word that was probably meant.
pub(super) fn nearest<'a>(said: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let said = said.to_lowercase().replace('_', "-");
    known
        .map(|word| (strsim::damerau_levenshtein(&said, word), word))
        .min_by_key(|(away, _)| *away)
        .filter(|(away, word)| *away <= (word.len() / 3).max(2))
        .map(|(_, word)| word)
}
