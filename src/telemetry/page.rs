//! A page of figures as Prometheus reads it: text format 0.0.4, or OpenMetrics 1.0.
//!
//! Written straight into one text: a page may have tens of thousands of series, and is asked for every few seconds.

use super::families::{Family, Kind};
use onus_engine::time::Moment;
use std::fmt::Write as _;

/// How a page is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Text format 0.0.4.
    #[default]
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Form {
    /// What a client says that it would rather have (`Accept`).
    pub fn wanted(accept: &str) -> Form {
        let (mut open, mut text) = (0u32, 0u32);
        for item in accept.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let (mut weight, mut known) = (1000, true);
            for part in parts {
                match part.split_once('=').map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim())) {
                    Some((name, value)) if name == "q" => weight = thousandths(value),
                    Some((name, value)) if name == "version" => known = value.trim_matches('"') == "1.0.0",
                    _ => {}
                }
            }
            match kind.as_str() {
                "application/openmetrics-text" if known => open = open.max(weight),
                "text/plain" | "text/*" => text = text.max(weight),
                _ => {}
            }
        }
        if open > 0 && open >= text { Form::OpenMetrics } else { Form::Text }
    }

    /// Its name, for whoever gets the page.
    pub fn content_type(self) -> &'static str {
        match self {
            Form::Text => "text/plain; version=0.0.4; charset=utf-8",
            Form::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A weight of `Accept`, at most three digits after the point. What cannot be read wants nothing.
fn thousandths(text: &str) -> u32 {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || whole.is_empty() || !digits(rest) {
        return 0;
    }
    let rest: u32 = format!("{rest:0<3}").parse().unwrap_or(0);
    (whole.parse::<u32>().unwrap_or(0) * 1000 + rest).min(1000)
}

/// A page in the making. Samples belong to the family that was begun last.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
    form: Form,
    /// What samples of the family are called.
    name: &'static str,
}

