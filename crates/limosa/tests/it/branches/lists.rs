//! Folders in which a list, or parts of files, say what there is and in which order.

use limosa::report::FindingsAnswer;
use limosa_testkit::Repository;

use super::{against, parted, said};

const PLAN: &str = "%syntax-version=1.0.0\n%project=shop\n\n";

fn plan(names: &[&str]) -> String {
    let day = |name: &str| name.as_bytes()[0] - b'a' + 1;
    let line = |name: &&str| format!("{name} 2024-01-0{}T00:00:00Z Ann <ann@example.com> # why\n", day(name));
    names.iter().map(line).fold(PLAN.to_owned(), |text, line| text + &line)
}

const A: (&str, &str) = ("migrations/deploy/a.sql", "select 1;\n");
const B: (&str, &str) = ("migrations/deploy/b.sql", "select 2;\n");
const C: (&str, &str) = ("migrations/deploy/c.sql", "select 3;\n");

/// What is said of the comparison: scripts that no plan names are told as well, and are no matter of it.
fn compared(repository: &Repository, answer: &FindingsAnswer) -> String {
    let told = said(repository, answer);
    told.lines().filter(|line| !line.starts_with("LIM-F001 W")).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn plans_of_sqitch_are_compared_change_by_change() {
    const LIST: &str = "migrations/sqitch.plan";
    let both = plan(&["a", "b"]);
    let both = [A, B, (LIST, &*both)];
    for (main, work, expected) in [
        (vec!["a", "b"], (vec!["a", "b", "c"], C), "0"),
        (vec!["a", "b"], (vec!["a", "c", "b"], C), "1\nLIM-P023 E c comes late: main has b already"),
        (
            vec!["a", "b"],
            (vec!["b", "a"], ("migrations/x", "")),
            "1\nLIM-P023 E b stands before a here, and behind it in main",
        ),
        (
            vec!["a", "b", "c"],
            (vec!["a", "b", "c"], ("migrations/deploy/c.sql", "select 4;\n")),
            "1\nLIM-P022 E c was added here and in main, and does not do the same",
        ),
        (
            vec!["a", "b"],
            (vec!["a", "b"], ("migrations/deploy/b.sql", "select 5;\n")),
            "1\nLIM-P024 E b was edited here, and main has it: where it ran it does not run again",
        ),
        (
            vec!["a", "b"],
            (vec!["a"], ("migrations/x", "")),
            "1\nLIM-P025 E b is gone here, and main has it: it may have run",
        ),
    ] {
        let (theirs, mine) = (plan(&main), plan(&work.0));
        let repository = parted(&both, &[(LIST, &theirs), C], &[(LIST, &mine), work.1]);
        let answer = against(&repository, "main").await.unwrap();
        assert_eq!(compared(&repository, &answer), expected, "{work:?}");
    }
}

#[tokio::test]
async fn lines_of_a_plan_that_say_something_else_are_told() {
    const LIST: &str = "migrations/sqitch.plan";
    let line = |name: &str, needs: &str, minute: u8| format!("{name}{needs} 2026-01-01T00:0{minute}:00Z Ann <a@b.c>\n");
    let head = "%project=p\n".to_owned();
    let (a, b) = (line("a", "", 1), line("b", " [a]", 2));
    let both = head.clone() + &a + &b;
    let c = line("c", "", 3);
    let before = "LIM-P029 W the plan says otherwise of";
    for (main, work, expected) in [
        (
            head.clone() + &a + &b,
            head.clone() + &line("a", "", 5) + &b,
            format!("0\n{before} a than that of main: when and by whom it was planned"),
        ),
        (
            head.clone() + &a + &b,
            head.clone() + &a + &line("b", " [a !x]", 4),
            format!("0\n{before} b than that of main: what it conflicts with and when and by whom it was planned"),
        ),
        (
            head.clone() + &a + &b,
            head.clone() + &a + &line("b", "", 2),
            format!("0\n{before} b than that of main: what it requires"),
        ),
        // What main alone has changed is no matter of this branch.
        (head.clone() + &a + &line("b", "", 2), both.clone() + "\n", "0".to_owned()),
        // Added on both sides, alike but for the moment.
        (
            both.clone() + &c,
            both.clone() + &line("c", "", 4),
            format!("0\n{before} c than that of main: when and by whom it was planned"),
        ),
        (
            both.clone(),
            both.replace("=p\n", "=p\n%uri=https://p.example/\n"),
            format!("0\n{before} a than that of main: the project and its URI"),
        ),
    ] {
        let repository = parted(&[A, B, (LIST, &both)], &[(LIST, &main), C], &[(LIST, &work), C]);
        let answer = against(&repository, "main").await.unwrap();
        assert_eq!(compared(&repository, &answer), expected, "{work}");
        if expected.contains("LIM-P029") && work.contains("00:05") {
            let help = answer.findings.last().and_then(|finding| finding.help.clone()).unwrap();
            assert!(help.contains("gives it and the change behind it other ids"), "{help}");
        }
    }
}

#[tokio::test]
async fn changesets_of_liquibase_are_compared_one_by_one() {
    const LOG: &str = "migrations/a.sql";
    let text = |sets: &[(&str, &str)]| {
        let set = |(id, sql): &(&str, &str)| format!("\n--changeset ann:{id}\n{sql}\n");
        sets.iter().map(set).fold("--liquibase formatted sql\n".to_owned(), |text, set| text + &set)
    };
    let one = ("1", "select 1;");
    for (main, work, expected) in [
        (vec![one, ("2", "select 2;")], vec![one, ("3", "select 3;")], "0"),
        (
            vec![one, ("2", "select 2;")],
            vec![one, ("2", "select 3;")],
            "1\nLIM-P022 E a.sql::2::ann was added here and in main, and does not do the same",
        ),
        (
            vec![one],
            vec![("1", "select 7;")],
            "1\nLIM-P024 E a.sql::1::ann was edited here, and main has it: where it ran it does not run again",
        ),
        (
            vec![one],
            vec![("2", "select 7;")],
            "1\nLIM-P025 E a.sql::1::ann is gone here, and main has it: it may have run",
        ),
        (vec![one], vec![("0", "select 7;"), one], "0"),
    ] {
        let (both, theirs, mine) = (text(&[one]), text(&main), text(&work));
        let repository = parted(&[(LOG, &both)], &[(LOG, &theirs), ("x", "")], &[(LOG, &mine), ("y", "")]);
        let answer = against(&repository, "main").await.unwrap();
        assert_eq!(said(&repository, &answer), expected, "{work:?}");
    }
}

#[tokio::test]
async fn entries_of_drizzle_that_it_would_pass_over_are_told() {
    const JOURNAL: &str = "migrations/meta/_journal.json";
    let journal = |entries: &[(&str, i64)]| {
        let entry = |(at, (tag, when)): (usize, &(&str, i64))| {
            format!(
                "{{\"idx\": {at}, \"version\": \"7\", \"when\": {when}, \"tag\": \"{tag}\", \"breakpoints\": true}}"
            )
        };
        let entries: Vec<String> = entries.iter().enumerate().map(entry).collect();
        format!("{{\"version\": \"7\", \"dialect\": \"postgresql\", \"entries\": [{}]}}", entries.join(", "))
    };
    for (when, expected) in
        [(40, "0"), (20, "0\nLIM-P023 W 0001_c.sql is no newer than 0001_b.sql in main, by the time in the journal")]
    {
        let both = journal(&[("0000_a", 10)]);
        let main = journal(&[("0000_a", 10), ("0001_b", 30)]);
        let work = journal(&[("0000_a", 10), ("0001_c", when)]);
        let repository = parted(
            &[("migrations/0000_a.sql", "select 1;"), (JOURNAL, &both)],
            &[("migrations/0001_b.sql", "select 2;"), (JOURNAL, &main)],
            &[("migrations/0001_c.sql", "select 3;"), (JOURNAL, &work)],
        );
        let answer = against(&repository, "main").await.unwrap();
        assert_eq!(said(&repository, &answer), expected);
    }
}
