//! Values of secret placeholders, taken out of what the server says: it repeats parts of what it was sent, and names objects. No
//! error, notice or name that comes from a server leaves this crate by another way.

use limosa_db::{Blocker, DbError, Notice};

use crate::Values;

/// What stands in a secret's place.
const HIDDEN: &str = "***";

impl Values {
    /// The text without secrets.
    fn hide(&self, text: &mut String) {
        for value in self.secret.iter().filter_map(|name| self.all.get(name)).filter(|value| !value.is_empty()) {
            // As it is, and as it stands between quotes.
            for form in [value.clone(), value.replace('\'', "''"), value.replace('"', "\"\"")] {
                if text.contains(&form) {
                    *text = text.replace(&form, HIDDEN);
                }
            }
        }
    }

    /// Words that repeat names out of the catalogue, without secrets.
    pub(crate) fn hide_in_words(&self, mut words: String) -> String {
        self.hide(&mut words);
        words
    }

    /// A session that stands in the way, without secrets: it may be one of ours.
    pub(crate) fn hide_in_blocker(&self, mut blocker: Blocker) -> Blocker {
        for text in [&mut blocker.query, &mut blocker.relation].into_iter().flatten() {
            self.hide(text);
        }
        blocker
    }

    /// A server's error without secrets.
    pub(crate) fn hide_in_error(&self, mut error: Box<DbError>) -> Box<DbError> {
        self.hide(&mut error.message);
        let DbError { detail, hint, context, internal_query, .. } = &mut *error;
        for text in [detail, hint, context, internal_query].into_iter().flatten() {
            self.hide(text);
        }
        error
    }

    /// A server's notice without secrets.
    pub(crate) fn hide_in_notice(&self, mut notice: Notice) -> Notice {
        self.hide(&mut notice.message);
        for text in [&mut notice.detail, &mut notice.hint].into_iter().flatten() {
            self.hide(text);
        }
        notice
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn secrets_go_in_every_form_and_other_values_stay() {
        let values = Values {
            all: BTreeMap::from(
                [("a", "O'Brien"), ("b", "say \"hi\""), ("c", "open"), ("d", "")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned())),
            ),
            secret: BTreeSet::from(["a", "b", "d", "gone"].map(str::to_owned)),
            command_marks: None,
        };
        let mut text = "O'Brien 'O''Brien' \"say \"\"hi\"\"\" open".to_owned();
        values.hide(&mut text);
        assert_eq!(text, "*** '***' \"***\" open");
    }
}