/// A value of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    /// A whole number.
    Whole(i64),
    /// A count.
    Count(u64),
    /// Anything else.
    Real(f64),
    /// An instant, in seconds since 1970.
    At(Moment),
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Whole(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Value {
        Value::Count(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Real(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Whole(i64::from(value))
    }
}

impl From<Moment> for Value {
    fn from(value: Moment) -> Value {
        Value::At(value)
    }
}

impl Page {
    /// An empty one.
    pub(super) fn new(form: Form) -> Page {
        Page { text: String::new(), form, name: "" }
    }

    /// A family begins.
    pub(super) fn family(&mut self, family: &'static Family) {
        self.name = family.name;
        let (name, kind) = match (self.form, family.kind) {
            (Form::Text, Kind::Counter) => (family.name, "counter"),
            (Form::OpenMetrics, Kind::Counter) => (family.name.trim_end_matches("_total"), "counter"),
            (_, Kind::Gauge) => (family.name, "gauge"),
            (_, Kind::Histogram) => (family.name, "histogram"),
            (Form::Text, Kind::Info) => (family.name, "gauge"),
            (Form::OpenMetrics, Kind::Info) => (family.name.trim_end_matches("_info"), "info"),
        };
        let _ = writeln!(self.text, "# HELP {name} {}\n# TYPE {name} {kind}", family.help);
    }

    /// A sample. `labels` are [rendered](labels).
    #[inline]
    pub(super) fn sample(&mut self, labels: &str, value: impl Into<Value>) {
        self.line("", &[labels], value.into());
        self.text.push('\n');
    }

    /// The same, with a last label whose value needs no escaping.
    #[inline]
    pub(super) fn sample_of(&mut self, labels: &str, last: (&str, &str), value: impl Into<Value>) {
        self.line("", &[labels, ",", last.0, "=\"", last.1, "\""], value.into());
        self.text.push('\n');
    }

    /// A whole histogram.
    pub(super) fn histogram(&mut self, labels: &str, histogram: &super::Histogram) {
        let mut below = 0;
        let comma = if labels.is_empty() { "" } else { "," };
        for (i, count) in histogram.counts.iter().enumerate() {
            below += count;
            let bound = match (histogram.bounds.get(i), self.form) {
                (None, _) => "+Inf".to_owned(),
                (Some(bound), Form::Text) => format!("{bound}"),
                (Some(bound), Form::OpenMetrics) => format!("{bound:?}"),
            };
            self.line("_bucket", &[labels, comma, "le=\"", &bound, "\""], Value::Count(below));
            if let (Form::OpenMetrics, Some(one)) = (self.form, &histogram.examples[i]) {
                let _ = write!(self.text, " # {{{}}} {:?} ", one.labels, one.value);
                self.value(Value::At(one.at));
            }
            self.text.push('\n');
        }
        self.line("_sum", &[labels], Value::Real(histogram.sum));
        self.text.push('\n');
        self.line("_count", &[labels], Value::Count(below));
        self.text.push('\n');
    }

    #[inline]
    fn line(&mut self, suffix: &str, labels: &[&str], value: Value) {
        self.text.push_str(self.name);
        self.text.push_str(suffix);
        if labels.iter().any(|part| !part.is_empty()) {
            self.text.push('{');
            labels.iter().for_each(|part| self.text.push_str(part));
            self.text.push('}');
        }
        self.text.push(' ');
        self.value(value);
    }

    #[inline]
    fn value(&mut self, value: Value) {
        match value {
            Value::Whole(n) => {
                if n < 0 {
                    self.text.push('-');
                }
                self.digits(n.unsigned_abs());
            }
            Value::Count(n) => self.digits(n),
            Value::Real(real) => {
                let _ = write!(self.text, "{real}");
            }
            Value::At(at) => {
                if at.0 < 0 {
                    self.text.push('-');
                }
                let ms = at.0.unsigned_abs();
                self.digits(ms / 1000);
                if ms % 1000 != 0 {
                    let _ = write!(self.text, ".{:03}", ms % 1000);
                }
            }
        }
    }

    #[inline]
    fn digits(&mut self, mut n: u64) {
        let mut buffer = [0u8; 20];
        let mut at = buffer.len();
        loop {
            at -= 1;
            buffer[at] = b'0' + (n % 10) as u8;
            n /= 10;
            if n == 0 {
                break;
            }
        }
        self.text.push_str(std::str::from_utf8(&buffer[at..]).unwrap_or_default());
    }

    /// The page.
    pub(super) fn finish(mut self) -> String {
        if self.form == Form::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

/// Labels as they stand between the braces, each value escaped.
pub fn labels(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (i, (name, value)) in pairs.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(name);
        out.push_str("=\"");
        for c in value.chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                '\n' => out.push_str("\\n"),
                c => out.push(c),
            }
        }
        out.push('"');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_what_it_would_rather_have() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, want) in [
            (prometheus, Form::OpenMetrics),
            ("", Form::Text),
            ("*/*", Form::Text),
            ("text/plain", Form::Text),
            ("application/openmetrics-text", Form::OpenMetrics),
            ("Application/OpenMetrics-Text; Version=\"1.0.0\"; Q=0.3, text/plain; q=0.2", Form::OpenMetrics),
            ("application/openmetrics-text; q=0.2, text/plain; q=0.3", Form::Text),
            ("application/openmetrics-text; q=0", Form::Text),
            ("application/openmetrics-text; version=0.0.1", Form::Text),
            ("application/openmetrics-text; q=junk", Form::Text),
            (";;;,,q=1", Form::Text),
        ] {
            assert_eq!(Form::wanted(accept), want, "{accept}");
        }
    }

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        let hostile = "a\"} 1\nonus_duties{partner=\"b\\";
        assert_eq!(labels(&[("partner", hostile)]), "partner=\"a\\\"} 1\\nonus_duties{partner=\\\"b\\\\\"");
    }

    #[test]
    fn instants_are_seconds() {
        let mut page = Page::new(Form::Text);
        for (ms, want) in [(0, "0"), (1_500, "1.500"), (-2_001, "-2.001"), (1_790_000_000_000, "1790000000")] {
            page.text.clear();
            page.value(Value::At(Moment(ms)));
            assert_eq!(page.text, want);
        }
    }
}
