//! A line of syslog with an audit record in it: JSON, CEF or LEEF. Names in it may hold blanks, `=` and `|`; a line that was cut
//! on its way is refused where that shows.

use crate::ingest::adapt::Page;
use crate::ingest::adapt::codes::{Error, No, quoted};
use crate::ingest::adapt::tree::Tree;
use chrono::NaiveDate;

/// What a record says, whatever its form.
#[derive(Debug, Default)]
pub(super) struct Audit<'a> {
    pub(super) message: String,
    pub(super) issuer: Option<String>,
    pub(super) safe: Option<String>,
    pub(super) file: Option<String>,
    pub(super) target: Option<String>,
    pub(super) ticket: Option<String>,
    pub(super) utc: Option<String>,
    pub(super) header: Stamp<'a>,
}

/// The time in a line's header.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Stamp<'a> {
    #[default]
    None,
    Utc(&'a str),
    /// `Mar 08 04:17:02`: no year and no zone.
    Local(&'a str),
}

impl<'a> Stamp<'a> {
    pub(super) fn text(self) -> &'a str {
        match self {
            Stamp::None => "",
            Stamp::Utc(text) | Stamp::Local(text) => text,
        }
    }
}

pub(super) fn read<'a>(page: &Page<'a>) -> Result<Audit<'a>, No> {
    let text = page.text.trim();
    let (header, rest) = header(text);
    let audit = if let Some(at) = rest.find("CEF:").filter(|at| *at <= rest.find('{').unwrap_or(usize::MAX)) {
        cef(&rest[at..])?
    } else if let Some(at) = rest.find("LEEF:").filter(|at| *at <= rest.find('{').unwrap_or(usize::MAX)) {
        leef(&rest[at..])?
    } else if let Some(at) = rest.find('{') {
        json(&rest[at..])?
    } else {
        return No::error(Error::NotJson, "the line holds no record: neither JSON nor CEF nor LEEF");
    };
    if audit.message.is_empty() {
        return No::error(Error::UnknownEnvelope, "the record has no message number");
    }
    Ok(Audit { header, ..audit })
}

/// The header's time, and what stands behind it. A record without a header is one, too.
fn header(text: &str) -> (Stamp<'_>, &str) {
    let Some(rest) = text.strip_prefix('<').and_then(|rest| rest.split_once('>')) else { return (Stamp::None, text) };
    if !rest.0.bytes().all(|b| b.is_ascii_digit()) {
        return (Stamp::None, text);
    }
    let rest = rest.1;
    if let Some(new) = rest.strip_prefix("1 ") {
        let (time, rest) = new.split_once(' ').unwrap_or((new, ""));
        return (if time == "-" { Stamp::None } else { Stamp::Utc(time) }, rest);
    }
    match rest.get(..15) {
        Some(time) if dated(time, 2024).is_some() => (Stamp::Local(time), &rest[15..]),
        _ => (Stamp::None, rest),
    }
}

/// `Mar 08 04:17:02` in a year, as `2026-03-08 04:17:02`.
pub(super) fn dated(header: &str, year: i32) -> Option<String> {
    const MONTHS: &[&str] = &["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = header.split_ascii_whitespace();
    let (month, day, time) = (parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|known| *known == month)? as u32 + 1;
    let date = NaiveDate::from_ymd_opt(year, month, day.parse().ok()?)?;
    Some(format!("{date} {time}"))
}

fn json(text: &str) -> Result<Audit<'static>, No> {
    let tree = match Tree::parse(text) {
        Ok(tree) => tree,
        // Half a record is what UDP leaves of a long line.
        Err(error) => return No::error(Error::NotJson, format!("the record in the line: {error}")),
    };
    let record = [tree.path(&["syslog", "audit_record"]), tree.at("audit_record"), &tree];
    let Some(record) = record.into_iter().find(|record| !record.at("MessageID").is_null()) else {
        return No::error(Error::UnknownEnvelope, "the JSON is no audit record: it has no MessageID");
    };
    let own = |name: &str| record.at(name).word().map(|word| word.into_owned());
    Ok(Audit {
        message: own("MessageID").unwrap_or_default(),
        issuer: own("Issuer"),
        safe: own("Safe"),
        file: own("File"),
        target: own("TargetUser"),
        ticket: record
            .path(&["PvwaDetails", "RequestReason", "AdditionalInformation", "TicketId"])
            .word()
            .map(|word| word.into_owned()),
        utc: own("IsoTimestamp"),
        header: Stamp::None,
    })
}

/// The fields that an extension of CyberArk's has. Only before one of these a value ends: names may hold `=`.
const CEF: &[&str] = &[
    "act",
    "suser",
    "fname",
    "dvc",
    "shost",
    "dhost",
    "duser",
    "externalId",
    "app",
    "reason",
    "cs1Label",
    "cs1",
    "cs2Label",
    "cs2",
    "cs3Label",
    "cs3",
    "cs4Label",
    "cs4",
    "cs5Label",
    "cs5",
    "cs6Label",
    "cs6",
    "cn1Label",
    "cn1",
    "cn2Label",
    "cn2",
    "cn3Label",
    "cn3",
    "msg",
    "rt",
    "end",
    "start",
];

