//! `onus demo --live`: the same story through the service itself. A source speaks, the loop judges, writes down, and only
//! then tells; what is told here are the entries of its commits, and nothing else.

use super::telling::{clock as clock_words, record_line};
use crate::cli::args::DemoArgs;
use crate::cli::run::Pages;
use crate::cli::style::{BAD, DIM, GOOD, HEAD, WARN, paint, plain};
use crate::cli::{CliError, exit, write_out};
use crate::ingest::feed::{self, FeedId};
use crate::publish::decided::Decided;
use crate::runtime::live::{self, Contracts, Feed, Live, Plan, Receiver};
use crate::runtime::played::{self, Clock, Line, Playing};
use crate::store::Entry;
use crate::store::place::{self, Place};
use crate::{serve, telemetry};
use chrono_tz::Tz;
use onus_engine::explain::words::{local, wall_length};
use onus_engine::terms::{Contract, Sentence, Side};
use onus_engine::time::{DAY, HOUR, Moment};
use serde_json::Value;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The story's only source.
const FEED: &str = "story";

pub(super) fn run(contracts: Vec<Contract>, args: &DemoArgs) -> Result<u8, CliError> {
    let lines = lines();
    let start = lines.first().map_or(Moment::DAWN, |line| line.at);
    let clock = Clock::at(start);
    let folder = tempfile::Builder::new().prefix("onus-demo-").tempdir();
    let folder = folder.map_err(|error| CliError::Other(format!("no temporary folder for the store: {error}")))?;
    let file = folder.path().join("onus.db");
    let failed = |error: live::LiveError| CliError::Other(error.to_string());
    let store = place::open(&Place::Sqlite(file.clone()), 0).map_err(|e| CliError::Other(e.to_string()))?;
    let mut live = Live::open(plan(&contracts), store, Box::new(clock.hands())).map_err(failed)?;
    let status = Arc::clone(live.status());

    let hands = clock.clone();
    let pages = Pages::new(Arc::clone(&status), Arc::default(), None, hands.now())?;
    let ready = Arc::clone(&status);
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let routes = move || telemetry::routes(move || ready.unready(), pages, telemetry::Access::default());
    let serving = serve::spawn(serve::Listen::on(anywhere), routes)
        .map_err(|error| CliError::Other(format!("cannot listen on {anywhere}: {error}")))?;

    let stop = Arc::new(AtomicBool::new(false));
    hear_interrupts(Arc::clone(&stop));
    let words = Arc::new(Mutex::new(Words::new(&contracts)));
    write_out(&opening(&contracts, &lines, args, &serving, &file))?;
    let within = Duration::from_secs(u64::from(args.seconds));
    let playing = Playing { feed: FeedId(0), lines, within, stop: Arc::clone(&stop) };
    let (sender, heard) = feed::channel();
    let teller = Arc::clone(&words);
    let story = played::spawn(playing, clock, sender, move |line| {
        let said = lock(&teller).record(line);
        // Nobody reads any more: the story goes on to its end all the same.
        let _ = write_out(&said);
    });
    let story = story.map_err(|error| CliError::Other(format!("no thread for the story: {error}")))?;
    let ours = Arc::clone(&words);
    let takes = Box::new(move |entries: &[Entry]| {
        let said: String = entries.iter().map(|entry| lock(&ours).decided(&Decided(entry).value())).collect();
        if write_out(&said).is_ok() { entries.len() } else { 0 }
    });
    // Between the records of the story, and not somewhere behind them.
    live.tell_at_once(Receiver { name: "demo".to_owned(), from_the_beginning: true, takes, again_from: None });
    let result = live.run(&heard, true, &stop, &mut |_| {});
    let cut = stop.swap(true, Ordering::Relaxed);
    drop(heard);
    serving.close();
    let _ = story.join();
    serving.stop();
    result.map_err(failed)?;
    let verified = live.store().and_then(|store| store.verify()).map_err(|error| CliError::Other(error.to_string()))?;
    write_out(&closing(&status.board(), &lock(&words), &verified, cut))?;
    Ok(exit::FINE)
}

