//! What the store keeps of the terms: which feeds the journal has heard, since when each counts, and which have gone; and
//! which names stand for identities.

use super::{Feed, Plan};
use crate::catalogue::Names;
use crate::store::Terms;
use onus_engine::time::Moment;
use serde::{Deserialize, Serialize};

/// What the store keeps of the terms.
#[derive(Serialize, Deserialize)]
struct Text {
    contracts: String,
    /// All feeds that the journal has heard.
    feeds: Vec<Known>,
    /// Native names that stand for identities.
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    names: Names,
}

/// A feed that the journal has heard.
#[derive(Serialize, Deserialize)]
struct Known {
    #[serde(flatten)]
    feed: Feed,
    /// When it was named in the settings. What was decided until then was decided without it, and stands: as far as that it
    /// is taken to have been heard.
    #[serde(default = "dawn")]
    joined: Moment,
    /// The settings no longer have it.
    #[serde(default)]
    gone: bool,
}

fn dawn() -> Moment {
    Moment::DAWN
}

fn known(terms: Option<&Terms>) -> Vec<Known> {
    let text = terms.and_then(|terms| serde_json::from_str::<Text>(&terms.text).ok());
    text.map(|text| text.feeds).unwrap_or_default()
}

/// The names that were judged by.
pub(super) fn names(terms: Option<&Terms>) -> Names {
    let text = terms.and_then(|terms| serde_json::from_str::<Text>(&terms.text).ok());
    text.map(|text| text.names).unwrap_or_default()
}

/// Feeds that the settings no longer have: what they said is judged as it was.
pub(super) fn gone(plan: &Plan, terms: Option<&Terms>) -> Vec<Feed> {
    let feeds = known(terms).into_iter().map(|known| known.feed);
    feeds.filter(|feed| plan.feeds.iter().all(|here| here.name != feed.name)).collect()
}

/// When each feed of the plan joined; one that the settings have anew joins where the journal ends.
pub(super) fn joined(plan: &Plan, terms: Option<&Terms>) -> Vec<Moment> {
    let known = known(terms);
    let of = |feed: &Feed| known.iter().find(|known| known.feed.name == feed.name && !known.gone);
    plan.feeds.iter().map(|feed| of(feed).map_or(Moment::NEVER, |known| known.joined)).collect()
}

/// One text of those that several shards kept of the same settings, the newest last.
///
/// A feed counts from when the first of them had it: what the others decided without it after that, they decided before
/// they knew. What is in none of them was never heard.
pub(super) fn merged(all: &[Terms]) -> Result<Option<String>, String> {
    let texts = all.iter().map(|terms| serde_json::from_str::<Text>(&terms.text).map_err(|error| error.to_string()));
    let texts = texts.collect::<Result<Vec<Text>, String>>()?;
    let mut whole: Option<Text> = None;
    for text in texts.into_iter().rev() {
        let Some(whole) = &mut whole else {
            whole = Some(text);
            continue;
        };
        for one in text.feeds {
            match whole.feeds.iter_mut().find(|known| known.feed.name == one.feed.name) {
                Some(known) => known.joined = known.joined.min(one.joined),
                None => whole.feeds.push(one),
            }
        }
        whole.names.join(text.names);
    }
    whole.map(|text| serde_json::to_string(&text)).transpose().map_err(|error| error.to_string())
}

/// What the store is to keep of these contracts, and of the feeds that are read and that once were. `end`: of the journal.
///
/// # Errors
/// Never, but for a defect of the JSON library.
pub(super) fn text(
    contracts: &str,
    names: &Names,
    plan: &Plan,
    before: Option<&Terms>,
    end: Moment,
) -> Result<String, String> {
    let here = plan.feeds.iter().cloned().zip(joined(plan, before));
    let here = here.map(|(feed, joined)| Known { feed, joined: joined.min(end), gone: false });
    let gone = gone(plan, before).into_iter().map(|feed| Known { feed, joined: Moment::DAWN, gone: true });
    let text = Text { contracts: contracts.to_owned(), feeds: here.chain(gone).collect(), names: names.clone() };
    serde_json::to_string(&text).map_err(|error| error.to_string())
}
