//! What a migrate would do, and why it would not.

use std::collections::HashMap;

use limosa_core::{
    Action, Change, Direction, EnumValueReader, FirstPart, LedgerView, MigrateAsk, OutOfOrder, Plan, Policy, RowState,
    Surroundings, Version, Work, decide_migrate,
};
use limosa_sql::{Diagnostic, Engine, PieceKind, split};

use crate::build::{Ledger, With, around, change, codes, policy, words};

fn decide(changes: &[Change], ledger: &LedgerView) -> Result<Plan, Vec<Diagnostic>> {
    decide_migrate(changes, ledger, &MigrateAsk::default(), &policy(), &around())
}

fn with(changes: &[Change], ledger: &LedgerView, ask: &MigrateAsk) -> Result<Plan, Vec<Diagnostic>> {
    decide_migrate(changes, ledger, ask, &policy(), &around())
}

fn under(changes: &[Change], ledger: &LedgerView, policy: &Policy) -> Result<Plan, Vec<Diagnostic>> {
    decide_migrate(changes, ledger, &MigrateAsk::default(), policy, &around())
}

fn identities(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.identity.as_str()).collect()
}

const SQL: &str = "create table t (id int);";

#[test]
fn what_is_pending_runs_in_the_order_of_the_files() {
    let (one, two, view) = (change("1", SQL), change("2", SQL), change("R:v", SQL));
    let changes = [one.clone(), two.clone(), view.clone()];
    assert_eq!(identities(&decide(&changes, &LedgerView::default()).unwrap()), ["1", "2", "R:v"]);
    assert_eq!(identities(&decide(&changes, &Ledger::new().applied(&one).0).unwrap()), ["2", "R:v"]);
    let done = Ledger::new().applied(&one).applied(&two).applied(&view);
    assert!(decide(&changes, &done.0).unwrap().is_empty());
}

#[test]
fn a_step_says_everything_that_its_file_and_the_policy_say() {
    let mut wanted = change("007", SQL).back("drop table t;").needs("1");
    wanted.headers.lock_timeout = Some(5);
    wanted.headers.statement_timeout = Some(0);
    wanted.headers.placeholders_off = true;
    let done = change("1", SQL);
    let plan = decide(&[done.clone(), wanted.clone()], &Ledger::new().applied(&done).0).unwrap();
    assert_eq!((plan.project.as_str(), plan.database.as_str()), ("shop", "db:5432/shop"));
    assert_eq!((plan.engine, plan.direction), (Engine::Postgres, Direction::Apply));
    let [step] = plan.steps.as_slice() else { panic!("{:?}", plan.steps) };
    assert_eq!(
        (step.identity.as_str(), step.label.as_str(), step.version().map(|version| version.as_str())),
        ("7", "007", Some("007"))
    );
    assert_eq!(step.action, Action::Apply);
    assert_eq!((step.limits.lock_timeout_ms, step.limits.statement_timeout_ms, step.limits.lock_retries), (5, 0, 10));
    assert!(
        matches!(&step.work, Work::File(script) if script.file == "m/007_7.sql" && (script.span.start, script.span.end) == (0, 24))
    );
    let undo = step.undo.as_ref().unwrap();
    assert_eq!((undo.text.as_str(), undo.start.line, undo.outline.losses().count()), ("drop table t;", 7, 1));
    assert!(step.placeholders_off && !step.joins_previous && step.losses.is_empty());
    assert_eq!(step.depends_on.len(), 1);
}

#[test]
fn a_target_that_nobody_knows_is_refused() {
    let changes = [change("1", SQL), change("2", SQL), change("10", SQL), change("R:v", SQL)];
    let to = |text: &str| MigrateAsk { to: Some(Version::parse(text).unwrap()), ..MigrateAsk::default() };
    for (target, help) in [("9", "--to 2 or --to 10"), ("99", "the nearest: --to 10;"), ("0.5", "the nearest: --to 1;")]
    {
        let problems = with(&changes, &LedgerView::default(), &to(target)).unwrap_err();
        assert_eq!(codes(&problems), ["LIM-P019"]);
        assert!(problems[0].help.iter().any(|line| line.contains(help)), "{target}: {problems:?}");
    }
    // Its file is gone, but it was applied.
    let gone = Ledger::new().applied(&change("9", "select 9;")).0;
    let rule = Policy { out_of_order: OutOfOrder::Allow, ..policy() };
    let plan = decide_migrate(&changes, &gone, &to("9"), &rule, &around()).unwrap();
    assert_eq!(identities(&plan), ["1", "2"]);
}

