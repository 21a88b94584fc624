//! From the loop's board to the page that Prometheus reads.

use crate::cli::CliError;
use crate::runtime::live::{Board, Status};
use crate::telemetry::{Figures, Reading, SourceReading, SourceState};
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// Makes the page when it is asked for; `clock` says what time it is then.
pub(in crate::cli) fn page(
    status: Arc<Status>,
    clock: impl Fn() -> Moment + Send + Sync + 'static,
) -> Result<impl Fn() -> Result<String, String> + Send + Sync + 'static, CliError> {
    let figures = Figures::new(env!("CARGO_PKG_VERSION"), clock())
        .map_err(|error| CliError::Other(format!("a family of figures is wrong: {error}")))?;
    Ok(move || {
        for seconds in status.commit_seconds() {
            figures.committed(seconds);
        }
        let board = status.board();
        figures.page(clock(), &reading(&board)).map_err(|error| error.to_string())
    })
}

fn reading(board: &Board) -> Reading {
    let sources = board.feeds.iter().map(|feed| SourceReading {
        name: feed.name.clone(),
        records: feed.records,
        letters: feed.refused,
        lag: feed.lag.clone(),
        heard: feed.heard,
        state: match (&feed.halted, &feed.trouble) {
            (Some(_), _) => SourceState::Halted,
            (None, Some(_)) => SourceState::Trouble,
            (None, None) => SourceState::Up,
        },
    });
    Reading {
        sources: sources.collect(),
        letters: board.letters.iter().map(|(reason, n)| ((*reason).to_owned(), *n)).collect(),
        commits: board.commits,
        sequence: board.shown.sequence,
        subjects: board.shown.live,
        more: duties(board),
    }
}

/// How duties stand, by partner and obligation: read off the engine's counts, nothing of it is counted here.
fn duties(board: &Board) -> String {
    let mut text =
        String::from("# HELP onus_duties Duties by how they stand, as of the last commit.\n# TYPE onus_duties gauge\n");
    let mut by: BTreeMap<(&str, &str), [i64; Standing::ALL.len()]> = BTreeMap::new();
    for row in &board.standings {
        let counts = by.entry((&row.partner, &row.obligation)).or_default();
        for standing in Standing::ALL {
            counts[standing as usize] += row.tally.of(standing);
        }
    }
    for ((partner, obligation), counts) in by {
        for standing in Standing::ALL.into_iter().filter(|s| !matches!(s, Standing::Untold | Standing::Withdrawn)) {
            let _ = writeln!(
                text,
                "onus_duties{{partner=\"{}\",obligation=\"{}\",standing=\"{standing}\"}} {}",
                escaped(partner),
                escaped(obligation),
                counts[standing as usize]
            );
        }
    }
    text
}

/// A label's value, as the text format wants it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
