//! SQLite: a file begins with foreign keys enforced where its tool has them so, and ignored where it has not.

use limosa::{Configuration, Diagnostic, ForeignKeys, Layout, LayoutChoice, MigrateOptions, Migrator, Selection, Stop};

use crate::answers::{back, done, failed, migrate, quiet, refused};
use crate::dry_run::by_hand;
use crate::place::{Home, sqlite};

const FAMILY: &str = "create table parent (id integer primary key);\n\
    create table child (id integer primary key, parent_id integer references parent (id) on delete cascade);\n\
    insert into parent values (1), (2);\ninsert into child values (10, 1), (20, 2);\n";

/// What deletes rows of a parent, and what deletes all of them implicitly.
const DELETE: &str = "delete from parent where id = 2;\n";
const DROP: &str = "drop table parent;\n";

/// sqlite.org/lang_altertable.html section 7.
const REBUILD: &str = "pragma foreign_keys = off;\ncreate table new_parent (id integer primary key, word text);\n\
    insert into new_parent select id, null from parent;\ndrop table parent;\nalter table new_parent rename to parent;\n\
    pragma foreign_keys = on;\n";

/// A tool, and how a file with its way back is written for it.
struct Tool {
    name: &'static str,
    write: fn(&Home, usize, &str, &str),
    enforces: bool,
}

impl Tool {
    /// Names alone do not tell refinery's folders from Flyway's.
    fn set(&self, it: &mut Configuration) {
        if self.name == "refinery" {
            it.layout = LayoutChoice::Given(Layout::Refinery);
        }
    }

    fn migrator(&self, home: &Home) -> Migrator {
        home.with(|it| self.set(it))
    }
}

fn up_and_down(home: &Home, number: usize, up: &str, down: &str) {
    home.file(&format!("{number}_m.up.sql"), up);
    home.file(&format!("{number}_m.down.sql"), down);
}

fn sections(home: &Home, number: usize, marks: [&str; 2], (up, down): (&str, &str)) {
    home.file(&format!("2024010112000{number}_m.sql"), &format!("{}\n{up}\n{}\n{down}", marks[0], marks[1]));
}