#[test]
fn limits_of_the_run() {
    let changes = [change("1", SQL), change("2", SQL), change("10", SQL), change("R:v", SQL)];
    let to = |text: &str| MigrateAsk { to: Some(Version::parse(text).unwrap()), ..MigrateAsk::default() };
    let steps = |count| MigrateAsk { steps: Some(count), ..MigrateAsk::default() };
    for (ask, wanted) in [
        (to("2"), vec!["1", "2"]),
        (to("010"), vec!["1", "2", "10"]),
        (to("0"), vec![]),
        (steps(1), vec!["1"]),
        (steps(0), vec![]),
        (steps(99), vec!["1", "2", "10", "R:v"]),
        (MigrateAsk { steps: Some(1), ..to("2") }, vec!["1"]),
    ] {
        assert_eq!(identities(&with(&changes, &LedgerView::default(), &ask).unwrap()), wanted, "{ask:?}");
    }
}

#[test]
fn a_changed_file_is_refused_with_both_checksums() {
    let (was, is) = (change("1", "select 1;"), change("1", "select 2;"));
    let problems = decide(std::slice::from_ref(&is), &Ledger::new().applied(&was).0).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P001"]);
    let words = words(&problems);
    assert!(words.contains(&was.script.up_checksum.to_string()) && words.contains(&is.script.up_checksum.to_string()));
    assert!(words.contains("m/1_1.sql") && words.contains("repair --accept 1"), "{words}");
    assert_eq!(problems[0].labels[0].file, "m/1_1.sql");
}

#[test]
fn all_reasons_are_given_at_once() {
    let changes = [change("1", "select 1;"), change("2", "select 1;"), change("3", SQL), change("4", SQL)];
    let ledger = Ledger::new()
        .applied(&change("1", "was"))
        .applied(&change("2", "was"))
        .applied(&changes[3])
        .row(&change("R:x", "gone"), RowState::Partial)
        .row(&change("R:y", "gone"), RowState::Reverting);
    let problems = decide(&changes, &ledger.0).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P001", "LIM-P001", "LIM-P005", "LIM-P003", "LIM-P004"]);
    assert!(words(&problems).contains("limosa rollback R:y"));
}

#[test]
fn a_missing_file_is_worth_a_word_and_stops_nothing() {
    let gone = change("1", SQL);
    let plan = decide(&[change("2", "select 2;")], &Ledger::new().applied(&gone).0).unwrap();
    assert_eq!(identities(&plan), ["2"]);
    assert_eq!(codes(&plan.notices), ["LIM-P002"]);
}

#[test]
fn what_ran_under_another_name_does_not_run_again() {
    let was = Ledger::new().applied(&change("1", SQL)).0;
    let problems = decide(&[change("2", SQL)], &was).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P037"]);
    let said = words(&problems);
    assert!(said.contains("applied as 1 (name of 1)") && said.contains("repair --mark-applied 2"), "{said}");
    assert_eq!(identities(&decide(&[change("2", &format!("{SQL} -- once more"))], &was).unwrap()), ["2"]);
    // Both are there, the change runs each time, or nothing is in it.
    assert_eq!(identities(&decide(&[change("1", SQL), change("2", SQL)], &was).unwrap()), ["2"]);
    assert_eq!(identities(&decide(&[change("R:x", SQL)], &was).unwrap()), ["R:x"]);
    let empty = Ledger::new().applied(&change("1", "-- nothing")).0;
    assert_eq!(identities(&decide(&[change("2", "-- nothing")], &empty).unwrap()), ["2"]);
}

#[test]
fn what_comes_late_follows_the_policy() {
    let changes = [change("1", SQL), change("2", SQL)];
    let ledger = Ledger::new().applied(&changes[1]).0;
    let rule = |out_of_order| Policy { out_of_order, ..policy() };
    let refused = under(&changes, &ledger, &rule(OutOfOrder::Refuse)).unwrap_err();
    assert_eq!(codes(&refused), ["LIM-P005"]);
    assert!(words(&refused).contains("version 2 was applied before it"));
    let warned = under(&changes, &ledger, &rule(OutOfOrder::Warn)).unwrap();
    assert_eq!((identities(&warned), codes(&warned.notices)), (vec!["1"], vec!["LIM-P005"]));
    let allowed = under(&changes, &ledger, &rule(OutOfOrder::Allow)).unwrap();
    assert_eq!((identities(&allowed), allowed.notices.len()), (vec!["1"], 0));
    // What lies beyond the target does not stand in its way.
    let far = [change("1", SQL), change("5", SQL), change("9", SQL)];
    let ask = MigrateAsk { to: Some(Version::parse("1").unwrap()), ..MigrateAsk::default() };
    let ledger = Ledger::new().applied(&far[0]).applied(&far[2]).0;
    assert!(with(&far, &ledger, &ask).unwrap().is_empty());
}