/// Records in their order, each at the instant at which it came: what is told late comes when the others have come.
fn lines() -> Vec<Line> {
    let mut latest = Moment::DAWN;
    let line = |text: &str| {
        let record: Value = serde_json::from_str(text).unwrap_or_default();
        latest = record["time"].as_str().and_then(Moment::parse).map_or(latest, |at| at.max(latest));
        Line { at: latest, text: text.to_owned() }
    };
    super::EVENTS.lines().map(line).collect()
}

fn plan(contracts: &[Contract]) -> Plan {
    let list = contracts.to_vec();
    let text: String = super::CONTRACTS.iter().map(|(name, text)| format!("# {name}\n{text}\n")).collect();
    Plan {
        contracts: Box::new(move || Ok(Contracts { list: list.clone(), text: text.clone(), ..Contracts::default() })),
        feeds: vec![Feed { claims_time: true, ..Feed::named(FEED) }],
        adapters: Vec::new(),
        clock: live::Clock::Wall,
        // As in the story that is told from a file: all of it stays in sight.
        settling: 3650 * DAY,
        // By the story's clock, which runs through an hour in a moment.
        commit_every: 0,
        batch: 1,
        snapshot_every: 3650 * DAY,
        retention: 36_500 * DAY,
        owner: "onus demo".to_owned(),
    }
}

/// An interrupt ends it in order: the temporary folder goes.
fn hear_interrupts(stop: Arc<AtomicBool>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return };
    // It is not waited for: the process ends with the story.
    let _ = std::thread::Builder::new().name("interrupts".to_owned()).spawn(move || {
        runtime.block_on(async {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.store(true, Ordering::Relaxed);
            }
        });
    });
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn opening(
    contracts: &[Contract],
    lines: &[Line],
    args: &DemoArgs,
    serving: &serve::Serving,
    file: &std::path::Path,
) -> String {
    let mut out = super::opening(contracts);
    let length = lines.last().zip(lines.first()).map_or(0, |(last, first)| last.at - first.at);
    let faster = length / 1000 / i64::from(args.seconds.max(1));
    let _ = writeln!(
        out,
        "\n{}\n  {} days in some {} seconds: about {faster} times as fast as it happened.\n  store    {}, gone at the end\n  \
         figures  http://{}/metrics while it runs\n  told     only what is decided, after the commit that holds it",
        paint(HEAD, "It runs as the service does: a source speaks, Onus judges, writes down, and then tells."),
        (length + HOUR) / DAY,
        args.seconds,
        file.display(),
        serving.addr,
    );
    out
}

fn closing(board: &live::Board, words: &Words, verified: &crate::store::Verified, cut: bool) -> String {
    let mut out = format!("\n{}\n", paint(HEAD, "How everything stands"));
    let mut rows = board.duties.rows();
    rows.sort_by(|a, b| (&a.partner, &a.obligation).cmp(&(&b.partner, &b.obligation)));
    out.push_str(&crate::cli::check::standings(&rows));
    let taken = match words.taken_back {
        0 => String::new(),
        1 => "; 1 more was told and taken back".to_owned(),
        n => format!("; {n} more were told and taken back"),
    };
    let cut = if cut { " It was ended early." } else { "" };
    let _ = writeln!(
        out,
        "\n{} records, {} breaches and findings that stand{taken}.{cut}",
        words.records,
        words.broken.len()
    );
    let whole = match verified.wrong.first() {
        None => "every sum and the ledger's chain are whole".to_owned(),
        Some(wrong) => format!("DAMAGED: {wrong}"),
    };
    let _ = writeln!(
        out,
        "{} commits hold {} entries of the ledger and {} dead letters; {whole}.",
        verified.commits, verified.entries, board.shown.letters
    );
    let _ = writeln!(
        out,
        "\n{}\n  onus settings default   # a settings file to begin with\n  onus run --tell -       # the same with your own sources, and without an end\n  \
         onus demo               # the story again, with every clock that begins, stops and goes on",
        paint(HEAD, "Try next")
    );
    out
}

