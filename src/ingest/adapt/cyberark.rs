//! CyberArk: the vault's audit records, as JSON, CEF or LEEF in a line of syslog. What happened is told by the message's
//! number; a record has no id, so what it says is what it is known by, at a second's resolution.

mod line;

use super::codes::{Error, No, Skip, quoted};
use super::desk::{ActorType, Desk, Told, actor};
use super::event::{Quality, Value};
use super::hex;
use super::partners::{Partners, unknown};
use super::settings::{CyberArk as Tables, Settings};
use super::state::Row;
use super::time::{local, rfc3339};
use super::{Page, Vendor};
use chrono::Datelike;
use line::{Audit, Stamp};
use onus_engine::time::{DAY, Moment};
use sha2::{Digest, Sha256};

#[derive(Debug)]
pub(super) struct CyberArk {
    tables: Tables,
    ticket: Option<regex::bytes::Regex>,
    partners: Partners,
}

impl CyberArk {
    pub(super) fn new(settings: &Settings) -> CyberArk {
        let partners = settings.partners("cyberark");
        CyberArk { tables: settings.cyberark.clone(), ticket: settings.ticket.clone(), partners }
    }

    /// When: by the record's own UTC, else by its line's header. An old header has neither year nor zone; where the settings
    /// do not name the zone, the record was received by then, and that is all that is known.
    fn when(&self, audit: &Audit<'_>, received: Option<Moment>) -> Result<(Moment, Quality), No> {
        let header = match (&audit.utc, &audit.header) {
            (Some(utc), _) => return rfc3339("IsoTimestamp", utc).map(|at| (at, Quality::Exact)),
            (None, Stamp::Utc(utc)) => return rfc3339("the header's time", utc).map(|at| (at, Quality::Exact)),
            (None, Stamp::Local(header)) => header,
            (None, Stamp::None) => return No::error(Error::MissingTime, "neither the record nor its line says when"),
        };
        let Some(received) = received else {
            return No::error(
                Error::BadTime,
                format!("{} has neither year nor zone, and when the record was received is not known", quoted(header)),
            );
        };
        let Some(zone) = self.tables.zone else { return Ok((received, Quality::Received)) };
        let year = received.utc().map(|utc| utc.year()).unwrap_or_default();
        // The last such day that is not after the record came.
        for year in [year + 1, year, year - 1] {
            let Some(text) = line::dated(header, year) else { continue };
            match local("the header's time", &text, zone) {
                Ok((at, quality)) if at.0 <= received.0 + DAY => return Ok((at, quality)),
                Ok(_) => {}
                Err(no) if year == received.utc().map(|utc| utc.year()).unwrap_or_default() => return Err(no),
                Err(_) => {}
            }
        }
        No::error(Error::BadTime, format!("{} is no day and time", quoted(header)))
    }
}

impl Vendor for CyberArk {
    fn read(&self, page: &Page<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let audit = line::read(page)?;
        let (kind, grant) = match audit.message.as_str() {
            "24" | "31" => ("credential.rotated", false),
            "57" | "60" => ("credential.rotation-failed", false),
            "130" => ("credential.disabled", false),
            "294" => ("credential.created", false),
            "52" => ("credential.revoked", false),
            "32" => ("grant.given", true),
            "273" => ("grant.revoked", true),
            "22" | "38" => return No::skip(Skip::NotRelevant, "to verify a password is not to change it"),
            other => return No::skip(Skip::NotRelevant, format!("message {} tells nothing", quoted(other))),
        };
        let Some(safe) = &audit.safe else {
            return No::error(Error::MissingSubject, "the record names no safe");
        };
        let partner = match self.partners.prefix("safe_prefix", safe)? {
            Some(partner) => partner.to_owned(),
            None => return unknown(&format!("safe {}", quoted(safe))),
        };
        let (at, quality) = self.when(&audit, desk.received())?;
        let file = audit.file.as_deref().map(|file| file.strip_prefix("Root\\").unwrap_or(file));
        let subject = match (grant, &audit.target, file) {
            (true, Some(target), _) => format!("cyberark:{safe}:owner:{target}"),
            (true, None, _) => {
                return No::error(Error::MissingSubject, "the record does not say who became or ceased to be an owner");
            }
            (false, _, Some(file)) => format!("cyberark:{safe}:{file}"),
            (false, _, None) => return No::error(Error::MissingSubject, "the record names no file"),
        };
        let issuer = audit.issuer.as_deref();
        let cpm = issuer.is_some_and(|issuer| self.tables.cpm.contains(issuer));
        let mut data = Vec::from(match issuer {
            _ if cpm => actor(None, ActorType::Service),
            Some(issuer) => actor(Some(issuer), ActorType::Unknown),
            None => actor(None, ActorType::Unknown),
        });
        let mut kind = kind;
        if grant {
            data.extend(audit.target.as_deref().map(|target| ("grantee", Value::from(target))));
            data.push(("role", Value::from(safe.as_str())));
        } else {
            data.push(("kind", Value::from("password")));
            // Stored where something was is another password, not another credential.
            let there = desk.known(&subject).is_some();
            match kind {
                "credential.created" if there => kind = "credential.rotated",
                // Its management is off; the password opens what it opened.
                "credential.disabled" => data.push(("reason", Value::from("management-disabled"))),
                _ => {}
            }
            match kind {
                "credential.revoked" => desk.forget(&subject),
                _ => desk.remember(&subject, Row::default().with("there", Some("yes"))),
            }
        }
        // What stands in the ticket's field is often the reason why the manager acted.
        let fits = |text: &&str| self.ticket.as_ref().is_some_and(|ticket| ticket.is_match(text.as_bytes()));
        let ticket = audit.ticket.as_deref().map(str::trim).filter(fits);
        if let Some(ticket) = ticket {
            data.push((if ticket.starts_with("CHG") { "change" } else { "ticket" }, Value::from(ticket)));
        }
        let when = match quality {
            Quality::Received => audit.header.text().to_owned(),
            _ => at.0.to_string(),
        };
        let said = [
            audit.message.as_str(),
            &when,
            safe,
            audit.file.as_deref().unwrap_or_default(),
            issuer.unwrap_or_default(),
            audit.target.as_deref().filter(|_| grant).unwrap_or_default(),
        ];
        let mut digest = Sha256::new();
        for part in said {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        desk.tell(Told {
            id: hex(&digest.finalize()),
            kind,
            at,
            quality,
            subject,
            partner,
            factkey: None,
            sequence: None,
            correlation: ticket.map(str::to_owned),
            data,
        })
    }
}
