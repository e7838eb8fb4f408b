//! Each setting, its value, and where it came from.

use limosa::settings::Explained;

use super::style::Tone;
use super::table::Columns;

/// The settings as a table.
pub(crate) fn render(explained: &[Explained], verbose: bool, width: Option<u16>) -> String {
    let mut table = Columns::new(&["KEY", "VALUE", "FROM", if verbose { "WHAT IT DECIDES" } else { "" }], width);
    for line in explained {
        let mut origin = line.origin.clone().unwrap_or_default();
        if !line.shadowed.is_empty() {
            origin.push_str(&format!(" (over {})", line.shadowed.join(", ")));
        }
        let tone = match line.origin.as_deref() {
            None | Some("default") => Tone::Faint,
            Some(_) => Tone::Plain,
        };
        let doc = if verbose { line.doc.to_owned() } else { String::new() };
        table.row(vec![
            (line.key.clone(), tone),
            (line.value.clone().unwrap_or_else(|| "-".to_owned()), Tone::Plain),
            (origin, Tone::Plain),
            (doc, Tone::Plain),
        ]);
    }
    table.render()
}
