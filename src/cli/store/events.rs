//! `onus store events`: what was taken in, as the journal has it.

use super::super::{CliError, exit};
use super::{Where, told};
use crate::runtime::live::{TakenIn, taken_in};
use crate::store::copies;
use clap::Args;
use serde_json::value::RawValue;
use std::io::{BufWriter, Write};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus store events --store sqlite:onus.db | onus explain INC0041 --contracts contracts/ -
  onus store events --store sqlite:onus.db --subject INC0041 --places

An event a line, in the order in which they were taken in, each as it came or as an adapter made it of a vendor's record, with the
identities of the catalogue in the place of native names.
With --places a line is {\"source\", \"partition\", \"offset\", \"arrived\", \"event\"}. The journal reaches back as far as
`judge.retention`. It may run beside the process that writes. Exit codes: 0 done, 2 the store could not be read.")]
pub(super) struct EventsArgs {
    #[command(flatten)]
    at: Where,
    /// Which shard
    #[arg(long, value_name = "N", default_value = "0")]
    shard: u16,
    /// Of this source only, by its name in the settings
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Of this partner only, of those that name one
    #[arg(long, value_name = "PARTNER")]
    partner: Option<String>,
    /// Of this subject only
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// Say where each stood and when it came
    #[arg(long)]
    places: bool,
}

/// What is asked of an event.
#[derive(serde::Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    partner: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    subject: Option<std::borrow::Cow<'a, str>>,
}

impl EventsArgs {
    fn wants(&self, one: &TakenIn<'_>) -> bool {
        if self.source.as_ref().is_some_and(|source| source != one.source) {
            return false;
        }
        if self.partner.is_none() && self.subject.is_none() {
            return true;
        }
        let Ok(named) = serde_json::from_slice::<Named<'_>>(one.event) else { return false };
        let fits = |asked: &Option<String>, said: &Option<std::borrow::Cow<'_, str>>| {
            asked.is_none() || asked.as_deref() == said.as_deref()
        };
        fits(&self.partner, &named.partner) && fits(&self.subject, &named.subject)
    }
}

pub(super) fn run(args: &EventsArgs) -> Result<u8, CliError> {
    let mut store = copies::existing(&args.at.place()?, args.shard).map_err(told)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut wrong = None;
    let shown = taken_in(store.as_mut(), &mut |one| {
        if wrong.is_none() && args.wants(&one) {
            wrong = line(&mut out, &one, args.places).err();
        }
    });
    shown.map_err(|error| CliError::Other(error.to_string()))?;
    match wrong.map_or_else(|| out.flush(), Err) {
        // Nobody reads any more.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::Other(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(exit::FINE),
    }
}

fn line(out: &mut impl Write, one: &TakenIn<'_>, places: bool) -> std::io::Result<()> {
    if !places {
        out.write_all(one.event)?;
        return out.write_all(b"\n");
    }
    let event: Option<&RawValue> = serde_json::from_slice(one.event).ok();
    let (source, partition, offset, arrived) = (one.source, one.partition, one.offset, one.arrived.to_string());
    #[derive(serde::Serialize)]
    struct Line<'a> {
        source: &'a str,
        partition: i32,
        offset: u64,
        arrived: String,
        event: Option<&'a RawValue>,
    }
    serde_json::to_writer(&mut *out, &Line { source, partition, offset, arrived, event })?;
    out.write_all(b"\n")
}