#[test]
fn what_was_interrupted_goes_first_and_only_unchanged() {
    let (one, two) = (change("1", SQL), change("2", "create table a (); vacuum; vacuum;"));
    let ledger = Ledger::new().row(&two, RowState::Partial).journal(&two, Direction::Apply, 2).0;
    let rule = Policy { out_of_order: OutOfOrder::Allow, ..policy() };
    let plan = under(&[one.clone(), two.clone()], &ledger, &rule).unwrap();
    assert_eq!(identities(&plan), ["2", "1"]);
    assert_eq!(plan.steps[0].action, Action::Resume { done: 2 });
    let edited =
        |part| MigrateAsk { first_parts: HashMap::from([(two.identity.clone(), part)]), ..MigrateAsk::default() };
    assert!(with(std::slice::from_ref(&two), &ledger, &edited(FirstPart::Same)).is_ok());
    let problems = with(std::slice::from_ref(&two), &ledger, &edited(FirstPart::OtherText)).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P006"]);
    assert!(words(&problems).contains("from the failed statement on the file may be edited"));
    let other = FirstPart::OtherValues(vec!["shade".to_owned(), "tone".to_owned()]);
    let problems = with(std::slice::from_ref(&two), &ledger, &edited(other)).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P036"]);
    assert!(words(&problems).contains("ran with another value of one of the placeholders shade, tone"));
    assert!(words(&problems).contains("limosa repair --accept 2"));
    // Its target may lie before it: half a change is never left.
    let ask = MigrateAsk { to: Some(Version::parse("1").unwrap()), ..MigrateAsk::default() };
    let view = change("R:v", "vacuum; vacuum;");
    let ledger = Ledger::new().row(&view, RowState::Partial).0;
    assert_eq!(identities(&with(&[one, view], &ledger, &ask).unwrap()), ["R:v", "1"]);
}

#[test]
fn a_repeatable_runs_again_when_it_changed() {
    let (was, is) = (change("R:v", "select 1;"), change("R:v", "select 2;"));
    let plan = decide(&[is], &Ledger::new().applied(&was).0).unwrap();
    assert_eq!(plan.steps[0].action, Action::Reapply);
    assert_eq!((plan.steps[0].version(), plan.steps[0].label.as_str()), (None, "R"));
}

#[test]
fn what_does_not_apply_is_remembered_once() {
    let changes = [change("1", SQL).only_in("production"), change("2", SQL)];
    let plan = decide(&changes, &LedgerView::default()).unwrap();
    assert_eq!(identities(&plan), ["2"]);
    let [skipped] = plan.skipped.as_slice() else { panic!("{:?}", plan.skipped) };
    assert_eq!((skipped.identity.as_str(), skipped.version.as_deref()), ("1", Some("1")));
    assert_eq!(skipped.reason, "for environment production only, this is staging");
    let known = Ledger::new().applied(&changes[1]).skipped(&changes[0]).0;
    assert!(decide(&changes, &known).unwrap().skipped.is_empty());
    let there = Surroundings { environment: Some("production".to_owned()), ..around() };
    let plan = decide_migrate(&changes, &known, &MigrateAsk::default(), &policy(), &there).unwrap();
    assert_eq!(identities(&plan), ["1"]);
}

#[test]
fn dependencies_must_apply_and_run() {
    let base = change("1", SQL).only_in("production");
    let needy = change("2", SQL).needs("1");
    let problems = decide(&[base.clone(), needy.clone()], &LedgerView::default()).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P007"]);
    assert!(words(&problems).contains("depends on 1, which does not apply here: for environment production"));
    // It was applied while it did apply: that is enough.
    assert!(decide(&[base.clone(), needy.clone()], &Ledger::new().applied(&base).0).is_ok());
    // A later version that must come before an earlier one, cut off by the target.
    let (first, second) = (change("5", SQL), change("3", SQL).needs("5"));
    let ask = MigrateAsk { to: Some(Version::parse("3").unwrap()), ..MigrateAsk::default() };
    let problems = with(&[first.clone(), second.clone()], &LedgerView::default(), &ask).unwrap_err();
    assert!(words(&problems).contains("depends on 5, which is not part of this run"), "{}", words(&problems));
    // Applied as baseline counts as applied.
    assert!(
        with(
            &[first.clone(), second],
            &Ledger::new().row(&first, RowState::Baseline).skipped(&change("3", "")).0,
            &ask
        )
        .is_ok()
    );
}

