//! `scope`: which events a contract, or a control of it, is about.

use super::fields::{self, Fields};
use super::keys::top;
use super::names::Cx;
use super::yaml::Node;
use onus_engine::terms::Scope;

/// Reads a scope, and what it leaves out.
pub(crate) fn scope(node: &Node, cx: &mut Cx<'_>) -> Option<Scope> {
    let fields = Fields::of(node, &top::SCOPE, &mut cx.report)?;
    let mut list = |key: &str| match fields.get(key) {
        Some(node) => fields::texts(node, &format!("`{key}`"), &mut cx.report),
        None => Some(Vec::new()),
    };
    let (groups, accounts, mounts) = (list("assignment-groups"), list("accounts"), list("vault-mounts"));
    let (credentials, sources) = (list("credentials"), list("sources"));
    let labels = match fields.get("labels") {
        Some(node) => fields::map(node, "`labels`", &mut cx.report).and_then(|entries| {
            fields::every(entries, |entry| {
                let pattern = fields::text(&entry.node, "a label", &mut cx.report)?;
                Some((entry.key.clone(), pattern.to_owned()))
            })
        }),
        None => Some(Vec::new()),
    };
    let except = fields.get("except").map(|node| scope(node, cx).map(Box::new));
    Some(Scope {
        groups: groups?,
        accounts: accounts?,
        mounts: mounts?,
        credentials: credentials?,
        labels: labels?,
        sources: sources?,
        except: fields::optional(except)?,
    })
}
