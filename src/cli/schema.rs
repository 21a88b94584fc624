//! `onus schema`: the languages of contracts, mappers and catalogues for editors, and their reference pages.

use super::{CliError, exit, write_out};
use crate::contract;
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus schema contract > contract.schema.json
  onus schema contract --format page > contract.md
  onus schema mapper > mapper.schema.json
  onus schema catalogue > catalogue.schema.json

With the first line `# yaml-language-server: $schema=contract.schema.json` in a
contract, editors complete keys and show what they mean. The schema has what the
loader accepts today; `onus lint` knows more than a schema can say.")]
pub(in crate::cli) struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    of: Language,
    /// How to print
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    /// Contract files.
    Contract,
    /// Files that contracts include.
    Part,
    /// Mappers: sources described in YAML.
    Mapper,
    /// Catalogues of identities.
    Catalogue,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// JSON Schema, draft 2020-12.
    Json,
    /// The key reference, in Markdown.
    Page,
}

pub(in crate::cli) fn run(args: &SchemaArgs) -> Result<u8, CliError> {
    let text = match (args.of, args.format) {
        (Language::Contract, Format::Json) => format!("{:#}\n", contract::schema()),
        (Language::Part, Format::Json) => format!("{:#}\n", contract::part_schema()),
        (Language::Mapper, Format::Json) => format!("{:#}\n", contract::mapper_schema()),
        (Language::Catalogue, Format::Json) => format!("{:#}\n", contract::catalogue_schema()),
        (Language::Catalogue, Format::Page) => {
            let why = "a catalogue has few keys: docs/guide/catalogue.md has them";
            return Err(CliError::Other(why.to_owned()));
        }
        (Language::Contract | Language::Part, Format::Page) => contract::key_page(),
        (Language::Mapper, Format::Page) => contract::mapper_page(),
    };
    write_out(&text)?;
    Ok(exit::FINE)
}
