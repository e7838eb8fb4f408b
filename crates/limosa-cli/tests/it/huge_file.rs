//! Files far larger than memory should hold: what the process takes at most stays small, whatever the size of the file.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use limosa_testkit::Folder;
use limosa_testkit::binary::{Output, Running};

use super::stage::{limosa, number, seen, sqlite};

/// Most that the process may ever hold, in KiB.
const LIMIT_KIB: u64 = 100 * 1024;

/// Size of the file in bytes: 60 MB, or 1 GB where asked for.
fn size() -> usize {
    if number("LIMOSA_TEST_HUGE", 0) > 0 { 1 << 30 } else { 60 << 20 }
}

/// Writes a first part, then rows up to the size, then a last part; returns how many rows.
fn generate(path: &Path, first: &str, mut row: impl FnMut(usize) -> String, last: &str) -> usize {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = BufWriter::new(File::create(path).unwrap());
    let mut written = file.write(first.as_bytes()).unwrap();
    let mut count = 0;
    while written < size() {
        let row = row(count);
        file.write_all(row.as_bytes()).unwrap();
        written += row.len();
        count += 1;
    }
    file.write_all(last.as_bytes()).unwrap();
    count
}

/// Waits for the end; gives what the process held at most, in KiB, as the system counts it (`VmHWM`, proc(5)).
fn watch(mut running: Running) -> (Output, u64) {
    let mut peak = 0;
    while running.is_running().unwrap() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let held = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(held.unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    (running.wait().unwrap(), peak)
}

fn migrate(folder: &Folder, url: &str) {
    let (output, peak) = watch(limosa(folder, url, &["migrate"]).spawn().unwrap());
    assert_eq!(output.code, Some(0), "{output}");
    assert!(peak > 0 && peak < LIMIT_KIB, "it held {peak} KiB");
}

#[test]
fn inserts_on_sqlite() {
    let folder = Folder::new();
    let text = "x".repeat(990);
    let row = |number: usize| {
        let values: Vec<String> = (0..10).map(|row| format!("({}, '{text}')", number * 10 + row)).collect();
        format!("insert into big values {};\n", values.join(", "))
    };
    let path = folder.join("migrations/001_big.sql");
    let count = generate(&path, "create table big (id integer primary key, text text);\n", row, "");
    migrate(&folder, "sqlite:app.db");
    assert_eq!(seen(&sqlite(&folder.join("app.db")), "select count(*) from big"), (count * 10).to_string());
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::super::stage::server;
    use super::*;

    #[test]
    fn data_for_copy() {
        let folder = Folder::new();
        let text = "x".repeat(990);
        let path = folder.join("migrations/001_big.sql");
        let first = "create table big (id integer, text text);\ncopy big from stdin;\n";
        let count = generate(&path, first, |number| format!("{number}\t{text}\n"), "\\.\nselect 1;\n");
        let database = server::newest().create_database().unwrap();
        migrate(&folder, &database.url());
        assert_eq!(server::value(&database, "select count(*) from big"), count.to_string());
        database.execute("drop table big").unwrap();
    }

    #[test]
    fn inserts() {
        let folder = Folder::new();
        let text = "x".repeat(9900);
        let path = folder.join("migrations/001_big.sql");
        let row = |number: usize| format!("insert into big values ({number}, '{text}');\n");
        let count = generate(&path, "create table big (id integer, text text);\n", row, "");
        let database = server::newest().create_database().unwrap();
        migrate(&folder, &database.url());
        assert_eq!(server::value(&database, "select count(*) from big"), count.to_string());
        database.execute("drop table big").unwrap();
    }
}
