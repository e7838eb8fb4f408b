//! What one step finds in the session that steps before it left there.

use serde::Serialize;

/// What steps before one of a plan leave in the session, where the tool that they were written for lets it reach this one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Inherited {
    /// Names of session settings in lower case, in the order in which they were changed first.
    pub settings: Vec<String>,
    /// More than `settings` names; see [`crate::Outline::unseen`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
    /// The tool puts the search path back before each file, and nothing else.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fresh_search_path: bool,
}

impl Inherited {
    pub(crate) fn add<'a>(&mut self, settings: impl Iterator<Item = &'a String>, unseen: bool) {
        for name in settings {
            if !self.settings.contains(name) {
                self.settings.push(name.clone());
            }
        }
        self.unseen |= unseen;
    }
}
