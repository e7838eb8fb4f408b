//! A plan's digest: the same for the same decisions, another one for each other decision.

use std::collections::BTreeMap;
use std::sync::Arc;

use limosa_core::{
    Action, AuditHead, Checksum, Direction, GroupMode, Identity, LedgerView, MigrateAsk, Plan, PlannedText, Rollback,
    Script, Undo, Work, decide_migrate,
};
use limosa_sql::{Diagnostic, Engine, Loss, Position};
use proptest::prelude::*;

use crate::build::{Ledger, With, around, change, policy};

fn plan() -> Plan {
    let changes = [
        change("1", "create table ${t} (); select 1;").back("drop table t;"),
        change("2", "select 1;").needs("1"),
        change("3", "select 1;").only_in("production"),
    ];
    let mut rule = policy();
    rule.values = BTreeMap::from([("t".to_owned(), Some("a".to_owned()))]);
    let mut ledger = Ledger::new().0;
    ledger.head = Some(AuditHead { sequence: 4, hash: "abc".to_owned() });
    decide_migrate(&changes, &ledger, &MigrateAsk::default(), &rule, &around()).unwrap()
}

fn undo(plan: &mut Plan) -> &mut Rollback {
    Arc::make_mut(&mut plan.steps[0].undo.as_mut().unwrap().0)
}

fn script(plan: &mut Plan) -> &mut Script {
    let Work::File(script) = &mut plan.steps[0].work else { panic!("it is no file") };
    script
}

fn changed(edit: impl FnOnce(&mut Plan)) -> Checksum {
    let mut plan = plan();
    edit(&mut plan);
    plan.digest()
}

#[test]
fn the_same_decisions_give_the_same_digest() {
    assert_eq!(plan().digest(), plan().digest());
    // The form of digests is an interface: approvals are bound to it. A new form needs a new PLAN_FORMAT.
    assert_eq!(limosa_core::PLAN_FORMAT, 1);
    assert_eq!(plan().digest().to_string(), "sha256:61b7ab7a9425413eb94f48baf5279bf81e8c62a9bfeb72ed626a5aee7d71bb6e");
}

#[test]
fn each_decision_changes_it() {
    let text = |text: &str, values: &[(&str, &str)]| {
        Work::Text(Box::new(PlannedText {
            origin: "o".into(),
            text: text.to_owned(),
            position: Position::START,
            values: values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            file_checksum: Checksum::of(b"file"),
            up_checksum: Checksum::of(b"up"),
        }))
    };
    let all = [
        ("nothing", changed(|_| {})),
        ("format", changed(|plan| plan.format = 2)),
        ("project", changed(|plan| plan.project = "other".to_owned())),
        ("engine", changed(|plan| plan.engine = Engine::Sqlite)),
        ("database", changed(|plan| plan.database = "db:5432/other".to_owned())),
        ("direction", changed(|plan| plan.direction = Direction::Revert)),
        ("no head", changed(|plan| plan.ledger_head = None)),
        ("head's number", changed(|plan| plan.ledger_head.as_mut().unwrap().sequence = 5)),
        ("head's hash", changed(|plan| plan.ledger_head.as_mut().unwrap().hash = "abd".to_owned())),
        ("value", changed(|plan| drop(plan.values.insert("t".to_owned(), Some("b".to_owned()))))),
        ("secret", changed(|plan| drop(plan.values.insert("t".to_owned(), None)))),
        ("order", changed(|plan| plan.steps.swap(0, 1))),
        ("fewer steps", changed(|plan| drop(plan.steps.pop()))),
        ("identity", changed(|plan| plan.steps[0].identity = Identity::new("9"))),
        ("action", changed(|plan| plan.steps[0].action = Action::Reapply)),
        ("resume", changed(|plan| plan.steps[0].action = Action::Resume { done: 1 })),
        ("resume further", changed(|plan| plan.steps[0].action = Action::Resume { done: 2 })),
        ("work", changed(|plan| plan.steps[0].work = text("a", &[]))),
        ("its text", changed(|plan| plan.steps[0].work = text("b", &[]))),
        ("its values", changed(|plan| plan.steps[0].work = text("a", &[("n", "1")]))),
        ("mode", changed(|plan| plan.steps[0].outline.groups[0].mode = GroupMode::Alone)),
        ("groups", changed(|plan| plan.steps[0].outline.groups[0].last = 1)),
        ("joins", changed(|plan| plan.steps[1].joins_previous = true)),
        ("lock time-out", changed(|plan| plan.steps[0].limits.lock_timeout_ms = 1)),
        ("retries", changed(|plan| plan.steps[0].limits.lock_retries = 1)),
        ("statement time-out", changed(|plan| plan.steps[0].limits.statement_timeout_ms = 1)),
        ("no undo", changed(|plan| plan.steps[0].undo = None)),
        ("undo", changed(|plan| undo(plan).text = "drop table t cascade;".to_owned())),
        ("placeholders", changed(|plan| plan.steps[0].placeholders_off = true)),
        ("variables", changed(|plan| plan.steps[0].outline.variables.begin(1))),
        ("file", changed(|plan| script(plan).file_checksum = Checksum::of(b"x"))),
        ("up part", changed(|plan| script(plan).up_checksum = Checksum::of(b"x"))),
    ];
    for (at, (what, digest)) in all.iter().enumerate() {
        for (other, (_, same)) in all.iter().enumerate().filter(|(other, _)| *other != at) {
            assert_ne!(digest, same, "{what} gives the same as {}", all[other].0);
        }
    }
}