/// From entries to plain words.
struct Words {
    zone: Tz,
    /// By contract and obligation: a requirement, and who else than the partner owes it.
    duties: std::collections::BTreeMap<(String, String), (bool, Option<String>)>,
    day: String,
    records: u64,
    /// Duties that are broken by what was told last.
    broken: std::collections::BTreeSet<String>,
    taken_back: u64,
}

impl Words {
    fn new(contracts: &[Contract]) -> Words {
        let each = contracts.iter().flat_map(|contract| {
            contract.obligations.iter().map(move |one| {
                let finding = matches!(one.sentence, Sentence::Requires { .. });
                let customer =
                    (one.obligor.side == Side::Customer).then(|| format!("{} ({})", contract.customer, one.obligor));
                ((contract.name.clone(), one.id.clone()), (finding, customer))
            })
        });
        Words {
            zone: contracts.first().map_or(Tz::UTC, |contract| contract.zone),
            duties: each.collect(),
            day: String::new(),
            records: 0,
            broken: std::collections::BTreeSet::new(),
            taken_back: 0,
        }
    }

    fn day(&mut self, at: Moment, out: &mut String) {
        let Some(utc) = at.utc() else { return };
        let day = utc.with_timezone(&self.zone).format("%A %-d %B %Y").to_string();
        if day != self.day {
            let _ = writeln!(out, "\n{}", paint(HEAD, &day));
            self.day = day;
        }
    }

    /// A record as it is handed over.
    fn record(&mut self, line: &Line) -> String {
        let mut out = String::new();
        let record: Value = serde_json::from_str(&line.text).unwrap_or_default();
        if record["type"] == "onus.tick" {
            // It says what time it is, and nothing of anybody.
            return out;
        }
        self.records += 1;
        self.day(line.at, &mut out);
        let _ = writeln!(out, "{}", paint(DIM, &record_line(&record, line.at, self.zone)));
        out
    }

    /// A decision, once it is written down.
    fn decided(&mut self, told: &Value) -> String {
        let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
        let instant = |key: &str| told[key].as_str().and_then(Moment::parse);
        let (from, to, duty) = (text("from"), text("to"), text("duty"));
        let broke = |standing: &str| matches!(standing, "breached" | "met-late");
        let (finding, customer) =
            self.duties.get(&(text("contract"), text("obligation"))).cloned().unwrap_or((false, None));
        let at = instant("at").unwrap_or(Moment::DAWN);
        let deadline = instant("deadline");
        let what = format!("{} ({})", text("obligation"), text("clause"));
        let who = customer.unwrap_or_else(|| text("partner"));
        let when = deadline.map_or(String::new(), |at| local(at, self.zone));
        if broke(&to) {
            self.broken.insert(duty);
        } else if broke(&from) && to != "waived" {
            self.taken_back += u64::from(self.broken.remove(&duty));
        }
        let back = || paint(GOOD, &format!("the breach of {what} is taken back: it is {to}"));
        let said = match to.as_str() {
            "breached" if finding => paint(BAD, &format!("FINDING: {who} broke {what}")),
            "breached" => paint(BAD, &format!("BREACH: {who} broke {what}, which was due {when}")),
            "met-late" => {
                let late = instant("ended_at").zip(deadline).map_or(0, |(ended, due)| ended - due);
                paint(WARN, &format!("{what} is done, {} late", wall_length(late)))
            }
            "waived" => paint(WARN, &format!("the breach of {what} is waived")),
            "cancelled" => paint(DIM, &format!("{what} ends without a verdict")),
            _ if broke(&from) => back(),
            "met" => paint(GOOD, &format!("{what} is met")),
            _ => paint(DIM, &format!("{what} is now {to}")),
        };
        let mut out = String::new();
        self.day(at, &mut out);
        let partner = plain(&text("partner"));
        let _ = writeln!(out, "  {}  {partner:<14} {}: {said}", clock_words(at, self.zone), plain(&text("subject")));
        out
    }
}
