//! `onus token`: tokens that open figures, made, listed, taken back. Only hashes are kept: a token is shown once.

use super::run::plan;
use super::{CliError, exit, write_out};
use crate::settings::{self, Settings};
use crate::telemetry::tokens::{self, Scope, Token};
use clap::{Args, Subcommand};
use onus_engine::terms::PartnerPattern;
use onus_engine::time::DAY;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus token create --partner acme              opens /partners/acme/metrics for 90 days
  onus token create --partner acme --days 365
  onus token create --all                       opens every partner's figures, and /metrics
  onus token list
  onus token revoke 4f1c09ab

The file is the setting http.metrics-tokens-file; a process that runs reads it again when it changes. Whoever has the token
sends it as `Authorization: Bearer TOKEN`.")]
pub(in crate::cli) struct TokenArgs {
    #[command(subcommand)]
    what: What,
    /// Settings file [default: onus.toml, if there is one]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a token, and show it: once
    Create(CreateArgs),
    /// Which tokens there are, what each opens, and until when
    List,
    /// Take a token back
    Revoke {
        /// Its id, as `list` shows it
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// It opens this partner's figures
    #[arg(long, value_name = "NAME", required_unless_present = "all")]
    partner: Option<String>,
    /// It opens every partner's figures, and /metrics
    #[arg(long, conflicts_with = "partner")]
    all: bool,
    /// It opens nothing after so many days
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=3660))]
    days: u16,
    /// Print the line for the file, and write nothing: where the file is somebody else's to write
    #[arg(long)]
    print: bool,
}

pub(in crate::cli) fn run(args: &TokenArgs) -> Result<u8, CliError> {
    let loaded = settings::load(args.config.as_deref())?;
    let settings = &loaded.settings;
    match &args.what {
        What::Create(create) => made(settings, create),
        What::List => listed(&read(settings)?.1),
        What::Revoke { id } => revoked(settings, id),
    }
}

fn read(settings: &Settings) -> Result<(&Path, Vec<Token>), CliError> {
    let Some(file) = &settings.http.metrics_tokens else {
        let what = "no file of tokens: say where it is to be in [http] metrics-tokens-file";
        return Err(CliError::Other(what.to_owned()));
    };
    Ok((file, tokens::load(file).map_err(CliError::Other)?))
}

fn made(settings: &Settings, args: &CreateArgs) -> Result<u8, CliError> {
    let scope = match &args.partner {
        Some(name) => Scope::Partner(known(settings, name)?),
        None => Scope::All,
    };
    let expires = super::check::wall_clock() + i64::from(args.days) * DAY;
    let (token, text) = tokens::fresh(scope, expires).map_err(CliError::Other)?;
    let opens = opens(&token.scope);
    if args.print {
        let lines = tokens::written(&[token]);
        let line = lines.lines().last().unwrap_or_default();
        write_out(&format!("{text}\n"))?;
        anstream::eprintln!("opens {opens} until {expires}, once this line stands in the file of tokens:\n{line}");
        return Ok(exit::FINE);
    }
    let (file, mut all) = read(settings)?;
    let id = token.id.clone();
    all.push(token);
    write(file, &all)?;
    // The token alone goes to standard output, so that it can be put where it belongs without being seen.
    write_out(&format!("{text}\n"))?;
    anstream::eprintln!("token {id} opens {opens} until {expires}; it is shown this once");
    Ok(exit::FINE)
}

/// A name that some contract binds: a slip would open nothing, and nobody would be told.
fn known(settings: &Settings, name: &str) -> Result<String, CliError> {
    if name.is_empty() || name.chars().any(char::is_control) || name.trim() != name {
        return Err(CliError::Other(
            "a partner's name has no blanks at its ends, and no control characters".to_owned(),
        ));
    }
    let contracts = (plan(settings).contracts)().map_err(CliError::Other)?;
    let mut patterns = contracts.list.iter().flat_map(|contract| &contract.partners);
    let binds = |pattern: &PartnerPattern| match pattern {
        PartnerPattern::Exact(exact) => exact == name,
        PartnerPattern::Prefix(stem) => name.starts_with(stem.as_str()),
    };
    if patterns.any(binds) {
        return Ok(name.to_owned());
    }
    let mut names: Vec<String> = contracts
        .list
        .iter()
        .flat_map(|contract| &contract.partners)
        .map(|pattern| match pattern {
            PartnerPattern::Exact(name) => name.clone(),
            PartnerPattern::Prefix(stem) => format!("{stem}*"),
        })
        .collect();
    names.sort();
    names.dedup();
    Err(CliError::Other(format!("no contract binds a partner `{name}`; they bind {}", names.join(", "))))
}

fn listed(all: &[Token]) -> Result<u8, CliError> {
    let now = super::check::wall_clock();
    let mut text = String::new();
    for token in all {
        let over = if now >= token.expires { "  expired" } else { "" };
        let _ = writeln!(
            text,
            "{}  until {}{over}  {}",
            token.id,
            token.expires,
            super::style::plain(&opens(&token.scope))
        );
    }
    if all.is_empty() {
        text.push_str("no tokens\n");
    }
    write_out(&text)?;
    Ok(exit::FINE)
}

fn revoked(settings: &Settings, id: &str) -> Result<u8, CliError> {
    let (file, mut all) = read(settings)?;
    let before = all.len();
    all.retain(|token| token.id != id);
    if all.len() == before {
        return Err(CliError::Other(format!("there is no token {id}: `onus token list` shows them")));
    }
    write(file, &all)?;
    write_out(&format!("token {id} opens nothing any more\n"))?;
    Ok(exit::FINE)
}

fn opens(scope: &Scope) -> String {
    match scope {
        Scope::Partner(name) => format!("the figures of {name}"),
        Scope::All => "all figures".to_owned(),
    }
}

/// The whole file at once: whoever reads it finds the old one or the new one.
fn write(file: &Path, all: &[Token]) -> Result<(), CliError> {
    use std::io::Write as _;
    let failed = |error: &dyn std::fmt::Display| CliError::Other(format!("{}: {error}", file.display()));
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(&error))?;
    new.write_all(tokens::written(all).as_bytes()).map_err(|error| failed(&error))?;
    if let Ok(meta) = std::fs::metadata(file) {
        std::fs::set_permissions(new.path(), meta.permissions()).map_err(|error| failed(&error))?;
    }
    new.as_file().sync_all().map_err(|error| failed(&error))?;
    new.persist(file).map_err(|error| failed(&error.error))?;
    Ok(())
}
