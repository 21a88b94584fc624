//! Grafana dashboards: typed, so that what every panel must have cannot be forgotten, and written as the classic JSON that
//! files are provisioned from.
//!
//! One rule stands above the others: a board never shows green over blindness. What is not known has a colour of its own,
//! comes first, and is what a panel shows when nothing answers.

mod credentials;
mod json;
mod leadership;
mod operations;
mod partner;

/// A board.
#[derive(Clone, Debug)]
pub struct Board {
    /// Its file's name, and its stable id in Grafana.
    pub uid: &'static str,
    /// Its title.
    pub title: &'static str,
    /// For whom, and what for.
    pub words: &'static str,
    /// Beside data source and job.
    pub variables: Vec<Variable>,
    /// How far back, as Grafana says it.
    pub from: &'static str,
    /// From top to bottom.
    pub rows: Vec<Row>,
}

/// Panels under one heading.
#[derive(Clone, Debug)]
pub struct Row {
    /// The heading: a question, or what it is about.
    pub title: &'static str,
    /// From left to right; a line is 24 wide.
    pub panels: Vec<Panel>,
}

/// A choice above the board.
#[derive(Clone, Debug)]
pub struct Variable {
    /// `$name`
    pub name: &'static str,
    /// As people see it.
    pub label: &'static str,
    /// Where its values come from.
    pub query: &'static str,
    /// Only values that this fits; empty: all.
    pub regex: &'static str,
    /// Several at once, or one.
    pub multi: bool,
}

/// One question and its answer.
#[derive(Clone, Debug)]
pub struct Panel {
    /// A question.
    pub title: &'static str,
    /// What is shown, and how to read it.
    pub words: &'static str,
    /// How.
    pub kind: Kind,
    /// Of 24.
    pub width: u8,
    /// In lines of Grafana's grid.
    pub height: u8,
    /// Grafana's name of the unit.
    pub unit: &'static str,
    /// What is asked.
    pub targets: Vec<Target>,
    /// From which value on which colour.
    pub steps: Vec<(Option<f64>, Colour)>,
    /// Words for values.
    pub says: Vec<Say>,
    /// What is said where nothing answers.
    pub nothing: &'static str,
    /// Changes for single series or columns.
    pub columns: Vec<Column>,
    /// Alerts whose runbooks belong here.
    pub runbooks: &'static [&'static str],
    /// For tables: by which column, downwards or not.
    pub sorted: Option<(&'static str, bool)>,
}

/// How an answer is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers, large.
    Stat,
    /// Rows; several targets are joined by their labels.
    Table,
    /// Bars, one a series.
    Bars,
    /// Over time, as lines.
    Lines,
    /// Over time, stacked.
    Stack,
    /// Words alone.
    Text,
}

/// One query.
#[derive(Clone, Debug)]
pub struct Target {
    /// PromQL.
    pub expr: String,
    /// The name of what comes.
    pub legend: &'static str,
}

/// A word for a value.
#[derive(Clone, Copy, Debug)]
pub enum Say {
    /// For this value.
    Value(i64, &'static str, Colour),
    /// From, to.
    Range(i64, i64, &'static str, Colour),
}

/// A series or a column, by name.
#[derive(Clone, Debug)]
pub struct Column {
    /// As it is shown.
    pub name: &'static str,
    /// Its unit, where it is another.
    pub unit: Option<&'static str>,
    /// Its colour, where it has one.
    pub colour: Option<Colour>,
    /// In a table, its own thresholds.
    pub steps: Vec<(Option<f64>, Colour)>,
    /// In a table, its own words.
    pub says: Vec<Say>,
}

/// What colours mean. Words stand beside them everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Not known: nothing may be believed.
    Unknown,
    /// Broken.
    Bad,
    /// At risk.
    Warn,
    /// Kept, and known to be kept.
    Good,
    /// Neither.
    Plain,
    /// Of another kind: the customer's side, a target.
    Other,
}

impl Colour {
    /// Grafana's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Colour::Unknown => "purple",
            Colour::Bad => "red",
            Colour::Warn => "orange",
            Colour::Good => "green",
            Colour::Plain => "text",
            Colour::Other => "blue",
        }
    }
}

/// All boards.
pub fn all() -> Vec<Board> {
    vec![leadership::board(), partner::board(), operations::board(), credentials::board()]
}

/// A board as Grafana reads it. `runbooks` stands before a runbook's name.
pub fn text(board: &Board, runbooks: &str) -> String {
    format!("{:#}\n", json::board(board, runbooks))
}

/// The alerts' runbooks, where nothing else is said.
pub const RUNBOOKS: &str = "https://onus.example/runbooks/";

impl Panel {
    fn new(kind: Kind, title: &'static str, words: &'static str) -> Panel {
        let (width, height) = match kind {
            Kind::Stat => (6, 4),
            Kind::Text => (24, 4),
            Kind::Table | Kind::Bars | Kind::Lines | Kind::Stack => (12, 8),
        };
        Panel {
            title,
            words,
            kind,
            width,
            height,
            unit: "short",
            targets: Vec::new(),
            steps: vec![(None, Colour::Plain)],
            says: Vec::new(),
            nothing: "not known",
            columns: Vec::new(),
            runbooks: &[],
            sorted: None,
        }
    }

    /// `#` in an expression stands for the matchers of the board's choices.
    fn ask(mut self, matchers: &str, expr: &str, legend: &'static str) -> Panel {
        self.targets.push(Target { expr: expr.replace("#,", &format!("{matchers},")).replace('#', matchers), legend });
        self
    }

    fn size(mut self, width: u8, height: u8) -> Panel {
        (self.width, self.height) = (width, height);
        self
    }

