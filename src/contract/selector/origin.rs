//! `from`: what a limit counts from.

use super::{Cx, Filters, Head, Selector, events, nameless, not_ahead, read, sound};
use crate::contract::code::Code;
use crate::contract::yaml::Node;
use onus_engine::terms::{EventMatch, Pick};

/// The events that a limit counts from: from the first of them, or with `pick: latest` anew from each.
pub(crate) fn origin(node: &Node, cx: &mut Cx<'_>) -> Option<Vec<EventMatch>> {
    let selector = read(node, &Filters::default(), cx)?;
    let mut found = Vec::new();
    origins(&selector, &mut found, cx)?;
    let latest = found.iter().filter(|event: &&EventMatch| event.pick.is_some()).count();
    if latest > 0 && latest < found.len() {
        let hint = "say `pick: latest` around them, or make a limit of each in a list";
        cx.report.hinted(Code::WrongFilter, selector.at, "members of `from` with `pick` of their own", hint);
        return None;
    }
    Some(found)
}

fn origins(selector: &Selector, found: &mut Vec<EventMatch>, cx: &mut Cx<'_>) -> Option<()> {
    match &selector.head {
        Head::Event { kind, filters } => {
            not_ahead(filters, selector.at, cx)?;
            sound(kind, filters, "`from`", selector.at, cx)?;
            let pick = filters.pick.filter(|pick| *pick == Pick::Latest);
            found.extend(events(kind, filters).into_iter().map(|e| EventMatch {
                time: filters.time.clone(),
                pick,
                ..e
            }));
            Some(())
        }
        Head::Any(members) => {
            let all: Vec<Option<()>> = members.iter().map(|member| origins(member, found, cx)).collect();
            all.into_iter().collect()
        }
        Head::All(_) | Head::InOrder(_) | Head::Done { .. } | Head::Breached { .. } => {
            let hint = "make an obligation of it that begins there, with `when`";
            cx.report.hinted(
                Code::WrongFilter,
                selector.at,
                "a limit counts `from` an event, or `any` of several",
                hint,
            );
            None
        }
        Head::Itself { .. } => {
            nameless(selector.at, cx);
            None
        }
    }
}
