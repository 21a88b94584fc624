//! How far sources were heard travels behind their events: a judge sees none of them itself.

use super::{Intake, Share};
use crate::exchange::carried::{HEADER, Part, Tick};
use crate::exchange::kept::Message;
use crate::runtime::live::LiveError;
use onus_engine::time::Moment;
use std::time::Instant;

impl Intake {
    /// Tells every judge how far sources were heard: all of it up to there is written before this. Nothing may be in hand,
    /// nor on its way.
    pub(super) fn tick(&mut self, stop: &dyn Fn() -> bool) -> Result<(), LiveError> {
        self.ticked = Instant::now();
        let now = (self.clock)();
        self.status.reads(self.claim.sequence, &mut self.frontiers, now);
        if !self.hand.is_empty() || !self.out.made.messages.is_empty() {
            return Ok(());
        }
        let mut messages = Vec::new();
        for (feed, frontier) in self.frontiers.iter_mut().enumerate() {
            let heard = frontier.heard(now);
            let lane = self.lane;
            let parts = match self.shares[feed] {
                Share::Nothing => continue,
                Share::Whole => None,
                _ if lane.of == 1 => None,
                Share::Partitions => Some(frontier.parts()),
                Share::Pushed => Some(u32::from(lane.of)),
            };
            // A source's own tick may come before anybody knows how many partitions there are.
            if heard <= self.told[feed] || parts == Some(0) {
                continue;
            }
            self.told[feed] = heard;
            let part = parts.map(|parts| Part { lane, parts });
            let source = self.plan.feeds[feed].name.clone();
            let last = frontier.last().unwrap_or(Moment::DAWN);
            // Its value is for people who look into the topic; judges go by the header.
            let value = serde_json::json!({ "specversion": "1.0", "type": "onus.tick", "source": source,
                "id": format!("{source}-{}", heard.0), "time": heard.to_string() });
            let (header, value) = (Tick { source, heard, last, part }.header(), value.to_string().into_bytes());
            messages.extend((0..i32::from(self.partitions)).map(|partition| {
                let (header, value) = (header.clone(), value.clone());
                Message { partition, header, value }
            }));
        }
        if !messages.is_empty() {
            let mut trouble = |why: Option<String>| {
                if let Some(why) = &why {
                    tracing::error!("{why}");
                }
            };
            self.outgoing.send_all(&self.topic, HEADER, &messages, stop, &mut trouble).map_err(LiveError::Exchange)?;
        }
        Ok(())
    }
}
