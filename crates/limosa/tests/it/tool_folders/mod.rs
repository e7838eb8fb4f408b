//! Folders of other tools whose order or identity stands in names, read in place.

mod diesel;
mod drizzle;
mod pattern;
mod prisma;
mod refinery;
mod sqlx;

use std::time::Duration;

use limosa::{Failure, NewKind, Numbering, Version};

use crate::answers::quiet;
use crate::place::Home;

/// 2024-01-31 12:00:00 UTC.
const NOW: Duration = Duration::from_secs(1_706_702_400);

impl Home {
    /// What `new` writes, without the folder.
    fn new_files(&self, title: &str) -> Result<Vec<String>, Failure> {
        let answer = self.migrator().new_migration(title, NewKind::Versioned, Numbering::Auto, NOW)?;
        let folder = format!("{}/", self.folder.join("migrations").display());
        Ok(answer.done.iter().map(|file| file.strip_prefix(&folder).unwrap_or(file).to_owned()).collect())
    }

    async fn baseline(&self, to: &str) -> Result<limosa::report::DoneAnswer, Failure> {
        let to = Version::parse(to).unwrap_or_else(|_| Version::of_name(to));
        self.migrator().baseline(&to, false, &quiet, limosa::Stop::new()).await
    }
}

/// As `--to` takes it.
fn to(text: &str) -> limosa::MigrateOptions {
    let version = Version::parse(text).unwrap_or_else(|_| Version::of_name(text));
    limosa::MigrateOptions { to: Some(version), ..limosa::MigrateOptions::default() }
}
