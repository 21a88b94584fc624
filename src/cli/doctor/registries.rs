//! Whether schema registries answer, and take us for who we are.

use super::Finding;
use super::receivers::unreached;
use crate::cli::run::target;
use crate::ingest::wire;
use crate::settings::Settings;

pub(super) fn looked_at(settings: &Settings) -> Vec<(String, Finding)> {
    let one = |(name, web): (&String, &crate::settings::Web)| {
        let url = &web.url;
        let used = settings.clusters.values().any(|cluster| cluster.registry.as_ref() == Some(name));
        let finding = match wire::types(&target(web)) {
            Ok(types) if used => Finding::Fine(format!("{url}: {}", types.join(", "))),
            Ok(_) => Finding::Worth(format!(
                "{url}: it answers, and no cluster uses it: write registry = \"{name}\" in [kafka.NAME]"
            )),
            Err(why) if why.starts_with("it answered") || why.starts_with("something") => {
                Finding::Bad(format!("{url}: {why}"))
            }
            Err(why) => Finding::Bad(unreached(url, &why)),
        };
        (format!("registry {name}"), finding)
    };
    settings.registries.iter().map(one).collect()
}