#[test]
fn a_pooler_and_a_single_transaction_forbid_what_cannot_run_inside() {
    let changes = [change("1", SQL), change("2", "create index concurrently i on t (id);")];
    let pooled = Surroundings { transactions_only: true, ..around() };
    let problems =
        decide_migrate(&changes, &LedgerView::default(), &MigrateAsk::default(), &policy(), &pooled).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P008"]);
    assert_eq!(problems[0].labels[0].position.unwrap().line, 1);
    assert!(words(&problems).contains("direct_url"));
    let single = Policy { single_transaction: true, ..policy() };
    let problems = under(&changes, &LedgerView::default(), &single).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P009"]);
    // Only what is to run is judged.
    let done = Ledger::new().applied(&changes[0]).applied(&changes[1]).0;
    assert!(under(&[changes[0].clone(), changes[1].clone(), change("3", SQL)], &done, &single).is_ok());
}

const SINGLE: fn() -> Policy = || Policy { single_transaction: true, ..policy() };

fn joins(plan: &Plan) -> Vec<bool> {
    plan.steps.iter().map(|step| step.joins_previous).collect()
}

/// A plan over changes with these texts, each step's enum values read; which steps join, and where the splits are said.
fn joined(texts: &[&str]) -> (String, Vec<String>) {
    let mut reader = EnumValueReader::new(Engine::Postgres);
    let mut ask = MigrateAsk::default();
    let mut changes = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let change = change(&(at + 1).to_string(), text);
        for piece in split(Engine::Postgres, "test.sql", text.as_bytes()).unwrap() {
            if matches!(piece.kind, PieceKind::Statement(_)) {
                reader.statement(piece.statement());
            }
        }
        ask.enum_values.insert(change.identity.clone(), reader.end_step());
        changes.push(change);
    }
    let plan = decide_migrate(&changes, &LedgerView::default(), &ask, &SINGLE(), &around()).unwrap();
    let marks = joins(&plan).iter().map(|joins| if *joins { '+' } else { '|' }).collect();
    (marks, plan.notices.iter().map(|notice| notice.message.clone()).collect())
}

#[test]
fn a_single_transaction_splits_before_the_use_of_a_new_enum_value_only() {
    let add = "alter type mood add value 'wild';";
    let using = "insert into t values ('wild');";
    for (texts, wanted) in [
        (vec![add, SQL, SQL], "|++"),
        (vec![add, SQL, using], "|+|"),
        (vec![add, using, SQL], "||+"),
        // Committed once, it may be used at will.
        (vec![add, using, SQL, using], "||++"),
        (vec![add, using, "alter type mood add value 'calm';", using, "select 'calm'::mood;"], "||++|"),
        // Neighbours, and a second time for safety, are no use.
        (
            vec![add, "alter type mood add value 'calm' after 'wild'; alter type mood add value if not exists 'wild';"],
            "|+",
        ),
        (vec![add, "select 'wildest'; -- 'wild'\n select wild from t;"], "|+"),
        (vec![add, "create function f() returns mood language sql as $$ select 'wild'::mood $$;"], "||"),
        (vec![add, "copy t from stdin;\nwild\n\\.\n"], "||"),
        // The file's own BEGIN and COMMIT give way to the one transaction.
        (vec!["begin; alter type mood add value 'wild'; commit;", SQL, using], "|+|"),
        // A file that splits by itself begins and ends in transactions of its own.
        (vec![add, SQL, "alter type mood add value 'calm'; select 'calm'::mood;", SQL, using], "|+||+"),
        (vec!["create type mood as enum ('glad', 'wild');", SQL, using], "|++"),
    ] {
        assert_eq!(joined(&texts).0, wanted, "{texts:?}");
    }
    let (_, notices) = joined(&[add, SQL, using]);
    assert_eq!(
        notices,
        ["the single transaction is split before 3: it uses the new enum value 'wild', which must be committed first"]
    );
}

