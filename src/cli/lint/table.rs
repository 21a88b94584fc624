//! Problems for people: the same lines as a problem's own text, in colour.

use crate::cli::style::{self, paint, plain};
use crate::contract::{Level, Problem};
use std::fmt::Write as _;

/// All of them, with a blank line after each.
pub(super) fn problems(all: &[Problem]) -> String {
    all.iter().map(|problem| format!("{}\n\n", one(problem))).collect()
}

fn one(problem: &Problem) -> String {
    let colour = match problem.level() {
        Level::Error => style::BAD,
        Level::Warning => style::WARN,
    };
    let place = format!("{}:{}:{}", plain(&problem.file), problem.line, problem.column);
    let code = paint(colour, problem.code.as_str());
    let mut out =
        format!("{}: {code}: {}{}", paint(style::HEAD, &place), problem.message, paint(style::DIM, &problem.context()));
    if let Some(excerpt) = &problem.excerpt {
        let (before, mark) = excerpt.underline();
        let (number, empty) = (format!("{:>5} |", problem.line), "      |");
        let _ = write!(out, "\n{} {}", paint(style::DIM, &number), excerpt.text);
        let _ = write!(out, "\n{} {before}{}", paint(style::DIM, empty), paint(colour, &mark));
    }
    if let Some(hint) = &problem.hint {
        let _ = write!(out, "\n{} {}", paint(style::DIM, "      ="), paint(style::GOOD, hint));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::parse;

    #[test]
    fn without_its_colours_it_is_the_problem_s_own_text() {
        let problems = parse("contract: acme\nzone: Mars\n\tx", "a.yaml").err().unwrap_or_default();
        assert!(!problems.is_empty());
        for problem in &problems {
            assert_eq!(anstream::adapter::strip_str(&one(problem)).to_string(), problem.to_string());
        }
    }
}
