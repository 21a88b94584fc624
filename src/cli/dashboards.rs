//! `onus dashboards`: Grafana's boards, printed or written.

use super::{CliError, exit, write_out};
use crate::telemetry::boards;
use clap::Args;
use std::fs;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus dashboards                                list them
  onus dashboards onus-leadership > overview.json
  onus dashboards --into /etc/grafana/dashboards --runbook-base https://wiki.example/onus/

They are of the classic schema, as Grafana provisions it from files; dashboards/ holds the
same. Data source, job, partner and obligation are chosen above each board.")]
pub(in crate::cli) struct DashboardsArgs {
    /// The board to print, by its id
    #[arg(value_name = "BOARD", conflicts_with = "into")]
    board: Option<String>,
    /// Write all of them into this folder, a file each
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    /// What stands before `OnusBreached.md` in links to runbooks
    #[arg(long, value_name = "URL", default_value = boards::RUNBOOKS)]
    runbook_base: String,
}

pub(in crate::cli) fn run(args: &DashboardsArgs) -> Result<u8, CliError> {
    let all = boards::all();
    let slash = if args.runbook_base.ends_with('/') { "" } else { "/" };
    let runbooks = format!("{}{slash}", args.runbook_base);
    if let Some(folder) = &args.into {
        let failed = |path: &PathBuf, error: std::io::Error| CliError::Other(format!("{}: {error}", path.display()));
        fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        for board in &all {
            let path = folder.join(format!("{}.json", board.uid));
            fs::write(&path, boards::text(board, &runbooks)).map_err(|error| failed(&path, error))?;
        }
        return Ok(exit::FINE);
    }
    let Some(name) = &args.board else {
        let lines =
            all.iter().map(|board| format!("{:<18} {}\n{:<18}   {}\n", board.uid, board.title, "", board.words));
        write_out(&lines.collect::<String>())?;
        return Ok(exit::FINE);
    };
    let Some(board) = all.iter().find(|board| board.uid == name) else {
        let names: Vec<&str> = all.iter().map(|board| board.uid).collect();
        return Err(CliError::Other(format!("there is no board {name:?}; there are {}", names.join(", "))));
    };
    write_out(&boards::text(board, &runbooks))?;
    Ok(exit::FINE)
}
