//! Contracts and catalogues that change while it runs, and readings of records that take the place of others.

use super::{Live, LiveError, WISHES, identities, recover, retention};

impl Live {
    /// The contracts or the catalogue may have changed: if both can be read, they are judged by from here on; else the old
    /// ones are.
    pub fn reload(&mut self) -> Result<(), LiveError> {
        let contracts = match (self.plan.contracts)() {
            Ok(contracts) => contracts,
            Err(why) => {
                tracing::error!("the contracts stay as they were: {why}");
                self.status.contracts(Some(why));
                self.reload_later();
                return Ok(());
            }
        };
        let names = identities::names(&contracts.catalogue, Some(&self.terms), self.now.now());
        if let Some(why) = identities::parted(&self.plan.feeds, &names) {
            tracing::error!("the contracts and the catalogue stay as they were: {why}");
            self.status.contracts(Some(why));
            self.reload_later();
            return Ok(());
        }
        self.status.contracts(None);
        if recover::digest_of(&self.plan, &contracts, &names, &self.generations) == self.terms.digest {
            self.renews = false;
            // What it says of identities holds for what comes from here on.
            self.identities.replace(contracts.catalogue);
            return Ok(());
        }
        self.commit()?;
        let store = self.keeper.store()?;
        let (plan, generations) = (&self.plan, &self.generations);
        let rebuilt =
            match recover::rebuild(plan, (&contracts, names), generations, store, self.epoch, &mut self.sequence) {
                Err(LiveError::Store(error)) if error.may_pass() => {
                    tracing::error!("the contracts have changed, and are judged by when the store is back: {error}");
                    self.reload_at = Some(self.now.steady() + WISHES);
                    return Ok(());
                }
                rebuilt => rebuilt?,
            };
        match recover::adopt(rebuilt, store, self.epoch, &mut self.sequence, &mut self.ledger) {
            Ok((judge, terms)) => {
                (self.judge, self.terms, self.renews) = (judge, terms, false);
                self.identities.replace(contracts.catalogue);
                self.ledger.forget_names();
                self.followers.written(&[], Some(self.ledger.len()));
                self.kept_for = retention::kept_for(self.plan.retention, &contracts.list);
                tracing::info!(
                    "contracts, or what was made of records, have changed; judged again to commit {}",
                    self.sequence
                );
            }
            Err(error) => return Err(error),
        }
        self.snapshot_or_later()
    }

    /// Records that were read anew count as soon as there are contracts to judge them by.
    fn reload_later(&mut self) {
        if self.renews {
            self.reload_at = Some(self.now.steady() + WISHES);
        }
    }
}