fn journal(home: &Home, number: usize, up: &str) {
    let entry = |number: usize| {
        format!(r#"{{"idx":{number},"version":"6","when":170411040000{number},"tag":"000{number}_m"}}"#)
    };
    let entries = (1..=number).map(entry).collect::<Vec<_>>().join(",");
    home.file("meta/_journal.json", &format!(r#"{{"version":"7","dialect":"sqlite","entries":[{entries}]}}"#));
    home.file(&format!("000{number}_m.sql"), up);
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "sqlx",
        enforces: true,
        write: |home, number, up, down| {
            home.folder.write("sqlx.toml", "");
            up_and_down(home, number, up, down);
        },
    },
    Tool { name: "refinery", enforces: true, write: |home, number, up, _| home.file(&format!("V{number}__m.sql"), up) },
    Tool {
        name: "diesel",
        enforces: true,
        write: |home, number, up, down| {
            home.file(&format!("2024-01-01-12000{number}_m/up.sql"), up);
            home.file(&format!("2024-01-01-12000{number}_m/down.sql"), down);
        },
    },
    Tool {
        name: "prisma",
        enforces: true,
        write: |home, number, up, _| {
            home.file("migration_lock.toml", "provider = \"sqlite\"\n");
            home.file(&format!("2024010112000{number}_m/migration.sql"), up);
        },
    },
    Tool {
        name: "drizzle with better-sqlite3",
        enforces: true,
        write: |home, number, up, _| {
            home.folder.write("package.json", r#"{"dependencies": {"better-sqlite3": "^12"}}"#);
            journal(home, number, up);
        },
    },
    Tool {
        name: "drizzle with libsql",
        enforces: false,
        write: |home, number, up, _| {
            let packages =
                r#"{"dependencies": {"@libsql/client": "^0.15"}, "devDependencies": {"better-sqlite3": "^12"}}"#;
            home.folder.write("package.json", packages);
            journal(home, number, up);
        },
    },
    Tool { name: "flyway", enforces: false, write: |home, number, up, _| home.file(&format!("V{number}__m.sql"), up) },
    Tool { name: "golang-migrate", enforces: false, write: up_and_down },
    Tool {
        name: "goose",
        enforces: false,
        write: |home, number, up, down| sections(home, number, ["-- +goose Up", "-- +goose Down"], (up, down)),
    },
    Tool {
        name: "dbmate",
        enforces: false,
        write: |home, number, up, down| sections(home, number, ["-- migrate:up", "-- migrate:down"], (up, down)),
    },
    Tool { name: "limosa", enforces: false, write: |home, number, up, _| home.file(&format!("00{number}_m.sql"), up) },
];

fn family(tool: &Tool) -> Home {
    let home = sqlite();
    (tool.write)(&home, 1, FAMILY, "drop table child; drop table parent;\n");
    home
}

fn children(home: &Home) -> Vec<String> {
    home.rows("select id from child order by id")
}

#[tokio::test]
async fn rows_of_children_go_as_they_go_with_the_tool() {
    for tool in TOOLS {
        let home = family(tool);
        done(migrate(&tool.migrator(&home)).await);
        (tool.write)(&home, 2, DELETE, "select 1;\n");
        done(migrate(&tool.migrator(&home)).await);
        let left: &[&str] = if tool.enforces { &["10"] } else { &["10", "20"] };
        assert_eq!(children(&home), left, "{}", tool.name);
        (tool.write)(&home, 3, DROP, "select 1;\n");
        done(migrate(&tool.migrator(&home)).await);
        let left: &[&str] = if tool.enforces { &[] } else { &["10", "20"] };
        assert_eq!(children(&home), left, "{}", tool.name);
    }
}

#[tokio::test]
async fn so_they_do_when_all_files_go_up_together() {
    for tool in TOOLS {
        for single_transaction in [false, true] {
            let home = family(tool);
            (tool.write)(&home, 2, DELETE, "select 1;\n");
            (tool.write)(&home, 3, "create table other (n integer);\n", "drop table other;\n");
            done(
                migrate(&home.with(|it| {
                    tool.set(it);
                    it.single_transaction = single_transaction;
                }))
                .await,
            );
            let left: &[&str] = if tool.enforces { &["10"] } else { &["10", "20"] };
            assert_eq!(children(&home), left, "{} {single_transaction}", tool.name);
        }
    }
}

#[tokio::test]
async fn a_way_back_begins_as_the_way_up() {
    for tool in TOOLS.iter().filter(|tool| ["sqlx", "diesel", "golang-migrate", "goose", "dbmate"].contains(&tool.name))
    {
        let home = family(tool);
        (tool.write)(&home, 2, "create table other (n integer);\n", DELETE);
        done(migrate(&tool.migrator(&home)).await);
        done(back(&tool.migrator(&home), Selection::Steps(1), Some(&home.database())).await);
        let left: &[&str] = if tool.enforces { &["10"] } else { &["10", "20"] };
        assert_eq!(children(&home), left, "{}", tool.name);
    }
}

#[tokio::test]
async fn what_points_nowhere_is_refused_where_the_tool_refuses_it() {
    for tool in TOOLS {
        let home = family(tool);
        done(migrate(&tool.migrator(&home)).await);
        (tool.write)(&home, 2, "insert into child values (30, 99);\n", "select 1;\n");
        let (options, name) = (MigrateOptions::default(), home.database());
        let tried = tool.migrator(&home).dry_run(&options, Some(&name), &quiet, Stop::new()).await;
        let tried = tried.map_err(|failure| refused(&failure)).expect("a dry run").executed.expect("what ran");
        assert_eq!(tried.error.is_some(), tool.enforces, "{}: {:?}", tool.name, tried.error);
        let ran = migrate(&tool.migrator(&home)).await;
        if tool.enforces {
            failed(&ran, 3, &["FOREIGN KEY constraint failed"]);
            assert_eq!(children(&home), ["10", "20"], "{}", tool.name);
        } else {
            done(ran);
            assert_eq!(children(&home), ["10", "20", "30"], "{}", tool.name);
        }
    }
}

#[tokio::test]
async fn a_file_that_switches_them_does_so_for_itself_alone() {
    for tool in TOOLS.iter().filter(|tool| tool.enforces) {
        let home = family(tool);
        (tool.write)(&home, 2, REBUILD, "select 1;\n");
        (tool.write)(&home, 3, "delete from parent where id = 1;\n", "select 1;\n");
        let plan = tool.migrator(&home).plan(&MigrateOptions::default()).await;
        let notices = plan.map_err(|failure| refused(&failure)).expect("a plan").notices;
        let said: Vec<_> = notices.iter().filter(|notice| notice.code == "LIM-P035").collect();
        // Prisma has no transaction around a file.
        assert_eq!(said.len(), usize::from(tool.name != "prisma"), "{}: {notices:?}", tool.name);
        for notice in said {
            assert!(notice.message.contains("foreign_keys = OFF") && notice.labels.len() == 1, "{notice:?}");
        }
        // What only some statements run under is run in pieces.
        let switches = "create table seen4 as select foreign_keys from pragma_foreign_keys;\npragma foreign_keys = off;\n\
            create table seen4_off as select foreign_keys from pragma_foreign_keys;\n";
        (tool.write)(&home, 4, switches, "select 1;\n");
        (tool.write)(&home, 5, "create table seen5 as select foreign_keys from pragma_foreign_keys;\n", "select 1;\n");
        done(migrate(&tool.migrator(&home)).await);
        assert_eq!(children(&home), ["20"], "{}", tool.name);
        let seen = ["seen4", "seen4_off", "seen5"].map(|table| home.rows(&format!("select * from {table}")).concat());
        assert_eq!(seen, ["1", "0", "1"], "{}", tool.name);
    }
}

#[tokio::test]
async fn a_script_by_hand_begins_with_them_as_well() {
    for tool in TOOLS {
        let home = family(tool);
        done(migrate(&tool.migrator(&home)).await);
        (tool.write)(&home, 2, &REBUILD.replace("pragma foreign_keys = on;\n", ""), "select 1;\n");
        (tool.write)(&home, 3, "delete from parent where id = 1;\n", "select 1;\n");
        let script = tool.migrator(&home).plan_script(&MigrateOptions::default()).await.expect("a script");
        by_hand(&home, &script);
        let left: &[&str] = if tool.enforces { &["20"] } else { &["10", "20"] };
        assert_eq!(children(&home), left, "{}\n{script}", tool.name);
    }
}

#[tokio::test]
async fn the_plan_says_it_and_a_setting_wins() {
    for tool in TOOLS {
        for (given, enforced) in
            [(None, tool.enforces), (Some(ForeignKeys::Enforced), true), (Some(ForeignKeys::Ignored), false)]
        {
            let home = family(tool);
            let migrator = home.with(|it| {
                tool.set(it);
                it.foreign_keys = given;
            });
            let plan =
                migrator.plan(&MigrateOptions::default()).await.map_err(|failure| refused(&failure)).expect("a plan");
            assert_eq!(plan.steps[0].begins_with_foreign_keys, enforced, "{}", tool.name);
            done(migrate(&migrator).await);
            (tool.write)(&home, 2, DELETE, "select 1;\n");
            done(migrate(&migrator).await);
            let left: &[&str] = if enforced { &["10"] } else { &["10", "20"] };
            assert_eq!(children(&home), left, "{} {given:?}", tool.name);
        }
    }
}

#[tokio::test]
async fn a_pragma_that_the_tool_ignores_deletes_no_rows() {
    for tool in TOOLS.iter().filter(|tool| !tool.enforces) {
        let ignores = !["flyway", "limosa"].contains(&tool.name);
        let left: &[&str] = if ignores { &["10", "20"] } else { &["10"] };
        let switches = format!("pragma foreign_keys = on;\n{DELETE}");
        for single_transaction in [false, true] {
            let home = family(tool);
            let migrator = home.with(|it| it.single_transaction = single_transaction);
            done(migrate(&migrator).await);
            (tool.write)(&home, 2, &switches, "select 1;\n");
            // Where its tool cannot have run it in a transaction, it counts.
            (tool.write)(&home, 3, "create table other (n integer);\n", "select 1;\n");
            let notices = done(migrate(&migrator).await).notices;
            let is_said =
                |notice: &&Diagnostic| notice.code == "LIM-P035" && notice.message.contains("foreign_keys = ON");
            assert_eq!(notices.iter().filter(is_said).count(), usize::from(ignores), "{}: {notices:?}", tool.name);
            assert_eq!(children(&home), left, "{} {single_transaction}", tool.name);
        }
        let home = family(tool);
        done(migrate(&home.migrator()).await);
        (tool.write)(&home, 2, &switches, "select 1;\n");
        let script = home.migrator().plan_script(&MigrateOptions::default()).await.expect("a script");
        by_hand(&home, &script);
        assert_eq!(children(&home), left, "{}\n{script}", tool.name);
    }
}

#[tokio::test]
async fn what_a_file_leaves_is_told_where_its_tool_would_go_on_with_it() {
    let outside = "-- +goose NO TRANSACTION\n-- +goose Up\n";
    let made = "-- +goose Up\ncreate table seen as select foreign_keys from pragma_foreign_keys;\n";
    for (second, third, is_told) in [
        (format!("{outside}pragma foreign_keys = off;\n{DELETE}pragma foreign_keys = on;\n"), made, true),
        (format!("{outside}pragma foreign_keys = on;\n{DELETE}pragma foreign_keys = off;\n"), made, false),
        (format!("{outside}begin;\npragma foreign_keys = on;\n{DELETE}commit;\nselect 1;\n"), made, false),
        // Within goose's transaction it has no effect.
        (format!("-- +goose Up\npragma foreign_keys = on;\n{DELETE}"), made, false),
        // Nobody is behind it.
        (format!("{outside}pragma foreign_keys = on;\n{DELETE}"), "", false),
    ] {
        let home = sqlite();
        home.file("1_m.sql", &format!("-- +goose Up\n{FAMILY}"));
        home.file("2_m.sql", &second);
        if !third.is_empty() {
            home.file("3_m.sql", third);
        }
        let notices = done(home.migrate().await).notices;
        let said: Vec<_> = notices.iter().filter(|notice| notice.code == "LIM-P039").collect();
        assert_eq!(said.len(), usize::from(is_told), "{second}: {notices:?}");
        if is_told {
            assert!(said[0].message.contains("2_m.sql leaves PRAGMA foreign_keys = ON: with goose"), "{said:?}");
        }
        if !third.is_empty() {
            assert_eq!(home.rows("select * from seen"), ["0"]);
        }
    }
}

#[tokio::test]
async fn a_file_that_leaves_the_transaction_out_switches_them() {
    let home = sqlite();
    let switches = format!("pragma foreign_keys = on;\n{DELETE}");
    home.file("1_m.sql", &format!("-- +goose Up\n{FAMILY}"));
    home.file("2_m.sql", &format!("-- +goose NO TRANSACTION\n-- +goose Up\n{switches}"));
    done(home.migrate().await);
    assert_eq!(children(&home), ["10"]);
    let home = sqlite();
    home.file("1_m.up.sql", FAMILY);
    // golang-migrate takes a BEGIN only where it was told to leave its own out.
    home.file("2_m.up.sql", &format!("pragma foreign_keys = on;\nbegin;\n{DELETE}commit;\n"));
    done(home.migrate().await);
    assert_eq!(children(&home), ["10"]);
    // An orphan that is there only within the file is none that the tool would have seen.
    home.file(
        "3_m.up.sql",
        "pragma foreign_keys = off;\ninsert into child values (9, 99);\npragma foreign_keys = on;\n",
    );
    done(home.migrate().await);
    assert_eq!(children(&home), ["9", "10"]);
}
