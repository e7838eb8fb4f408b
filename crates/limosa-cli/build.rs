//! Tells the compiler what the binary says of itself with `--version`, and sets up its allocator. Works without network and outside of git.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIMOSA_COMMIT");
    let target = env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=LIMOSA_BUILD_TARGET={target}");
    println!("cargo::rustc-env=LIMOSA_BUILD_PROFILE={}", profile().unwrap_or_default());
    println!("cargo::rustc-env=LIMOSA_BUILD_COMMIT={}", commit().unwrap_or_default());
    set_up_allocator();
}

/// Links what sets the options of mimalloc, where that is the allocator: in C, for it has no safe way to them.
fn set_up_allocator() {
    println!("cargo::rerun-if-changed=allocator.c");
    // Told by the crate that builds mimalloc.
    let Some(headers) = env::var_os("DEP_MIMALLOC_INCLUDE_DIR") else { return };
    // Nothing calls it by its name.
    cc::Build::new()
        .file("allocator.c")
        .include(headers)
        .link_lib_modifier("+whole-archive")
        .compile("limosa_allocator");
}

/// The name of the profile. `PROFILE` knows only debug and release; the folder that is built into has the right one.
fn profile() -> Option<String> {
    let out = PathBuf::from(env::var_os("OUT_DIR")?);
    Some(out.ancestors().nth(3)?.file_name()?.to_string_lossy().into_owned())
}

/// The commit that is checked out; a build without git, as in a container, may give it.
fn commit() -> Option<String> {
    if let Some(given) = env::var("LIMOSA_COMMIT").ok().filter(|given| !given.is_empty()) {
        return Some(given);
    }
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    let root = manifest.ancestors().nth(2)?.canonicalize().ok()?;
    // It is written with each commit and each checkout. Told before anything can fail: a build that did not learn its commit asks again.
    let named = git(&root, &["rev-parse", "--git-path", "logs/HEAD"]);
    let log = root.join(named.as_deref().unwrap_or(".git/logs/HEAD"));
    if log.exists() {
        println!("cargo::rerun-if-changed={}", log.display());
    }
    // A source tree that lies within another repository would otherwise give that one's commit.
    if Path::new(&git(&root, &["rev-parse", "--show-toplevel"])?).canonicalize().ok()? != root {
        return None;
    }
    git(&root, &["rev-parse", "--short=12", "HEAD"])
}

fn git(folder: &Path, words: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(words).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
