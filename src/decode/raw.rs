//! What an event says, before it is placed: its attributes as texts, and the data fields that some contract names.

use super::DecodeError;
use onus_engine::book::Field;
use onus_engine::fact::FieldId;
use onus_engine::time::Moment;

/// The longest id, source, subject or partner name.
const LONGEST_NAME: usize = 1024;

/// The attributes that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    SpecVersion,
    Id,
    Source,
    Type,
    Time,
    Subject,
    Partner,
    RecordedTime,
    Sequence,
    FactKey,
    TimeQuality,
}

/// In the order of [`Name`].
const NAMES: [&str; 11] = [
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "subject",
    "partner",
    "recordedtime",
    "sequence",
    "factkey",
    "timequality",
];

impl Name {
    /// As it stands in the event.
    pub(super) fn text(self) -> &'static str {
        NAMES[self as usize]
    }
}

/// What an event says, before it is placed.
#[derive(Debug, Default)]
pub(super) struct Raw<'a> {
    /// By [`Name`].
    attributes: [Text<'a>; NAMES.len()],
    pub(super) data_seen: bool,
    /// Texts that were written with escapes.
    unescaped: Vec<String>,
    /// Data fields that some contract names; null, empty texts and empty lists are absent.
    pub(super) fields: Vec<(FieldId, Field<'a>)>,
}

/// A text attribute: nearly always as it stands in the line.
#[derive(Clone, Copy, Debug, Default)]
enum Text<'a> {
    #[default]
    Absent,
    Plain(&'a str),
    /// Position among the unescaped texts.
    Unescaped(usize),
}

impl<'a> Raw<'a> {
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.attributes = Default::default();
        self.data_seen = false;
        self.unescaped.clear();
        self.fields.clear();
    }

    pub(super) fn put(&mut self, name: Name, text: &'a str) {
        self.attributes[name as usize] = Text::Plain(text);
    }

    pub(super) fn put_unescaped(&mut self, name: Name, text: String) {
        self.unescaped.push(text);
        self.attributes[name as usize] = Text::Unescaped(self.unescaped.len() - 1);
    }

    pub(super) fn remove(&mut self, name: Name) {
        self.attributes[name as usize] = Text::Absent;
    }

    pub(super) fn has(&self, name: Name) -> bool {
        !matches!(self.attributes[name as usize], Text::Absent)
    }

    /// One that stands in the line as it is.
    #[cfg(feature = "kafka")]
    pub(super) fn plain(&self, name: Name) -> Option<&'a str> {
        match self.attributes[name as usize] {
            Text::Plain(text) => Some(text),
            Text::Absent | Text::Unescaped(_) => None,
        }
    }

    #[inline(always)]
    fn get(&self, name: Name) -> Option<&str> {
        match self.attributes[name as usize] {
            Text::Absent => None,
            Text::Plain(text) => Some(text),
            Text::Unescaped(i) => self.unescaped.get(i).map(String::as_str),
        }
    }

    #[inline(always)]
    pub(super) fn at(&self) -> Result<Moment, DecodeError> {
        match self.get(Name::SpecVersion) {
            Some("1.0") => {}
            Some(other) => return Err(DecodeError::Version(other.chars().take(20).collect())),
            None => return Err(DecodeError::Missing("specversion")),
        }
        instant("time", self.get(Name::Time).ok_or(DecodeError::Missing("time"))?)
    }

    #[inline(always)]
    pub(super) fn recorded(&self) -> Result<Option<Moment>, DecodeError> {
        self.get(Name::RecordedTime).map(|text| instant("recordedtime", text)).transpose()
    }

    pub(super) fn kind(&self) -> Result<&str, DecodeError> {
        self.name(Name::Type)
    }

    pub(super) fn id(&self) -> Result<&str, DecodeError> {
        self.name(Name::Id)
    }

    pub(super) fn source(&self) -> Result<&str, DecodeError> {
        self.name(Name::Source)
    }

    pub(super) fn subject(&self) -> Result<&str, DecodeError> {
        self.name(Name::Subject)
    }

    #[inline(always)]
    pub(super) fn partner(&self) -> Result<&str, DecodeError> {
        match self.get(Name::Partner) {
            None | Some("") => Err(DecodeError::NoPartner),
            Some(_) => self.name(Name::Partner),
        }
    }

    #[inline(always)]
    pub(super) fn sequence(&self) -> &str {
        self.get(Name::Sequence).unwrap_or_default()
    }

    #[inline(always)]
    pub(super) fn factkey(&self) -> Option<&str> {
        self.get(Name::FactKey).filter(|key| !key.is_empty())
    }

    #[inline(always)]
    pub(super) fn exact(&self) -> bool {
        self.get(Name::TimeQuality).is_none_or(|quality| quality == "exact")
    }

    #[inline]
    fn name(&self, name: Name) -> Result<&str, DecodeError> {
        match self.attributes[name as usize] {
            Text::Plain(text) if (1..=LONGEST_NAME).contains(&text.len()) => Ok(text),
            _ => self.doubtful(name),
        }
    }

    #[cold]
    fn doubtful(&self, name: Name) -> Result<&str, DecodeError> {
        let text = self.get(name).ok_or(DecodeError::Missing(name.text()))?;
        if text.is_empty() {
            return Err(DecodeError::Empty(name.text()));
        }
        if text.len() > LONGEST_NAME {
            return Err(DecodeError::LongName { name: name.text(), bytes: text.len(), most: LONGEST_NAME });
        }
        // Only an escape can hide a control character: JSON forbids bare ones.
        let escaped = matches!(self.attributes[name as usize], Text::Unescaped(_));
        if escaped && text.chars().any(char::is_control) {
            return Err(DecodeError::Control(name.text()));
        }
        Ok(text)
    }
}

#[inline(always)]
fn instant(name: &'static str, text: &str) -> Result<Moment, DecodeError> {
    match Moment::parse(text) {
        Some(at) if at.0 >= 0 => Ok(at),
        Some(at) => Err(DecodeError::Ancient(at.to_string())),
        None => Err(DecodeError::Time { name, text: text.chars().take(60).filter(|c| !c.is_control()).collect() }),
    }
}
