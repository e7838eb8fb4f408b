//! libclang, which the exact parser of PostgreSQL is built with.

use std::path::Path;

use anyhow::Result;

use super::apt_install;

/// The exact PostgreSQL parser generates its bindings with libclang at build time.
pub(crate) fn provide_libclang() -> Result<()> {
    if std::env::var_os("LIBCLANG_PATH").is_some() || has_libclang() {
        return Ok(());
    }
    let debian_12 = ["libclang1-14", "libclang-common-14-dev"];
    apt_install(&debian_12).or_else(|_| apt_install(&["libclang-dev"])).map_err(|reason| {
        anyhow::anyhow!(
            "the exact parsers need libclang to build: {reason}. \
                 By hand: apt-get install {}, or set LIBCLANG_PATH",
            debian_12.join(" ")
        )
    })
}

fn has_libclang() -> bool {
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let mut folders: Vec<_> =
        ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/lib/x86_64-linux-gnu"].map(Into::into).into();
    folders.push("/usr/lib/aarch64-linux-gnu".into());
    folders.extend(names(Path::new("/usr/lib")).into_iter().map(|path| path.join("lib")));
    folders.iter().flat_map(|folder| names(folder)).any(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("libclang") && !name.starts_with("libclang-cpp") && name.contains(".so")
    })
}
