//! Colours, only where a terminal reads them: `anstream` takes them out elsewhere.

use anstyle::{AnsiColor, Reset, Style};

/// A breach, an error.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Met.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// Worth a look.
pub(super) const WARN: Style = AnsiColor::Yellow.on_default();
/// Headings.
pub(super) const HEAD: Style = Style::new().bold();
/// Beside the point.
pub(super) const DIM: Style = Style::new().dimmed();
/// Back to plain.
pub(super) const END: Reset = Reset;

/// A text in a style.
pub(super) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{END}")
}

/// Names come from events: what a terminal would obey is shown, not sent.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