fn cef(text: &str) -> Result<Audit<'static>, No> {
    let parts = piped(text, 8);
    let [_, _, _, _, message, _, _, extension] = parts.as_slice() else {
        return No::error(Error::BadFrame, "the CEF line has fewer than eight parts; it may have been cut on its way");
    };
    let mut fields: Vec<(&str, String)> = Vec::new();
    let mut rest = extension.trim();
    while !rest.is_empty() {
        let Some((key, behind)) = rest.split_once('=').filter(|(key, _)| CEF.contains(key)) else {
            return No::error(Error::BadFrame, format!("CEF has no field at {}", quoted(rest)));
        };
        let (value, next) = if let Some(inner) = behind.strip_prefix('"') {
            let Some(end) = closing(inner) else {
                return No::error(
                    Error::BadFrame,
                    format!("CEF's field {key} does not end; the line may have been cut on its way"),
                );
            };
            (&inner[..end], &inner[end + 1..])
        } else {
            let end = begins(behind);
            (&behind[..end], &behind[end..])
        };
        if fields.iter().any(|(known, _)| *known == key) {
            return No::error(Error::BadFrame, format!("CEF's field {key} stands twice"));
        }
        fields.push((key, value.trim().replace("\\=", "=")));
        rest = next.trim_start();
    }
    let field = |name: &str| {
        let found = fields.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
        found.filter(|value| !value.is_empty())
    };
    Ok(Audit {
        message: message.trim().to_owned(),
        issuer: field("suser"),
        safe: field("cs2"),
        file: field("fname"),
        target: field("cs1"),
        ticket: field("cn2"),
        utc: None,
        header: Stamp::None,
    })
}

/// Where the next field begins, of an extension's rest.
fn begins(rest: &str) -> usize {
    for (at, _) in rest.match_indices(' ') {
        let next = &rest[at + 1..];
        if let Some((key, _)) = next.split_once('=')
            && CEF.contains(&key)
        {
            return at;
        }
    }
    rest.len()
}

/// Where a quoted value ends: at a quotation mark with a field or nothing behind it.
fn closing(inner: &str) -> Option<usize> {
    let ends = |at: usize| {
        let behind = &inner[at + 1..];
        behind.trim().is_empty() || (behind.starts_with(' ') && begins(behind) == 0)
    };
    inner.match_indices('"').map(|(at, _)| at).find(|at| ends(*at))
}

/// Parts between pipes, the last one whole. A pipe or backslash behind a backslash is itself.
fn piped(text: &str, most: usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if parts.len() == most {
            // What a backslash means in there is the extension's own affair.
            if let Some(last) = parts.last_mut() {
                last.push(c);
            }
            continue;
        }
        match c {
            '|' => parts.push(String::new()),
            '\\' => {
                if let (Some(last), Some(next)) = (parts.last_mut(), chars.next()) {
                    last.push(next);
                }
            }
            c => {
                if let Some(last) = parts.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    parts
}

fn leef(text: &str) -> Result<Audit<'static>, No> {
    let second = text.starts_with("LEEF:2");
    let parts = piped(text, if second { 7 } else { 6 });
    let (message, delimiter, fields) = match (parts.as_slice(), second) {
        ([_, _, _, _, message, fields], false) => (message, '\t', fields),
        ([_, _, _, _, message, delimiter, fields], true) => {
            let code = delimiter.strip_prefix('x').or_else(|| delimiter.strip_prefix("0x"));
            let coded = code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
            (message, coded.or_else(|| delimiter.chars().next()).unwrap_or('\t'), fields)
        }
        _ => return No::error(Error::BadFrame, "the LEEF line has too few parts; it may have been cut on its way"),
    };
    let mut all: Vec<(&str, &str)> = Vec::new();
    for field in fields.split(delimiter).filter(|field| !field.trim().is_empty()) {
        let Some((key, value)) = field.split_once('=') else {
            return No::error(
                Error::BadFrame,
                format!("LEEF's field {} has no `=`; the line may have been cut", quoted(field)),
            );
        };
        if all.iter().any(|(known, _)| *known == key) {
            return No::error(Error::BadFrame, format!("LEEF's field {} stands twice", quoted(key)));
        }
        all.push((key, value.trim()));
    }
    let field = |name: &str| {
        let found = all.iter().find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| *value);
        found.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    Ok(Audit {
        message: message.trim().to_owned(),
        issuer: field("usrName"),
        safe: field("Safe"),
        file: field("File"),
        target: field("TargetUser"),
        ticket: field("TicketId"),
        utc: field("isoTimestamp"),
        header: Stamp::None,
    })
}
