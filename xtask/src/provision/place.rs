//! Where unpacked servers are kept.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::is_root;

/// Used where the target folder is closed to the user that servers run as.
const FALLBACK: &str = "/var/tmp/limosa-test-servers";

/// The folder of unpacked servers, and whether they will run as another user.
pub(super) struct Place {
    pub(super) folder: PathBuf,
    servers_are_strangers: bool,
}

impl Place {
    /// The folder `test-servers` in cargo's target folder, so that it goes with `cargo clean`.
    ///
    /// Root's servers run as `nobody`, who must be able to walk there: a home folder is often closed.
    pub(super) fn choose(target: &Path) -> Result<Self> {
        let servers_are_strangers = is_root();
        fs::create_dir_all(target)?;
        let folder = if servers_are_strangers && !reachable_by_all(target) {
            PathBuf::from(FALLBACK)
        } else {
            target.join("test-servers")
        };
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        // Anybody can create the fallback; a stranger's programs must not run as us.
        if folder == Path::new(FALLBACK) && fs::metadata(&folder)?.uid() != 0 {
            bail!("{FALLBACK} belongs to another user, remove it");
        }
        Ok(Self { folder, servers_are_strangers })
    }

    /// True if the servers' user can run programs in this folder.
    pub(super) fn serves(&self, programs: &Path) -> bool {
        !self.servers_are_strangers || reachable_by_all(programs)
    }
}

fn reachable_by_all(path: &Path) -> bool {
    path.ancestors()
        .filter(|folder| !folder.as_os_str().is_empty())
        .all(|folder| fs::metadata(folder).is_ok_and(|facts| facts.mode() & 0o001 != 0))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_closed_folder_above_closes_all_below() {
        let folder = std::env::temp_dir().join(format!("limosa-place-{}", std::process::id()));
        let below = folder.join("a/b");
        fs::create_dir_all(&below).unwrap();
        let expected = reachable_by_all(&std::env::temp_dir());
        assert_eq!(reachable_by_all(&below), expected);
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        assert!(!reachable_by_all(&below));
        fs::remove_dir_all(&folder).unwrap();
    }
}
