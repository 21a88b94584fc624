//! `onus settings`: what holds and who said so; what is wrong.

use super::{CliError, exit, write_out};
use crate::settings;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus settings show
  ONUS__JUDGE__BATCH=1000 onus settings show --config /etc/onus/onus.toml
  onus settings check --config /etc/onus/onus.toml

A setting is read from the environment (ONUS__SECTION__KEY, ONUS__KAFKA__NAME__KEY, ONUS__SOURCE__NAME__KEY), else from
the file, else it has its default. Secrets stand in files of their own and are never printed.")]
pub(in crate::cli) struct SettingsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print the settings in force, and where each comes from.
    Show {
        #[command(flatten)]
        file: File,
        /// How to print
        #[arg(long, value_enum, default_value = "toml")]
        format: Format,
    },
    /// Say what is wrong with the settings.
    Check {
        #[command(flatten)]
        file: File,
    },
    /// Print a settings file with every default and what it means, to begin with.
    Default,
    /// Print the reference of all settings, in Markdown.
    Reference,
}

#[derive(Debug, Args)]
struct File {
    /// Settings file [default: onus.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A settings file, each value with its origin as a comment.
    Toml,
    /// One JSON document.
    Json,
}

pub(in crate::cli) fn run(args: &SettingsArgs) -> Result<u8, CliError> {
    match &args.what {
        What::Show { file, format } => {
            let loaded = settings::load(file.config.as_deref())?;
            write_out(&match format {
                Format::Toml => settings::toml(&loaded),
                Format::Json => settings::json(&loaded),
            })?;
        }
        What::Check { file } => {
            let loaded = settings::load(file.config.as_deref())?;
            let name = loaded.file.map_or_else(|| "the defaults".to_owned(), |file| file.display().to_string());
            let sources = match loaded.settings.sources.len() {
                1 => "1 source".to_owned(),
                many => format!("{many} sources"),
            };
            write_out(&format!("{name}: fine, {sources}\n"))?;
        }
        What::Default => write_out(&settings::default_file())?,
        What::Reference => write_out(&settings::reference())?,
    }
    Ok(exit::FINE)
}