/// Where nobody has read the steps, any of them may use any value.
#[test]
fn unread_steps_are_kept_out_of_the_transaction_of_a_new_enum_value() {
    let changes = [
        change("1", "create type mood as enum ('glad', 'sad');"),
        change("2", SQL),
        change("3", "alter type mood add value 'wild';"),
        change("4", SQL),
        change("5", "alter type mood add value ${calm:literal};"),
        change("6", SQL),
    ];
    let plan = under(&changes, &LedgerView::default(), &SINGLE()).unwrap();
    assert_eq!(joins(&plan), [false, true, true, false, true, false]);
    assert_eq!(codes(&plan.notices), ["LIM-P010", "LIM-P010"]);
    assert!(words(&plan.notices).contains("split before 4: a new enum value must be committed first"));
}

#[test]
fn a_single_transaction_splits_where_foreign_keys_are_switched() {
    let single = Policy { single_transaction: true, ..policy() };
    let lite = |identity: &str, text: &str| {
        let mut change = change(identity, "");
        change.script.outline =
            crate::build::outline_of(Engine::Sqlite, text, limosa_core::TransactionWish::Auto).unwrap().into();
        change
    };
    let changes = [
        lite("1", "create table a (x);"),
        lite("2", "pragma foreign_keys = off; drop table a; pragma foreign_keys = on;"),
        lite("3", "pragma foreign_keys = on; insert into b values (1);"),
    ];
    let here = Surroundings { engine: Engine::Sqlite, ..around() };
    let plan = decide_migrate(&changes, &LedgerView::default(), &MigrateAsk::default(), &single, &here).unwrap();
    let joins: Vec<bool> = plan.steps.iter().map(|step| step.joins_previous).collect();
    assert_eq!(joins, [false, true, false]);
    assert!(words(&plan.notices).contains("split before 3: only one of the two wants foreign keys enforced"));
}

#[test]
fn data_is_destroyed_in_silence_only_where_the_header_allows_it() {
    let loud = change("1", "select 1;\n drop table a; truncate b; delete from c;");
    let plan = decide(std::slice::from_ref(&loud), &LedgerView::default()).unwrap();
    assert_eq!(codes(&plan.notices), ["LIM-P018"]);
    assert!(words(&plan.notices).contains("m/1_1.sql destroys data for good: table a, rows b, rows c"));
    assert_eq!(plan.notices[0].labels[0].position.unwrap().line, 2);
    assert_eq!(plan.steps[0].losses.len(), 3);
    let mut meant = loud;
    meant.headers.data_loss_allowed = true;
    let plan = decide(&[meant], &LedgerView::default()).unwrap();
    assert_eq!((plan.notices.len(), plan.steps[0].losses.len()), (0, 3));
}

#[test]
fn values_enter_the_plan_and_secrets_by_name_only() {
    let mut rule = policy();
    for (name, value) in [("table", Some("t")), ("password", None), ("unused", Some("x"))] {
        rule.values.insert(name.to_owned(), value.map(str::to_owned));
    }
    let mut quiet = change("2", "select '${unused}';");
    quiet.headers.placeholders_off = true;
    let changes = [change("1", "create table ${table} (); create user u password '${password}';"), quiet];
    let plan = under(&changes, &LedgerView::default(), &rule).unwrap();
    let values: Vec<(&str, Option<&str>)> =
        plan.values.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
    assert_eq!(values, [("password", None), ("table", Some("t"))]);
}

#[test]
fn a_single_transaction_of_mysql_splits_where_a_file_changes_settings() {
    for (engine, joined) in [(Engine::Mysql, [false, false, false]), (Engine::Sqlite, [false, true, true])] {
        let mut second = change("2", "update t set n = 2;");
        second.script.outline.settings = vec!["sql_mode".to_owned()].into();
        let changes = [change("1", "update t set n = 1;"), second, change("3", "update t set n = 3;")];
        let policy = Policy { single_transaction: true, ..policy() };
        let around = Surroundings { engine, ..around() };
        let plan = decide_migrate(&changes, &LedgerView::default(), &MigrateAsk::default(), &policy, &around).unwrap();
        let joins: Vec<bool> = plan.steps.iter().map(|step| step.joins_previous).collect();
        assert_eq!(joins, joined, "{engine:?}");
        assert_eq!(
            plan.notices.iter().filter(|notice| notice.code == "LIM-P010").count(),
            joins.iter().skip(1).filter(|joins| !**joins).count()
        );
    }
}
