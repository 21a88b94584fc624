//! What a change log says: up to five fields that changed at once.

use super::deed::{Deed, Source, change, reason, ticket};
use super::{Issue, Jira, place};
use crate::ingest::adapt::codes::{Error, No, Skip};
use crate::ingest::adapt::desk::Desk;
use crate::ingest::adapt::event::{Quality, Value};
use crate::ingest::adapt::tree::Tree;
use onus_engine::time::Moment;

impl Jira {
    pub(super) fn changes(
        &self,
        issue: &Issue,
        fields: Option<&Tree<'_>>,
        log: &Tree<'_>,
        at: Moment,
        actor: [(&'static str, Value); 2],
        desk: &mut Desk<'_>,
    ) -> Result<(), No> {
        let Some(id) = log.at("id").word() else {
            return No::error(Error::MissingId, "the change log has no id");
        };
        desk.about(&issue.key, &issue.partner, at);
        let mut row = issue.onto(desk.known(&place(&issue.id)).cloned().unwrap_or_default());
        // A log that comes late says what happened, and not how the issue stands.
        let newest = row.get("at").and_then(|at| at.parse::<i64>().ok()).is_none_or(|seen| seen <= at.0);
        let priority = fields.and_then(|fields| fields.path(&["priority", "name"]).text());
        let priority = priority.map(|name| self.priority(name)).transpose()?.map(str::to_owned);
        let (mut deeds, mut on_the_way) = (Vec::new(), false);
        for item in log.at("items").list() {
            let to = item.at("toString").text();
            match item.at("fieldId").text().or_else(|| item.at("field").text()) {
                Some("status") => {
                    let category = fields.map(|fields| fields.at("status"));
                    let same = |status: &&Tree<'_>| status.at("id").word() == item.at("to").word();
                    let category = category.filter(same).and_then(|s| s.path(&["statusCategory", "key"]).text());
                    let stage = self.stage(item.at("to").word().as_deref(), to, category, issue.change)?;
                    let before = (item.at("from").word(), item.at("fromString").text());
                    let from = self.stage(before.0.as_deref(), before.1, None, issue.change).ok();
                    let from = from.or_else(|| row.get("stage").filter(|_| newest)).map(str::to_owned);
                    let from = from.as_deref();
                    if issue.change {
                        let deed = change(from, stage).map(|deed| self.answered(deed, fields, at));
                        on_the_way = deed.is_none() && from != Some(stage);
                        deeds.extend(deed);
                    } else {
                        if from.is_none() && stage == "in-progress" {
                            let why =
                                "the settings do not translate the status before, so what the step means is not known";
                            return No::error(Error::UnmappedState, why);
                        }
                        let name = to.unwrap_or_default();
                        let same_pause = from == Some("on-hold") && stage == "on-hold";
                        if same_pause && before.1.map(reason) != Some(reason(name)) {
                            let mut over = Deed::new("ticket.resumed", "status");
                            over.data.push(("reason", Value::from(reason(before.1.unwrap_or_default()))));
                            deeds.push(over);
                        }
                        deeds.extend(ticket(from, stage, name)?);
                    }
                    if newest {
                        row.set("stage", Some(stage));
                        row.set("status", to);
                    }
                }
                Some("priority") => {
                    let word = to.map(|name| self.priority(name)).transpose()?;
                    let before = item.at("fromString").text().and_then(|name| self.tables.priority.get(name));
                    if !issue.change && word.is_some() && word != before.map(String::as_str) {
                        let mut deed = Deed::new("ticket.reprioritised", "priority");
                        deed.data.push(("previous", before.map_or(Value::Null, |word| Value::from(word.as_str()))));
                        deeds.push(deed);
                    }
                    if newest {
                        row.set("priority", word);
                    }
                }
                Some("assignee") => {
                    let assignee = item.at("to").word();
                    if !issue.change {
                        let mut deed = Deed::new("ticket.assigned", "assignee");
                        deed.data.push(("assignee", assignee.as_deref().map_or(Value::Null, Value::from)));
                        deeds.push(deed);
                    }
                    if newest {
                        row.set("assignee", assignee.as_deref());
                    }
                }
                _ => {}
            }
        }
        if newest {
            row.set("at", Some(&at.0.to_string()));
        }
        desk.remember(&place(&issue.id), row);
        if deeds.is_empty() {
            return match on_the_way {
                true => No::skip(Skip::NotFinal, "the change is on its way, which tells nothing yet"),
                false => No::skip(Skip::NoChange, "nothing that is told has changed"),
            };
        }
        let source = Source { issue, log: id.into_owned(), at, quality: Quality::Exact, actor, priority };
        source.tell(deeds, desk)
    }

    /// Who approved or declined, and when: in the approvals' field, because an automation moves the status.
    fn answered(&self, mut deed: Deed, fields: Option<&Tree<'_>>, at: Moment) -> Deed {
        let wanted = match deed.kind {
            "change.approved" => "approved",
            "change.rejected" => "declined",
            _ => return deed,
        };
        let says = |tree: &Tree<'_>| {
            let said = tree.text().map(str::to_ascii_lowercase);
            said.as_deref() == Some(wanted) || (wanted == "declined" && said.as_deref() == Some("rejected"))
        };
        let field = self.tables.approvals.as_deref().zip(fields).map(|(name, fields)| fields.at(name));
        let answers = field.map(|field| field.list()).unwrap_or_default();
        let when = |answer: &&Tree<'_>| answer.path(&["completedDate", "epochMillis"]).whole().unwrap_or_default();
        let last = answers.iter().filter(|answer| says(answer.at("finalDecision"))).max_by_key(when);
        let mut who = Vec::new();
        if let Some(answer) = last {
            let decided = answer.at("approvers").list().iter().filter(|one| says(one.at("approverDecision")));
            for one in decided {
                let person = one.at("approver");
                let name = [person.at("accountId"), person.at("key"), person.at("name")].iter().find_map(|f| f.text());
                who.extend(name.map(str::to_owned));
            }
            let done = Moment(when(&last.unwrap_or(answer)));
            // An answer from after the step, or from before all times, is not the one that made it.
            deed.at = (done.0 >= self.tables.earliest && done <= at).then_some(done);
        }
        deed.data.push((
            "approver",
            match who.len() {
                0 => Value::Null,
                1 => Value::Text(who.remove(0)),
                _ => Value::List(who),
            },
        ));
        deed.data.push(("side", Value::from("unknown")));
        deed
    }
}
