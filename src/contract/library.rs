//! Where included files are looked for: beside the file that includes them, in the folders that the reader of the
//! contracts names, and among the parts that are shipped with the binary. Nothing else is read.

use super::load;
use std::path::{Component, Path, PathBuf};

/// Parts of config/ by their path in it.
macro_rules! shipped {
    ($($path:literal,)+) => { &[$(($path, include_str!(concat!("../../config/", $path))),)+] };
}

/// Parts that are shipped with the binary. A test holds the list to the folders.
const SHIPPED: &[(&str, &str)] = shipped![
    "calendars/us-federal.yaml",
    "holidays/au-nsw.yaml",
    "holidays/au.yaml",
    "holidays/de.yaml",
    "holidays/es.yaml",
    "holidays/eu-target.yaml",
    "holidays/fr.yaml",
    "holidays/gb-eaw.yaml",
    "holidays/ie.yaml",
    "holidays/in-central.yaml",
    "holidays/nl.yaml",
    "holidays/pl.yaml",
    "holidays/sg.yaml",
    "holidays/us-co.yaml",
    "holidays/us-federal.yaml",
    "templates/certificate-authority.yaml",
    "templates/circia.yaml",
    "templates/cps-234.yaml",
    "templates/dora-provider.yaml",
    "templates/dora.yaml",
    "templates/drills.yaml",
    "templates/fedramp-icp.yaml",
    "templates/fedramp.yaml",
    "templates/feeds.yaml",
    "templates/gdpr-controller.yaml",
    "templates/gdpr-processor.yaml",
    "templates/hipaa.yaml",
    "templates/managed-pam.yaml",
    "templates/mas-trm.yaml",
    "templates/nhi-lifecycle.yaml",
    "templates/nis2-supplier.yaml",
    "templates/nis2.yaml",
    "templates/nist-800-53.yaml",
    "templates/offboarding.yaml",
    "templates/pci-dss.yaml",
    "templates/reviews.yaml",
    "templates/us-notices.yaml",
    "templates/us-provider.yaml",
];

/// What the name of a shipped part begins with, where problems name it.
const SHIPPED_MARK: &str = "shipped:";

/// The folders in which included files are looked for, besides the one of the file that includes them.
#[derive(Clone, Debug, Default)]
pub struct Library {
    folders: Vec<PathBuf>,
    /// Texts in memory: name, the file that problems name, text.
    given: Vec<(String, String, String)>,
}

/// Where a file stands: what it includes is looked for beside it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Text that came from no file.
    Nowhere,
    /// This file.
    File(PathBuf),
    /// In this folder of the shipped parts; empty: their root.
    Shipped(String),
}

/// An included file that was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// As problems name it.
    pub(crate) file: String,
    /// The same for every way to it.
    pub(crate) identity: String,
    pub(crate) place: Place,
    pub(crate) text: String,
}

/// Why an included file is not read.
#[derive(Debug)]
pub(crate) enum Missing {
    /// The name leads out of the folder.
    Outside(String),
    /// Not there; these were looked at.
    Nowhere(Vec<String>),
    /// There, and it cannot be read.
    Unreadable(String),
}

impl Place {
    /// Where a file on disk stands.
    pub(crate) fn of(path: &Path) -> Place {
        Place::File(path.to_owned())
    }

    /// The same for every way to the file; None: it came from none.
    pub(crate) fn identity(&self) -> Option<String> {
        match self {
            Place::File(path) => Some(path.canonicalize().unwrap_or_else(|_| path.clone()).display().to_string()),
            Place::Nowhere | Place::Shipped(_) => None,
        }
    }

    fn folder(&self) -> Option<&Path> {
        match self {
            Place::File(path) => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                Some(folder.unwrap_or(Path::new(".")))
            }
            Place::Nowhere | Place::Shipped(_) => None,
        }
    }
}

impl Library {
    /// These folders, in this order; then the shipped parts.
    pub fn new(folders: Vec<PathBuf>) -> Library {
        Library { folders, given: Vec::new() }
    }

