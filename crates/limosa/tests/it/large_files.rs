//! Files far larger than memory should hold. `LIMOSA_TEST_HUGE=1` makes them 1 GB, as the promise says.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::{Command, Stdio};

use limosa::{MigrateOptions, Migrator, Progress, Stop};
use limosa_testkit::Folder;

use crate::answers::{done, labels, this_program};
use crate::place::{Home, all_homes, homes};

/// Memory that a run may take beyond what it takes for a small file, in KiB. SQLite's page cache and the window of
/// statements that travel are in it.
const ALLOWED: u64 = 40 * 1024;

fn bytes() -> u64 {
    if std::env::var_os("LIMOSA_TEST_HUGE").is_some() { 1 << 30 } else { 60 << 20 }
}

/// The most memory that this process ever held, in KiB; None where the system does not tell.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The child process of the tests below: this very test, told by its environment what to do. It says its peak.
#[test]
fn other_process() {
    let Ok(url) = std::env::var("LIMOSA_TEST_LARGE_URL") else { return };
    let mut configuration = limosa::Configuration::new(url);
    configuration.directories = vec![std::env::var("LIMOSA_TEST_LARGE_FOLDER").unwrap().into()];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let migrator = Migrator::new(configuration);
    let answer = done(runtime.block_on(migrator.migrate(&MigrateOptions::default(), &|_: Progress| {}, Stop::new())));
    println!("STEPS {}", labels(&answer).len());
    println!("PEAK {}", peak().unwrap_or(0));
}

/// Migrates in a process of its own; gives the peak of its memory.
fn migrate_apart(home: &Home) -> u64 {
    let output = Command::new(this_program())
        .args(["--exact", "large_files::other_process", "--nocapture"])
        .env("LIMOSA_TEST_LARGE_URL", home.url())
        .env("LIMOSA_TEST_LARGE_FOLDER", home.folder.join("migrations"))
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("STEPS 1"), "{text}");
    let line = text.lines().find_map(|line| line.strip_prefix("PEAK ")).unwrap();
    line.trim().parse().unwrap()
}

/// Writes lines until the file is as large as wanted; gives how many.
fn grow(folder: &Folder, name: &str, head: &str, tail: &str, bytes: u64, line: impl Fn(u64) -> String) -> u64 {
    let path = folder.write(&format!("migrations/{name}"), "");
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(head.as_bytes()).unwrap();
    let (mut written, mut count) = (0, 0);
    while written < bytes {
        let line = line(count);
        file.write_all(line.as_bytes()).unwrap();
        written += line.len() as u64;
        count += 1;
    }
    file.write_all(tail.as_bytes()).unwrap();
    file.flush().unwrap();
    count
}

fn within_bounds(what: &str, small: u64, large: u64) {
    assert!(small == 0 || large < small + ALLOWED, "{what}: {small} KiB for a small file, {large} KiB for a large one");
}

#[test]
fn statements_stream() {
    let padding = "x".repeat(3900);
    for home in all_homes() {
        home.file("001_start.sql", "create table large (id bigint, word text);\n");
        let small = migrate_apart(&home);
        let count = grow(&home.folder, "002_large.sql", "", "", bytes(), |number| {
            format!("insert into large values ({number}, '{padding}');\n")
        });
        let large = migrate_apart(&home);
        assert_eq!(home.count("select count(*) from large"), count.cast_signed());
        let total = format!("select statements_done from {} where identity = '2'", home.table("schema_migrations"));
        assert_eq!(home.count(&total), count.cast_signed());
        within_bounds(&home.url(), small, large);
    }
}

#[test]
fn data_for_copy_streams() {
    let padding = "x".repeat(90);
    for home in homes().into_iter().filter(|home| !home.is_sqlite()) {
        home.file("001_start.sql", "create table large (id bigint, word text);\n");
        let small = migrate_apart(&home);
        let count =
            grow(&home.folder, "002_copy.sql", "copy large from stdin;\n", "\\.\nselect 1;\n", bytes(), |number| {
                format!("{number}\t{padding}\n")
            });
        let large = migrate_apart(&home);
        assert_eq!(home.count("select count(*) from large"), count.cast_signed());
        within_bounds(&home.url(), small, large);
    }
}

#[tokio::test]
async fn a_failure_at_the_end_of_a_large_file_leaves_nothing() {
    for home in all_homes() {
        home.file("001_start.sql", "create table large (id bigint, word text);\n");
        done(home.migrate().await);
        let padding = "x".repeat(900);
        let count = grow(&home.folder, "002_large.sql", "", "select * from nowhere;\n", 4 << 20, |number| {
            format!("insert into large values ({number}, '{padding}');\n")
        });
        let wanted = format!("statement {0} of {0}", count + 1);
        crate::answers::failed(
            &home.migrate().await,
            3,
            &["nowhere", &wanted, &format!("002_large.sql:{}:", count + 1)],
        );
        assert_eq!(home.count("select count(*) from large"), 0);
        assert_eq!(home.ledger(), ["1|applied"]);
    }
}

#[tokio::test]
async fn many_small_files_are_many_steps() {
    for home in all_homes() {
        for number in 1..=300 {
            home.file(&format!("{number:04}_x.sql"), &format!("create table t{number} (id int);\n"));
        }
        let answer = done(home.migrate().await);
        assert_eq!((answer.steps.len(), home.tables().len()), (300, 300));
        assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}
