//! Values that many hold: a folder may have a hundred thousand files, and most of what is known of them is alike.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// A value of which several hold the same copy, until one of them changes its own. A clone is cheap.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Shared<T>(Arc<T>);

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Shared(Arc::new(value))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    /// Makes a copy of its own first, where others hold the value too.
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Finds values that are alike among those seen lately, and lets them be one.
#[derive(Debug)]
pub struct Alike<T> {
    seen: Vec<Shared<T>>,
    next: usize,
}

impl<T> Default for Alike<T> {
    fn default() -> Self {
        Alike { seen: Vec::new(), next: 0 }
    }
}

impl<T: Clone + PartialEq> Alike<T> {
    /// Values that are remembered: a folder has few kinds of scripts, and each is compared with all of these.
    const KINDS: usize = 16;

    /// Replaces a value by an equal one that was seen before.
    pub fn share(&mut self, value: &mut Shared<T>) {
        if let Some(known) = self.seen.iter().find(|known| *known == value) {
            *value = known.clone();
        } else if self.seen.len() < Self::KINDS {
            self.seen.push(value.clone());
        } else {
            self.seen[self.next] = value.clone();
            self.next = (self.next + 1) % Self::KINDS;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_one<T>(one: &Shared<T>, other: &Shared<T>) -> bool {
        Arc::ptr_eq(&one.0, &other.0)
    }

    #[test]
    fn what_is_changed_is_changed_for_its_holder_alone() {
        let first = Shared::from(vec![1]);
        let mut second = first.clone();
        second.push(2);
        assert_eq!((&*first, &*second), (&vec![1], &vec![1, 2]));
    }

    #[test]
    fn equal_values_become_one_as_long_as_they_are_remembered() {
        let mut alike = Alike::default();
        let mut values: Vec<Shared<usize>> = (0..40).map(|number| Shared::from(number % 20)).collect();
        values.iter_mut().for_each(|value| alike.share(value));
        let mut again = Shared::from(39 % 20);
        alike.share(&mut again);
        assert!(is_one(&again, &values[39]));
        // Twenty kinds in turn are more than are remembered.
        assert!(!is_one(&values[0], &values[20]));
        assert!(alike.seen.len() <= Alike::<usize>::KINDS);
        let mut pair = [Shared::from(7), Shared::from(7)];
        let mut fresh = Alike::default();
        pair.iter_mut().for_each(|value| fresh.share(value));
        assert!(is_one(&pair[0], &pair[1]));
    }
}
