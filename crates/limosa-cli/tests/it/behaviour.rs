//! What is no text: pipes that break, signals, streams, colours, pages.

use std::process::{Command, Stdio};

use limosa_testkit::{Folder, Limosa};

const SLOW: &str =
    "with recursive n(x) as (select 1 union all select x + 1 from n where x < 2000000000) select count(*) from n;\n";

fn limosa(folder: &Folder, words: &[&str]) -> Limosa {
    Limosa::new(super::LIMOSA).in_folder(folder.path()).env("LIMOSA_DATABASE", "sqlite:app.db").args(words)
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let folder = Folder::new();
    for number in 1..=200 {
        folder.write(&format!("migrations/{number:03}_table_{number}.sql"), "select 1;\n");
    }
    for words in [&["plan"][..], &["completion", "bash"], &["--help"], &["migrate", "--output", "json"]] {
        let mut command = Command::new(super::LIMOSA);
        command.current_dir(folder.path()).env("LIMOSA_DATABASE", "sqlite:app.db").args(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "limosa {words:?}\n{stderr}");
        assert!(!stderr.contains("bug") && !stderr.contains("pipe"), "limosa {words:?}\n{stderr}");
    }
    // What the reader missed was done all the same.
    let _ = limosa(&folder, &["ready", "--at-least", "200"]).run().unwrap().assert_code(0);
}

#[test]
#[cfg(target_os = "linux")]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let folder = Folder::new().file("migrations/001_a.sql", "select 1;\n");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(super::LIMOSA);
    command.current_dir(folder.path()).args(["status", "--database", "sqlite:app.db", "--output", "json"]);
    let _ = limosa(&folder, &["migrate"]).run().unwrap().assert_code(0);
    let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("could not be written"));
}

#[test]
fn an_interrupted_run_says_what_stands_and_the_next_goes_on() {
    let folder = Folder::new()
        .file("migrations/001_a.sql", "create table a (id integer);\n")
        .file("migrations/002_slow.sql", format!("create table b (id integer);\n{SLOW}"));
    for terminate in [false, true] {
        let running = limosa(&folder, &["migrate", "-v"]).spawn().unwrap();
        running.wait_for_text("002 slow: 1 of 2");
        if terminate {
            running.terminate().unwrap()
        } else {
            running.interrupt().unwrap()
        }
        let output = running.wait().unwrap().assert_code(3);
        assert!(output.stderr.contains("stopping in order") && output.stderr.contains("LIM-R005"), "{output}");
        assert!(output.stdout.contains("not kept    002 slow"), "{output}");
    }
    folder.write("migrations/002_slow.sql", "create table b (id integer);\n");
    let output = limosa(&folder, &["migrate"]).run().unwrap().assert_code(0);
    assert!(output.stdout.contains("done: 1 migration applied"), "{output}");
}

#[test]
fn before_anything_was_run_an_interrupt_ends_it_at_once() {
    let folder = Folder::new().file("migrations/001_a.sql", "create table a (id integer);\n");
    let url = format!("postgres://nobody@127.0.0.1:{}/x", limosa_testkit::free_port().unwrap());
    let words = ["migrate", "--database", &url, "--wait-for-database", "10m", "--output", "json"];
    let running = Limosa::new(super::LIMOSA).in_folder(folder.path()).args(words).spawn().unwrap();
    // The handler is in place before the first attempt to connect; asking until it ends needs no guess about when.
    let mut running = running;
    limosa_testkit::eventually("it listens to signals", || listens(running.pid()));
    running.interrupt().unwrap();
    assert!(running.is_running().is_ok());
    let output = running.wait().unwrap().assert_code(3);
    assert!(output.stdout.contains("LIM-R005"), "{output}");
}

/// True once the process handles SIGINT itself, as far as the system can tell.
fn listens(pid: u32) -> bool {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) else {
        return cfg!(not(target_os = "linux"));
    };
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    // Bit 1 is SIGINT, bit 14 SIGTERM.
    caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 0x4002 == 0x4002)
}

#[test]
fn colours_only_where_asked_for() {
    let folder = Folder::new().file("migrations/001_a.sql", "oops;\n");
    let plain = limosa(&folder, &["migrate"]).run().unwrap().assert_code(3);
    assert!(!plain.to_string().contains('\u{1b}'), "{plain}");
    let colored = limosa(&folder, &["migrate", "--color", "always"]).run().unwrap().assert_code(3);
    assert!(colored.stderr.contains("\u{1b}[") && colored.stdout.contains("\u{1b}["), "{colored}");
    let help = limosa(&folder, &["--help", "--color=always"]).run().unwrap().assert_code(0);
    assert!(help.stdout.contains("\u{1b}["));
    assert!(!limosa(&folder, &["--help"]).run().unwrap().stdout.contains('\u{1b}'));
}

#[test]
fn quiet_says_nothing_but_problems() {
    let folder = Folder::new().file("migrations/001_a.sql", "create table a (id integer);\n");
    let output = limosa(&folder, &["migrate", "-q"]).run().unwrap().assert_code(0);
    assert_eq!(output.stderr, "");
    folder.write("migrations/002_b.sql", "oops;\n");
    let output = limosa(&folder, &["migrate", "-q"]).run().unwrap().assert_code(3);
    assert!(output.stderr.contains("error[LIM-R002]") && !output.stderr.contains("target:"), "{output}");
}

#[test]
fn completions_and_pages_are_whole() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = limosa(&folder, &["completion", shell]).run().unwrap().assert_code(0);
        for word in ["migrate", "rollback", "lock-timeout", "create-database"] {
            assert!(output.stdout.contains(word), "{shell} does not complete {word}");
        }
    }
    let page = limosa(&folder, &["man"]).run().unwrap().assert_code(0).stdout;
    assert!(page.contains(".TH limosa 1") && page.contains("migrate") && page.contains("Exit codes"), "{page}");
    let page = limosa(&folder, &["man", "migrate"]).run().unwrap().assert_code(0).stdout;
    assert!(page.contains(".TH limosa-migrate 1") && page.contains("create\\-database"), "{page}");
    let _ = limosa(&folder, &["man", "--folder", "pages"]).run().unwrap().assert_code(0);
    assert!(folder.files().contains(&"pages/limosa-audit-verify.1".to_owned()), "{:?}", folder.files());
    let _ = limosa(&folder, &["man", "bogus"]).run().unwrap().assert_code(2);
}

#[test]
fn two_runners_at_once_and_the_second_does_not_wait_for_ever() {
    let folder = Folder::new()
        .file("migrations/001_a.sql", "create table a (id integer);\n")
        .file("migrations/002_slow.sql", format!("create table b (id integer);\n{SLOW}"));
    let first = limosa(&folder, &["migrate", "-v"]).spawn().unwrap();
    first.wait_for_text("002 slow: 1 of 2");
    let second = limosa(&folder, &["migrate", "--lock-wait", "500ms"]).run().unwrap().assert_code(4);
    assert!(second.stderr.contains("LIM-R001"), "{second}");
    first.interrupt().unwrap();
    let _ = first.wait().unwrap().assert_code(3);
}
