//! Partners and sources, found by name and made on first sight.

use super::shelf::Past;
use super::{Engine, Partner};
use crate::book::Sheet;
use crate::fact::SourceId;
use crate::fold::Source;
use crate::rule::glob;
use crate::terms::Trust;
use crate::time::Moment;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

impl Engine {
    pub(super) fn find_partner(&self, name: &str) -> Option<u32> {
        self.partner_index.find(xxh3_64(name.as_bytes()), |p| self.partners[*p as usize].name == name).copied()
    }

    /// The partner's position; a partner seen for the first time begins its own duties.
    #[cold]
    pub(super) fn partner(&mut self, name: &str) -> u32 {
        let hash = xxh3_64(name.as_bytes());
        if let Some(p) = self.partner_index.find(hash, |p| self.partners[*p as usize].name == name) {
            return *p;
        }
        let sheet = self.sheet(name);
        let recurring = sheet.as_ref().is_some_and(|s| !s.partner_wide.is_empty());
        // A contract of it may have ended already.
        self.next_ending = self.book.next_ending(Moment::DAWN);
        let lanes = sheet.as_ref().and_then(|sheet| self.hearing.lanes(&self.book, name, sheet, self.now));
        let p = self.add_partner(Partner {
            name: name.to_owned(),
            sheet,
            lanes,
            waivers: Vec::new(),
            own: None,
            cells: super::Cells::default(),
            register: None,
            speakers: std::collections::BTreeMap::new(),
        });
        self.expect_sources(p);
        if recurring {
            let slot = self.own_subject(p);
            let mut subject = self.shelf.take(slot);
            self.judge_again(true, &mut subject, &mut Vec::new());
            self.tell(slot, &mut subject, true);
            self.put(slot, subject);
        }
        p
    }

    /// What binds a partner: one sheet for all whom the same rules bind, so that many partners of one contract read the
    /// same memory.
    pub(super) fn sheet(&mut self, name: &str) -> Option<Arc<Sheet>> {
        let sheet = self.book.sheet(name)?;
        Some(Arc::clone(self.sheets.entry(sheet.rules.clone()).or_insert_with(|| Arc::new(sheet))))
    }

    pub(super) fn add_partner(&mut self, partner: Partner) -> u32 {
        let hash = xxh3_64(partner.name.as_bytes());
        let p = self.partners.len() as u32;
        let mut partner = partner;
        if partner.register.is_none() && partner.sheet.as_ref().is_some_and(|s| s.populations) {
            partner.register = Some(Box::new(crate::register::Register::new(&partner.name)));
        }
        self.partners.push(partner);
        let partners = &self.partners;
        self.partner_index.insert_unique(hash, p, |p| xxh3_64(partners[*p as usize].name.as_bytes()));
        p
    }

    pub(super) fn own_subject(&mut self, partner: u32) -> u32 {
        if let Some(own) = self.partners[partner as usize].own {
            return own;
        }
        let name = self.partners[partner as usize].name.clone();
        let slot =
            self.shelf.find(partner, &name).unwrap_or_else(|| self.shelf.create(partner, &name, Past::default()));
        self.partners[partner as usize].own = Some(slot);
        slot
    }

    pub(super) fn find_source(&self, name: &str) -> Option<SourceId> {
        let is = |id: &SourceId| self.sources[usize::from(*id)].name == name;
        self.source_index.find(xxh3_64(name.as_bytes()), is).copied()
    }

    #[cold]
    pub(super) fn source(&mut self, name: &str) -> SourceId {
        if let Some(id) = self.find_source(name) {
            return id;
        }
        if self.sources.len() >= usize::from(SourceId::MAX) {
            // More sources than any settings name: the last place stands for all of them, at the least trust.
            return SourceId::MAX - 1;
        }
        let fits = self.options.trust.iter().find(|(pattern, _)| glob(pattern, name));
        let trust = fits.map_or(self.options.otherwise, |(_, trust)| *trust);
        let (name, trust) = if self.sources.len() == usize::from(SourceId::MAX) - 1 {
            ("(other sources)".to_owned(), Trust::Asserted)
        } else {
            (name.to_owned(), trust)
        };
        self.add_source(Source { name, trust })
    }

    pub(super) fn add_source(&mut self, source: Source) -> SourceId {
        let hash = xxh3_64(source.name.as_bytes());
        let id = self.sources.len() as SourceId;
        self.sources.push(source);
        let sources = &self.sources;
        self.source_index.insert_unique(hash, id, |id| xxh3_64(sources[usize::from(*id)].name.as_bytes()));
        id
    }
}
