//! How far a population is: of how many the act is done, and who are the others.

use super::words;
use crate::duty::Duty;
use crate::fold::View;
use crate::register::Ask;
use crate::rule::Act;
use serde::Serialize;

/// So many are named in a sentence.
const NAMED: usize = 20;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The act, and of whom.
    pub says: String,
    /// Of how many it is done.
    pub done: usize,
    /// Of how many it is owed.
    pub all: usize,
    /// Of whom it is not done.
    pub open: Vec<String>,
}

/// The populations of a duty, in the order of its act.
pub(super) fn of(view: View<'_>, duty: &Duty) -> Vec<Count> {
    let (book, rule) = (view.book, view.book.rule(duty.rule));
    let (Some(register), Some(act)) = (view.register, rule.act().filter(|_| rule.populated)) else { return Vec::new() };
    let count = |population| {
        let ask = Ask {
            book,
            subject: view.subject,
            rule: duty.rule,
            population,
            from: duty.acts_from(),
            anchor: view.timeline.facts().find(|f| f.key() == duty.anchor()),
        };
        let count = register.headcount(&ask);
        let says = words::act(book, &Act::Every(Box::new(population.clone())));
        Count { says, done: count.done, all: count.all, open: count.open }
    };
    act.populations().into_iter().map(count).collect()
}

impl Count {
    /// As a sentence.
    pub(super) fn text(&self) -> String {
        let figure = |n: usize| {
            let digits = n.to_string();
            let groups: Vec<&str> =
                digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
            groups.join(",")
        };
        let mut text = format!("{}: {} of {} done", self.says, figure(self.done), figure(self.all));
        if !self.open.is_empty() {
            let named: Vec<&str> = self.open.iter().take(NAMED).map(String::as_str).collect();
            text.push_str(&format!("; open: {}", named.join(", ")));
            if self.open.len() > NAMED {
                text.push_str(&format!(", and {} more", figure(self.open.len() - NAMED)));
            }
        }
        text
    }
}
