//! Where the tools come from: by name from the registries of their languages, once, into the target folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use super::in_path;
use crate::handed_out;
use crate::workload::Engine;

/// Where the tools are installed, below the target folder.
fn peers(target: &Path) -> Result<PathBuf, String> {
    let folder = target.join("bench-peers");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    // The tools run in a folder of their own.
    folder.canonicalize().map_err(|error| error.to_string())
}

/// The npm package, installed once.
pub(super) fn dbmate(target: &Path) -> Result<PathBuf, String> {
    let folder = peers(target)?;
    let program = folder.join("node_modules/@dbmate/linux-x64/bin/dbmate");
    if !program.is_file() {
        let npm = in_path("npm").map_err(|_| "it comes by npm, which is not in PATH")?;
        let mut install = Command::new(npm);
        install.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).arg("dbmate");
        let status = install.stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !status.is_ok_and(|status| status.success()) {
            return Err("`npm install dbmate` failed".to_owned());
        }
    }
    if program.is_file() { Ok(program) } else { Err("its npm package has no program for this machine".to_owned()) }
}

/// Databases that goose could speak to and is not asked to; their drivers would be built for minutes.
const GOOSE_WITHOUT: &str = "no_clickhouse no_libsql no_mssql no_vertica no_ydb no_turso no_duckdb no_starrocks";

pub(super) fn goose(target: &Path) -> Result<PathBuf, String> {
    go_program(target, "goose", "github.com/pressly/goose/v3/cmd/goose@latest", GOOSE_WITHOUT)
}

pub(super) fn golang_migrate(target: &Path) -> Result<PathBuf, String> {
    let module = "github.com/golang-migrate/migrate/v4/cmd/migrate@latest";
    go_program(target, "migrate", module, "mysql postgres sqlite")
}

pub(super) fn sql_migrate(target: &Path) -> Result<PathBuf, String> {
    go_program(target, "sql-migrate", "github.com/rubenv/sql-migrate/sql-migrate@latest", "")
}

/// A program in `PATH`, or its Go module, built once into the target folder.
fn go_program(target: &Path, name: &str, module: &str, tags: &str) -> Result<PathBuf, String> {
    if let Ok(found) = in_path(name) {
        return Ok(found);
    }
    let folder = peers(target)?.join("bin");
    let program = folder.join(name);
    if !program.is_file() {
        let go = in_path("go").map_err(|_| "not in PATH, and it is built by go, which is not in PATH either")?;
        let mut build = Command::new(go);
        build.args(["install", "-tags", tags, module]).env("GOBIN", &folder);
        if !build.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            return Err(format!("`go install {module}` failed"));
        }
    }
    Ok(program)
}

/// A program in `PATH`, or its crate, built once into the target folder.
pub(super) fn cargo_program(target: &Path, name: &str, package: &str, options: &[&str]) -> Result<PathBuf, String> {
    if let Ok(found) = in_path(name) {
        return Ok(found);
    }
    let folder = peers(target)?;
    let program = folder.join("bin").join(name);
    if !program.is_file() {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["install", "--quiet", "--locked", package]).args(options).arg("--root").arg(&folder);
        if !build.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            return Err(format!("`cargo install {package}` failed"));
        }
    }
    Ok(program)
}

pub(super) fn sqlx(target: &Path) -> Result<PathBuf, String> {
    cargo_program(target, "sqlx", "sqlx-cli", &["--no-default-features", "--features", "mysql,postgres,sqlite,rustls"])
}

pub(super) fn refinery(target: &Path) -> Result<PathBuf, String> {
    cargo_program(target, "refinery", "refinery_cli", &[])
}

/// Its drivers are the C libraries of the machine, whose headers building it needs.
pub(super) fn diesel(target: &Path) -> Result<PathBuf, String> {
    cargo_program(target, "diesel", "diesel_cli", &["--no-default-features", "--features", "postgres,sqlite"])
}

/// What Flyway's command line needs, in versions that go together. It draws in the drivers of all databases otherwise.
const FLYWAY: &str = include_str!("flyway_pom.xml");

/// The folder of Flyway's classes, fetched once by Maven.
pub(super) fn flyway(target: &Path) -> Result<PathBuf, String> {
    let folder = peers(target)?.join("flyway");
    let classes = folder.join("classes");
    in_path("java").map_err(|_| "it needs java, which is not in PATH")?;
    if !classes.is_dir() {
        let maven = in_path("mvn").map_err(|_| "it comes by Maven, and mvn is not in PATH")?;
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let project = folder.join("pom.xml");
        fs::write(&project, FLYWAY).map_err(|error| error.to_string())?;
        let mut fetch = Command::new(maven);
        fetch.args(["--batch-mode", "--file"]).arg(&project).arg("dependency:copy-dependencies");
        fetch.arg("-DincludeScope=runtime").arg(format!("-DoutputDirectory={}", classes.display()));
        if !fetch.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            let _ = fs::remove_dir_all(&classes);
            return Err("`mvn dependency:copy-dependencies` failed".to_owned());
        }
    }
    Ok(classes)
}

/// Our own binary as it is handed out, built where it is not there yet or old; in cargo's release form where it cannot be watched.
pub(super) fn limosa(target: &Path) -> Result<PathBuf, String> {
    let plain = target.join("release/limosa");
    if env::var_os("BENCH_NO_BUILD").is_some() {
        let built = |program: &PathBuf| fs::metadata(program).and_then(|metadata| metadata.modified()).ok();
        let of_machine = handed_out::place(target, None);
        let of_musl = handed_out::static_target().map(|triple| handed_out::place(target, Some(&triple)));
        let found = of_musl.into_iter().chain([of_machine, plain]);
        let newest = found.max_by_key(built).filter(|program| program.is_file());
        return newest.ok_or_else(|| "not built yet".to_owned());
    }
    let Some(obstacle) = handed_out::obstacle() else {
        return handed_out::build(target, None).map_err(|error| format!("{error:#}"));
    };
    println!("limosa is measured as cargo links it: {obstacle}");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--quiet", "-p", "limosa-cli", "--manifest-path", manifest]);
    if !build.status().is_ok_and(|status| status.success()) {
        return Err("`cargo build --release -p limosa-cli` failed".to_owned());
    }
    Ok(plain)
}

/// Refuses where our binary does not speak the engine: it then says so before it looks for the server.
pub(super) fn speaks(engine: Engine, target: &Path, program: PathBuf) -> Result<PathBuf, String> {
    let url = match engine {
        Engine::Mysql => "mysql://nobody@127.0.0.1:1/nothing",
        Engine::Postgres | Engine::Sqlite => return Ok(program),
    };
    let empty = peers(target)?.join("empty");
    fs::create_dir_all(&empty).map_err(|error| error.to_string())?;
    let mut ask = Command::new(&program);
    ask.args(["status", "--database", url, "--dir"]).arg(&empty);
    let output = ask.output().map_err(|error| error.to_string())?;
    // 3: the server did not answer, which is right.
    if output.status.code() == Some(3) {
        return Ok(program);
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(text.lines().next().unwrap_or("it does not speak this engine").to_owned())
}
