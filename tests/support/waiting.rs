//! Templates that hold a construct which the language has and the judge cannot keep yet (E900).

/// They are written in full, load once the construct is judged, and then leave this list.
pub(crate) const TEMPLATES: &[&str] = &[];