#[test]
fn a_way_back_is_recorded_with_its_values() {
    let values =
        [("a", "1"), ("token", "hunter2"), ("empty", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let secret = std::collections::BTreeSet::from(["token".to_owned()]);
    let mut plan = plan();
    let undo = undo(&mut plan);
    let recorded = |way: &Rollback| {
        let undo = Undo(Arc::new(way.clone()));
        undo.values(Engine::Postgres, &BTreeMap::from(values.clone()), &secret).unwrap_or_default()
    };
    undo.text = "drop ${a} ${token:literal} ${unknown}; -- ${empty}\nselect '${a:-2}';".to_owned();
    assert_eq!(recorded(undo), r#"{"a":"1","token":null,"unknown":null}"#);
    undo.outline.variables.begin(2);
    assert_eq!(recorded(undo), r#"{"${a:-2}":"1"}"#);
    undo.text =
        "select 1;\nselect '$a', '${token:-x}', '${empty:-${a}}', '${unknown-none}', '${unknown?no}', '$$';".to_owned();
    assert_eq!(
        recorded(undo),
        r#"{"a":"1","${token:-x}":null,"${empty:-${a}}":"1","${unknown-none}":"none","${unknown?no}":null}"#
    );
    undo.text = "select '$a';\nselect 2;".to_owned();
    assert_eq!(recorded(undo), "");
}

#[test]
fn annotations_do_not() {
    let same = plan().digest();
    for (what, digest) in [
        ("notices", changed(|plan| plan.notices.push(Diagnostic::warning("LIM-P002", "gone")))),
        ("skipped", changed(|plan| plan.skipped.clear())),
        (
            "losses",
            changed(|plan| plan.steps[0].losses.push(Loss { kind: "table".to_owned(), object: "t".to_owned() })),
        ),
        ("losses of the way back", changed(|plan| undo(plan).outline.remarkable.clear())),
        ("description", changed(|plan| plan.steps[0].name = "another".into())),
        ("remarks", changed(|plan| plan.steps[0].outline.remarkable.clear())),
        ("file of the way back", changed(|plan| undo(plan).file = "elsewhere".into())),
    ] {
        assert_eq!(digest, same, "{what}");
    }
}

proptest! {
    #[test]
    fn equal_inputs_give_equal_digests(ups in proptest::collection::vec("[a-z]{1,8}", 1..6), done in 0usize..6) {
        let changes: Vec<_> =
            ups.iter().enumerate().map(|(at, up)| change(&(at + 1).to_string(), &format!("select '{up}';"))).collect();
        let ledger = changes.iter().take(done).fold(Ledger::new(), |ledger, change| ledger.applied(change)).0;
        let decide = |ledger: &LedgerView| {
            decide_migrate(&changes, ledger, &MigrateAsk::default(), &policy(), &around()).unwrap()
        };
        let first = decide(&ledger);
        prop_assert_eq!(first.digest(), decide(&ledger).digest());
        prop_assert_eq!(first.steps.len(), changes.len() - done.min(changes.len()));
        // Another text of any step is another plan.
        if let Some(step) = first.steps.first() {
            let mut edited = changes.clone();
            let at = edited.iter().position(|change| change.identity == step.identity).unwrap();
            edited[at] = change(step.identity.as_str(), "select 'ANOTHER';");
            let other = decide_migrate(&edited, &ledger, &MigrateAsk::default(), &policy(), &around()).unwrap();
            prop_assert_ne!(first.digest(), other.digest());
        }
    }
}