    fn unit(mut self, unit: &'static str) -> Panel {
        self.unit = unit;
        self
    }

    fn steps(mut self, first: Colour, more: &[(f64, Colour)]) -> Panel {
        self.steps = steps(first, more);
        self
    }

    fn says(mut self, says: &[Say]) -> Panel {
        self.says = says.to_vec();
        self
    }

    /// Where nothing answers it is not blindness: the query says so itself if Onus is not there.
    fn nothing(mut self, word: &'static str) -> Panel {
        self.nothing = word;
        self
    }

    fn column(mut self, column: Column) -> Panel {
        self.columns.push(column);
        self
    }

    fn colour(self, name: &'static str, colour: Colour) -> Panel {
        self.column(Column { colour: Some(colour), ..Column::named(name) })
    }

    fn runbooks(mut self, names: &'static [&'static str]) -> Panel {
        self.runbooks = names;
        self
    }

    fn sorted(mut self, column: &'static str, down: bool) -> Panel {
        self.sorted = Some((column, down));
        self
    }
}

impl Column {
    fn named(name: &'static str) -> Column {
        Column { name, unit: None, colour: None, steps: Vec::new(), says: Vec::new() }
    }

    fn unit(mut self, unit: &'static str) -> Column {
        self.unit = Some(unit);
        self
    }

    fn steps(mut self, first: Colour, more: &[(f64, Colour)]) -> Column {
        self.steps = steps(first, more);
        self
    }

    fn says(mut self, says: &[Say]) -> Column {
        self.says = says.to_vec();
        self
    }
}

fn steps(first: Colour, more: &[(f64, Colour)]) -> Vec<(Option<f64>, Colour)> {
    let rest = more.iter().map(|(from, colour)| (Some(*from), *colour));
    std::iter::once((None, first)).chain(rest).collect()
}

/// Every series of these boards is of the jobs that were chosen.
const JOB: &str = "job=~\"$job\"";
/// And of these partners.
const PARTNER: &str = "job=~\"$job\",partner=~\"$partner\"";
/// And of these obligations.
const BOTH: &str = "job=~\"$job\",partner=~\"$partner\",obligation=~\"$obligation\"";

fn partners(multi: bool) -> Variable {
    let query = "label_values(onus_partner_info{job=~\"$job\"}, partner)";
    Variable { name: "partner", label: "Partner", query, regex: "", multi }
}

fn obligations(regex: &'static str) -> Variable {
    let query = "label_values(onus_obligation_info{job=~\"$job\", partner=~\"$partner\"}, obligation)";
    Variable { name: "obligation", label: "Obligation", query, regex, multi: true }
}

/// What is due next, by partner and obligation: the same on several boards.
fn due_next(matchers: &'static str, width: u8) -> Panel {
    Panel::new(
        Kind::Table,
        "What breaks next?",
        "The earliest deadline of each obligation that has open duties, by the judge's clock: the ten that are nearest. Below \
         zero: the deadline has passed, and it is not known yet whether the duty was done.",
    )
    .size(width, 8)
    .ask(
        matchers,
        "bottomk(10, max by (partner, obligation) (onus_next_deadline_timestamp_seconds{#})\n\
         - scalar(max(onus_clock_timestamp_seconds{job=~\"$job\"})))",
        "Time left",
    )
    .unit("s")
    .column(Column::named("Time left").unit("s").steps(
        Colour::Unknown,
        &[(0.0, Colour::Warn), (14_400.0, Colour::Plain)],
    ))
    .nothing("nothing is open, or nothing is known: see the first row")
    .runbooks(&["OnusAtRisk", "OnusVerdictUnknown"])
    .sorted("Time left", false)
}

/// The first panel of every board.
fn trust() -> Panel {
    use Say::{Range, Value};
    Panel::new(
        Kind::Stat,
        "Can I trust this page?",
        "Yes: the judge's clock runs, every source on which a duty rests can be read, and no verdict is open. Anything else is \
         purple, and so is no answer at all. Clock: more than two minutes behind. Blind: a source has stopped. Open: a deadline \
         has passed, and what would show the act has not been heard. Of all partners, whichever are chosen above.",
    )
    .size(8, 5)
    .ask(
        JOB,
        "4 * (time() - min(onus_clock_timestamp_seconds{#}) > bool 120)\n\
         + 2 * (max(onus_partner_blind{#}) > bool 0)\n\
         + (sum(onus_duties{standing=\"unknown\",#}) > bool 0)",
        "Trust",
    )
    .steps(Colour::Unknown, &[])
    .says(&[
        Value(0, "Yes", Colour::Good),
        Value(1, "Mostly: some verdicts are open", Colour::Unknown),
        Range(2, 3, "No: we are blind to a partner", Colour::Unknown),
        Range(4, 7, "No: the clock stands still", Colour::Unknown),
    ])
    .nothing("No: Onus does not answer")
    .runbooks(&["OnusPartnerBlind", "OnusClockHeld", "OnusDown", "OnusVerdictUnknown"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_panel_asks_something_says_what_it_means_and_what_silence_means() {
        for board in all() {
            let mut titles = Vec::new();
            for panel in board.rows.iter().flat_map(|row| &row.panels) {
                assert!(panel.words.len() > 40, "{}: {} says too little", board.uid, panel.title);
                assert!(!panel.nothing.is_empty() && !titles.contains(&panel.title), "{}", panel.title);
                assert_eq!(panel.kind == Kind::Text, panel.targets.is_empty(), "{}", panel.title);
                titles.push(panel.title);
            }
            let first = &board.rows[0].panels[0];
            assert_eq!(first.title, "Can I trust this page?", "{}", board.uid);
        }
    }
}
