//! The linker, called once by the compiler, and once more with an order.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};

use super::constants;

/// What functions do only while a panic unwinds stands in sections of its own, behind everything that is used: it is an eighth of the code.
const UNWINDING_APART: &str = "-Cllvm-args=-enable-split-machine-functions -mfs-split-ehcode";

/// What the linker was given when cargo called it: lld's option `--reproduce` writes it into an archive, with its command line.
pub(super) struct Kept {
    folder: PathBuf,
    archive: PathBuf,
}

impl Kept {
    /// In the folder of cargo's profile `dist`.
    pub(super) fn below(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), archive: folder.join("linked.tar") }
    }

    /// Compiles limosa and links it a first time, with the names of its functions, for this machine or for a target.
    pub(super) fn compile(&self, triple: Option<&str>) -> Result<()> {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["rustc", "--profile", "dist", "--locked", "--quiet", "-p", "limosa-cli", "--bin", "limosa"]);
        cargo.args(["--manifest-path", manifest]).args(triple.iter().flat_map(|triple| ["--target", triple]));
        let mut path = OsString::from("-Clink-arg=-B");
        path.push(lld()?.parent().context("the linker is in no folder")?);
        let mut reproduce = OsString::from("-Clink-arg=-Wl,--reproduce=");
        reproduce.push(&self.archive);
        cargo.arg("--").args([path, "-Clink-arg=-fuse-ld=lld".into(), reproduce, UNWINDING_APART.into()]);
        run(&mut cargo)?;
        ensure!(self.archive.is_file(), "{} is missing: remove {}", self.archive.display(), self.folder.display());
        Ok(())
    }

    /// True where a program was linked of what is kept now.
    pub(super) fn is_older_than(&self, program: &Path) -> bool {
        let written = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        written(&self.archive).zip(written(program)).is_some_and(|(kept, linked)| kept < linked)
    }

    /// Links again, with these functions first and with the constants that they read, and without their names. Where the loader of this system knows the short form of what is
    /// moved when a program starts (glibc since 2.36), it is used: half a MiB less is read.
    pub(super) fn link(&self, functions: &[&str], program: &Path) -> Result<()> {
        let place = program.parent().context("a program stands in a folder")?;
        if place.exists() {
            fs::remove_dir_all(place).with_context(|| format!("cannot empty {}", place.display()))?;
        }
        fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
        run(Command::new("tar").arg("-xf").arg(&self.archive).arg("-C").arg(place))?;
        let inner = fs::read_dir(place)?.flatten().map(|entry| entry.path()).find(|path| path.is_dir());
        let inner = inner.with_context(|| format!("{} holds no folder", self.archive.display()))?;
        let list = inner.join("functions.txt");
        fs::write(&list, functions.join("\n") + "\n").with_context(|| format!("cannot write {}", list.display()))?;
        let constants = constants_of(&inner, functions)?;
        let script = inner.join("constants.ld");
        fs::write(&script, constants::script(&constants))
            .with_context(|| format!("cannot write {}", script.display()))?;
        let lld = lld()?;
        let link = |form: &[&str]| {
            let mut link = Command::new(&lld);
            // Names of C's static functions may stand for several.
            link.arg("@response.txt").args(["--symbol-ordering-file=functions.txt", "--no-warn-symbol-ordering"]);
            if !constants.is_empty() {
                link.args(["-T", "constants.ld"]);
            }
            run(link.args(form).args(["--strip-all", "-o"]).arg(program).current_dir(&inner))
        };
        let starts = || Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
        link(&["-z", "pack-relative-relocs"])?;
        if !starts() {
            link(&[])?;
            ensure!(starts(), "{} does not start", program.display());
        }
        fs::remove_dir_all(&inner).with_context(|| format!("cannot remove {}", inner.display()))
    }
}

/// The constants that functions read, of the objects that the compiler made of limosa as a whole.
fn constants_of(folder: &Path, functions: &[&str]) -> Result<Vec<String>> {
    let response = folder.join("response.txt");
    let text = fs::read_to_string(&response).with_context(|| format!("cannot read {}", response.display()))?;
    let mut found = Vec::new();
    for path in text.lines().filter(|line| line.ends_with(".rcgu.o")) {
        let bytes = fs::read(folder.join(path)).with_context(|| format!("cannot read {path}"))?;
        found.extend(constants::of_functions(&bytes, functions)?);
    }
    Ok(found)
}

/// The linker that comes with the compiler.
fn lld() -> Result<PathBuf> {
    let said = |arguments: &[&str]| -> Result<String> {
        let output = Command::new("rustc").args(arguments).output().context("cannot run rustc")?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let version = said(&["-vV"])?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not name its host")?;
    let root = PathBuf::from(said(&["--print", "sysroot"])?.trim());
    let linker = root.join("lib/rustlib").join(host).join("bin/gcc-ld/ld.lld");
    if !linker.is_file() {
        bail!("this compiler comes without the linker lld: {} is missing", linker.display());
    }
    Ok(linker)
}

/// Runs a command to its end. What it says goes where ours does.
fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_owned();
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(status.success(), "{} failed", program.display());
    Ok(())
}
