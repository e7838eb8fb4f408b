//! Settings of a session at moments that a run may come back to.

/// One of these moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SettingsMark(usize);

#[cfg(any(feature = "mysql", feature = "sqlite"))]
/// What an engine remembers of each, oldest first.
#[derive(Debug)]
pub(crate) struct Remembered<T>(Vec<T>);

#[cfg(any(feature = "mysql", feature = "sqlite"))]
impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Remembered(Vec::new())
    }
}

#[cfg(any(feature = "mysql", feature = "sqlite"))]
impl<T> Remembered<T> {
    pub(crate) fn keep(&mut self, settings: T) -> SettingsMark {
        self.0.push(settings);
        SettingsMark(self.0.len() - 1)
    }

    /// None where nothing was remembered, and where it is forgotten.
    pub(crate) fn get(&self, SettingsMark(at): SettingsMark) -> Option<&T> {
        self.0.get(at)
    }

    /// Forgets this and what was remembered later.
    pub(crate) fn forget(&mut self, SettingsMark(at): SettingsMark) {
        self.0.truncate(at);
    }
}
