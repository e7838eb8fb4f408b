//! Files that are compiled into an application.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};
use std::sync::Arc;

/// Migrations that are part of the program. Cheap to clone.
///
/// ```
/// use limosa::Embedded;
///
/// let files = Embedded::new([
///     ("001_users.sql", "create table users (id integer primary key);"),
///     ("R__views.sql", "create view everybody as select * from users;"),
/// ]);
/// assert_eq!(files.names().count(), 2);
/// ```
///
/// With the feature `include_dir`, a whole folder: `Embedded::from(&MIGRATIONS)`, where
/// `static MIGRATIONS: include_dir::Dir<'_> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/migrations");`.
#[derive(Clone, Debug, Default)]
pub struct Embedded {
    files: Arc<BTreeMap<String, Cow<'static, [u8]>>>,
    /// Names that were given more than once.
    twice: Arc<BTreeSet<String>>,
}

impl Embedded {
    /// Files by their names; a name may have folders before it, joined by `/`. [`crate::Builder::build`] refuses a name that stands
    /// here twice.
    pub fn new<T: Into<Cow<'static, str>>>(files: impl IntoIterator<Item = (&'static str, T)>) -> Embedded {
        let bytes = |text: T| match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        let (mut by_name, mut twice) = (BTreeMap::new(), BTreeSet::new());
        for (name, text) in files {
            if by_name.insert(name.to_owned(), bytes(text)).is_some() {
                twice.insert(name.to_owned());
            }
        }
        Embedded { files: Arc::new(by_name), twice: Arc::new(twice) }
    }

    /// Names of which nobody knows which of their texts was meant.
    pub(super) fn twice(&self) -> impl Iterator<Item = &str> {
        self.twice.iter().map(String::as_str)
    }

    /// The names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub(crate) fn open(&self, name: &str) -> std::io::Result<Box<dyn Read + Send>> {
        match self.files.get(name) {
            Some(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            None => Err(std::io::Error::new(std::io::ErrorKind::NotFound, "it is not part of this program")),
        }
    }
}

#[cfg(feature = "include_dir")]
impl From<&'static include_dir::Dir<'static>> for Embedded {
    fn from(folder: &'static include_dir::Dir<'static>) -> Embedded {
        fn collect(folder: &'static include_dir::Dir<'static>, files: &mut BTreeMap<String, Cow<'static, [u8]>>) {
            for file in folder.files() {
                files.insert(file.path().display().to_string().replace('\\', "/"), Cow::Borrowed(file.contents()));
            }
            folder.dirs().for_each(|folder| collect(folder, files));
        }
        let mut files = BTreeMap::new();
        collect(folder, &mut files);
        Embedded { files: Arc::new(files), twice: Arc::default() }
    }
}