    /// The same, with texts that are looked at first: by name, each with the file that problems name.
    pub(crate) fn with(&self, given: Vec<(String, String, String)>) -> Library {
        Library { folders: self.folders.clone(), given }
    }

    /// The paths of the shipped parts.
    pub fn shipped() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(path, _)| *path)
    }

    /// Looks for what a file at `place` includes under a name.
    pub(crate) fn find(&self, place: &Place, name: &str) -> Result<Found, Missing> {
        let relative = relative(name)?;
        let mut tried = Vec::new();
        if let Some((name, file, text)) = self.given.iter().find(|(name, _, _)| *name == relative) {
            let identity = format!("{file}:{name}");
            return Ok(Found { file: file.clone(), identity, place: Place::Nowhere, text: text.clone() });
        }
        for folder in place.folder().into_iter().chain(self.folders.iter().map(PathBuf::as_path)) {
            let path = folder.join(&relative);
            if path.is_file() {
                return on_disk(folder, &path);
            }
            tried.push(path.display().to_string());
        }
        let near = match place {
            Place::Shipped(folder) if !folder.is_empty() => Some(format!("{folder}/{relative}")),
            Place::Shipped(_) | Place::Nowhere | Place::File(_) => None,
        };
        for path in near.into_iter().chain([relative]) {
            if let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == path) {
                let file = format!("{SHIPPED_MARK}{path}");
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let place = Place::Shipped(folder.to_owned());
                return Ok(Found { identity: file.clone(), file, place, text: (*text).to_owned() });
            }
            tried.push(format!("{SHIPPED_MARK}{path}"));
        }
        Err(Missing::Nowhere(tried))
    }
}

/// A name as a path below a folder; `.yaml` is understood.
fn relative(name: &str) -> Result<String, Missing> {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    if name.contains('\\') || !Path::new(name).components().all(plain) {
        return Err(Missing::Outside(name.to_owned()));
    }
    let ends = Path::new(name).extension().is_some_and(|end| end == "yaml" || end == "yml");
    Ok(if ends { name.to_owned() } else { format!("{name}.yaml") })
}

/// A link must not lead out of the folder either.
fn on_disk(folder: &Path, path: &Path) -> Result<Found, Missing> {
    let whole = |path: &Path| path.canonicalize().map_err(|error| Missing::Unreadable(error.to_string()));
    let (root, real) = (whole(folder)?, whole(path)?);
    if !real.starts_with(&root) {
        return Err(Missing::Outside(path.display().to_string()));
    }
    let text = load::read(path).map_err(|problems| {
        Missing::Unreadable(problems.first().map_or_else(String::new, |problem| problem.message.clone()))
    })?;
    let file = path.display().to_string();
    Ok(Found { file, identity: real.display().to_string(), place: Place::of(path), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_is_what_lies_in_the_folders_of_parts() {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let mut there = Vec::new();
        for folder in std::fs::read_dir(config).expect("config/").flatten().filter(|entry| entry.path().is_dir()) {
            // No contract includes a mapper.
            if folder.file_name() == "mappers" {
                continue;
            }
            for file in std::fs::read_dir(folder.path()).expect("a folder").flatten() {
                there.push(format!("{}/{}", folder.file_name().display(), file.file_name().display()));
            }
        }
        there.sort();
        assert_eq!(Library::shipped().collect::<Vec<_>>(), there);
    }

    #[test]
    fn a_name_is_a_path_below_a_folder() {
        for (name, path) in [("holidays/nl", "holidays/nl.yaml"), ("dora.yaml", "dora.yaml"), ("a/b.yml", "a/b.yml")] {
            assert_eq!(relative(name).ok().as_deref(), Some(path), "{name}");
        }
        for name in ["../nl", "/etc/passwd", "a/../../b", ".", "a\\b"] {
            assert!(matches!(relative(name), Err(Missing::Outside(_))), "{name}");
        }
    }
}
