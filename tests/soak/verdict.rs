//! How a run ended, and whether that is what was drawn and what another run says.

use crate::blows::Blows;
use crate::house::House;
use crate::stream::Stream;
use crate::w1::Expected;
use onus::store::place::{Place, open};
use onus::store::{Entry, Query};
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The net of a ledger: of each duty what stands, its standing and the instant at which it broke. A last entry that only
/// takes a word back leaves nothing that stands: whether there ever was such a word hangs on the order of arrival.
pub(crate) type Net = BTreeMap<String, (Standing, Option<Moment>)>;

/// A run at its end.
pub(crate) struct Verdict {
    said: Expected,
    net: Net,
    /// Of each duty the last word in the ledger, and the last one that was told.
    words: BTreeMap<String, (String, Option<String>)>,
    told: BTreeMap<String, (String, Option<String>)>,
    entries: usize,
    /// What does not hold of the run by itself.
    wrong: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |at: usize| self.said.totals.values().map(|row| row[at]).sum::<u64>();
        write!(
            f,
            "{} met, {} breached, {} open, digest {:016x}, {} duties in the net of {} entries",
            sum(0),
            sum(1),
            sum(2),
            self.said.digest,
            self.net.len(),
            self.entries
        )
    }
}

/// Lets the program come to the end of the topic, ends it, and looks at everything that it left.
pub(crate) fn of(house: &House, store: &str, blows: &mut Blows<'_>, stream: &Stream) -> Verdict {
    let patience = Duration::from_secs(60) + Duration::from_millis(stream.events as u64 * 2);
    let until = Instant::now() + patience;
    let mut said = Expected::default();
    // Its totals are counts of the engine, which outlive it; the digest is the ledger's.
    while said.totals != stream.expected.totals && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(500));
        blows.supervise();
        if let Some(page) = page(house) {
            said.totals = totals(&page);
        }
    }
    // If there is more to come, it comes now.
    std::thread::sleep(Duration::from_secs(2));
    said.totals = page(house).map(|page| totals(&page)).unwrap_or_default();
    let mut wrong = Vec::new();
    if !blows.end() {
        wrong.push("it does not end in order".to_owned());
    }
    for (what, args) in [("store verify", &["store", "verify", "--store", store][..]), ("replay", &["replay"])] {
        let out = house.onus(args);
        if !out.status.success() {
            let (out, error) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
            wrong.push(format!("onus {what}: {out} {error}"));
        }
    }
    let place =
        store.strip_prefix("sqlite:").map_or(store.to_owned(), |file| format!("sqlite:{}", house.path(file).display()));
    let mut store = open(&Place::parse(&place).expect("a store"), 0).expect("it opens");
    let entries = store.entries(&Query::default()).expect("the ledger");
    let count = entries.len();
    let letters = store.letters(&Query::default()).expect("letters").len();
    if letters > 0 {
        wrong.push(format!("{letters} dead letters"));
    }
    let last: BTreeMap<String, Entry> = entries.into_iter().map(|entry| (entry.duty().to_string(), entry)).collect();
    let last: BTreeMap<String, Entry> = last.into_iter().filter(|(_, e)| e.to != Standing::Withdrawn).collect();
    for entry in last.values().filter(|entry| entry.broken) {
        let at = entry.deadline.map_or(i64::MIN, |at| at.0);
        said.digest = said.digest.wrapping_add(digest(entry, at));
    }
    let broke = |e: &Entry| e.deadline.filter(|_| e.broken);
    let words = last.iter().map(|(duty, e)| (duty.clone(), (e.to.to_string(), broke(e).map(|at| at.to_string()))));
    let words = words.collect();
    let net = last.into_iter().filter(|(_, e)| stands(e)).map(|(duty, e)| (duty, (e.to, broke(&e)))).collect();
    Verdict { said, net, words, told: house.net(), entries: count, wrong }
}

/// The entry says something by itself. S4 and S7 are checks: one that passes makes no entry.
fn stands(entry: &Entry) -> bool {
    match entry.to {
        Standing::Open | Standing::Paused | Standing::Unknown | Standing::Withdrawn | Standing::Untold => false,
        Standing::Met => !["S4", "S7"].contains(&entry.under.obligation.as_str()),
        Standing::MetLate | Standing::Breached | Standing::Waived | Standing::Cancelled | Standing::Exempt => true,
    }
}

/// Counted in a place of its own: totals are the engine's.
fn digest(entry: &Entry, at: i64) -> u64 {
    let mut one = Expected::default();
    one.breached(&entry.under.obligation, &entry.under.partner, &entry.subject, at, entry.start.0);
    one.digest
}

/// Met, breached and open, by obligation.
fn totals(page: &str) -> BTreeMap<String, [u64; 3]> {
    let mut out: BTreeMap<String, [u64; 3]> = BTreeMap::new();
    let of = |line: &&str| line.starts_with("onus_duties{") || line.starts_with("onus_verdicts{");
    for line in page.lines().filter(of) {
        let label = |name: &str| line.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
        let count: u64 = line.rsplit(' ').next().and_then(|n| n.parse().ok()).expect("a count");
        let (obligation, standing) = (label("obligation").expect("its name"), label("standing").expect("a word"));
        let column = match standing {
            "met" => 0,
            "breached" | "met-late" => 1,
            "open" | "paused" => 2,
            _ if count == 0 => continue,
            // For a moment, where a partition is behind; at the end, what was not drawn.
            other => {
                out.entry(format!("{obligation} {other}")).or_default()[2] += count;
                continue;
            }
        };
        out.entry(obligation.to_owned()).or_default()[column] += count;
    }
    out
}

/// The page of figures of whoever was started last, if it answers.
fn page(house: &House) -> Option<String> {
    let talk = house.talk();
    let address = talk.lines().rev().find_map(|line| line.split("listening on http://").nth(1))?;
    let address = address.trim().parse().ok()?;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

/// Everything that is not as it should be; nothing: "".
pub(crate) fn compared(disturbed: &Verdict, undisturbed: &Verdict, stream: &Stream) -> String {
    let mut out = String::new();
    for (name, one) in [("disturbed", disturbed), ("undisturbed", undisturbed)] {
        for wrong in &one.wrong {
            let _ = writeln!(out, "{name}: {wrong}");
        }
        if one.said != stream.expected {
            let _ = writeln!(out, "{name}: says {:?}, drawn were {:?}", one.said, stream.expected);
        }
        if one.words != one.told {
            let _ = writeln!(out, "{name}: what was told is not what the ledger says");
        }
    }
    let apart: Vec<_> = undisturbed
        .net
        .iter()
        .filter(|(duty, says)| disturbed.net.get(*duty) != Some(says))
        .map(|(duty, says)| (duty, Some(says), disturbed.net.get(duty)))
        .chain(
            disturbed
                .net
                .iter()
                .filter(|(duty, _)| !undisturbed.net.contains_key(*duty))
                .map(|(d, s)| (d, None, Some(s))),
        )
        .collect();
    if !apart.is_empty() {
        let first = &apart[..apart.len().min(5)];
        let _ = writeln!(out, "{} duties stand otherwise (undisturbed, disturbed): {first:#?}", apart.len());
    }
    out
}
