//! What a rollback would do, and why it would not.

use std::sync::Arc;

use std::collections::{BTreeMap, HashMap};

use limosa_core::{
    Action, AuditHead, Change, Direction, FirstPart, Identity, LeaseRow, LedgerView, Plan, Policy, RollbackAsk,
    RowState, Selection, Surroundings, TimeOuts, Version, Work, decide_rollback, selected,
};
use limosa_sql::Diagnostic;

use crate::build::{Ledger, With, around, change, codes, policy, recorded, words};

fn id(text: &str) -> Identity {
    Identity::new(text)
}

fn ask(selection: Selection) -> RollbackAsk {
    RollbackAsk {
        selection,
        use_file: false,
        consent: None,
        callbacks: Vec::new(),
        first_parts: HashMap::new(),
        enum_values: HashMap::new(),
        shared_session: None,
        ignores_pragmas: None,
    }
}

fn harmless(identity: &str) -> Change {
    change(identity, "create index i on t (id);").back("drop index i;")
}

fn losing(identity: &str) -> Change {
    change(identity, "create table t (id int);").back("drop table t;")
}

struct Case {
    changes: Vec<Change>,
    ledger: LedgerView,
    policy: Policy,
    around: Surroundings,
}

impl Case {
    /// All of these are applied, in this order.
    fn of(changes: &[Change]) -> Case {
        let ledger = changes.iter().fold(Ledger::new(), |ledger, change| ledger.applied(change)).0;
        Case { changes: changes.to_vec(), ledger, policy: policy(), around: around() }
    }

    fn decide(&self, ask: &RollbackAsk) -> Result<Plan, Vec<Diagnostic>> {
        let all: Vec<&Change> = self.changes.iter().collect();
        decide_rollback(&self.changes, &self.ledger, &recorded(&all), ask, &self.policy, &self.around)
    }
}

#[test]
fn a_ledger_that_moved_is_told_from_one_that_stands() {
    let mut before = Ledger::new().applied(&harmless("1")).0;
    assert!(!before.stands_as(&before.clone()), "without a log nothing says so");
    before.head = Some(AuditHead { sequence: 4, hash: "a".to_owned() });
    let moved = |change: fn(&mut LedgerView)| {
        let mut now = before.clone();
        change(&mut now);
        !now.stands_as(&before)
    };
    assert!(!moved(|_| {}));
    assert!(!moved(|now| now.lease = Some(LeaseRow::default())), "whoever looks under the lock holds a lease");
    assert!(moved(|now| now.head = None));
    assert!(moved(|now| now.head.as_mut().unwrap().hash = "b".to_owned()));
    assert!(moved(|now| now.rows[0].state = RowState::Partial));
    assert!(moved(|now| now.rows.clear()));
    assert!(moved(|now| now.keeps_another = true));
}

#[test]
fn selections() {
    let ledger = Ledger::new()
        .applied(&harmless("1"))
        .applied(&harmless("3"))
        .applied(&harmless("R:v"))
        .applied(&harmless("2"))
        .applied(&harmless("10"))
        .0;
    let to = |text: &str| Selection::To(Version::parse(text).unwrap());
    for (selection, wanted) in [
        (Selection::Steps(0), vec![]),
        (Selection::Steps(1), vec!["10"]),
        (Selection::Steps(3), vec!["10", "2", "3"]),
        (Selection::Steps(99), vec!["10", "2", "3", "1"]),
        (to("2"), vec!["10", "3"]),
        // Back to nothing takes the repeatables along.
        (to("0"), vec!["10", "2", "R:v", "3", "1"]),
        (to("10"), vec![]),
        (Selection::From(id("2")), vec!["10", "2"]),
        // A repeatable between two versions stays, unless it is the one that is named.
        (Selection::From(id("3")), vec!["10", "2", "3"]),
        (Selection::From(id("R:v")), vec!["10", "2", "R:v"]),
        (Selection::One(id("3")), vec!["3"]),
        (Selection::These(vec![id("R:v"), id("1")]), vec!["R:v", "1"]),
    ] {
        let found = selected(&ledger, &selection).unwrap();
        assert_eq!(found.iter().map(Identity::as_str).collect::<Vec<_>>(), wanted, "{selection:?}");
    }
    for selection in
        [to("7"), Selection::From(id("7")), Selection::One(id("7")), Selection::These(vec![id("1"), id("7")])]
    {
        let problem = selected(&ledger, &selection).unwrap_err();
        assert_eq!(problem.code, "LIM-P011", "{selection:?}");
        assert!(problem.message.starts_with("7 is not applied"), "{}", problem.message);
    }
    assert!(selected(&LedgerView::default(), &to("0")).unwrap().is_empty());
}

#[test]
fn steps_hold_the_recorded_way_back() {
    let case = Case::of(&[harmless("001"), harmless("002")]);
    let plan = case.decide(&ask(Selection::Steps(2))).unwrap();
    assert_eq!(plan.direction, Direction::Revert);
    let order: Vec<&str> = plan.steps.iter().map(|step| step.label.as_str()).collect();
    assert_eq!(order, ["002", "001"]);
    let step = &plan.steps[0];
    assert_eq!((step.action, step.undo.is_none()), (Action::Revert, true));
    assert!(
        matches!(&step.work, Work::Text(back)
            if back.origin == "recorded rollback of 2" && back.text == "drop index i;" && back.position.line == 7),
        "{:?}",
        step.work
    );
}

#[test]
fn time_outs_are_those_of_the_way_back_then_of_the_migration_then_of_the_run() {
    let run = policy().limits;
    for (own, header, lock, statement) in [
        ((None, None), None, run.lock_timeout_ms, run.statement_timeout_ms),
        ((None, None), Some(7), 7, 7),
        ((Some(5), None), Some(7), 5, 7),
        ((Some(0), Some(6)), Some(7), 0, 6),
    ] {
        let mut change = harmless("1");
        (change.headers.lock_timeout, change.headers.statement_timeout) = (header, header);
        Arc::make_mut(change.rollback.as_mut().unwrap()).own_time_outs =
            Some(Box::new(TimeOuts { lock_ms: own.0, statement_ms: own.1 }));
        for use_file in [true, false] {
            let plan = Case::of(std::slice::from_ref(&change))
                .decide(&RollbackAsk { use_file, ..ask(Selection::Steps(1)) })
                .unwrap();
            let limits = plan.steps[0].limits;
            assert_eq!((limits.lock_timeout_ms, limits.statement_timeout_ms), (lock, statement), "{own:?} {header:?}");
            assert_eq!(limits.lock_retries, run.lock_retries);
        }
    }
}

#[test]
fn the_file_counts_only_where_it_was_asked_for() {
    let mut case = Case::of(&[harmless("1")]);
    case.ledger.rows[0].has_rollback = true;
    let recorded = recorded(&[&harmless("1")]);
    case.changes[0] = change("1", "create index i on t (id);").back("drop index if exists i;");
    let text = |use_file| {
        let ask = RollbackAsk { use_file, ..ask(Selection::Steps(1)) };
        let plan = decide_rollback(&case.changes, &case.ledger, &recorded, &ask, &case.policy, &case.around).unwrap();
        let Work::Text(back) = &plan.steps[0].work else { panic!("{:?}", plan.steps) };
        back.text.clone()
    };
    assert_eq!(text(false), "drop index i;");
    assert_eq!(text(true), "drop index if exists i;");
}

#[test]
fn a_change_without_a_way_back_is_refused() {
    let case = Case::of(&[change("1", "select 1;")]);
    let problems = case.decide(&ask(Selection::Steps(1))).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P014"]);
    assert!(words(&problems).contains("--use-file"));
    let from_file = RollbackAsk { use_file: true, ..ask(Selection::Steps(1)) };
    let problems = case.decide(&from_file).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P013"]);
    assert!(words(&problems).contains("-- limosa:rollback"));
}

#[test]
fn what_others_depend_on_stays() {
    let case = Case::of(&[harmless("1"), harmless("2").needs("1"), harmless("3").needs("2")]);
    let problems = case.decide(&ask(Selection::One(id("1")))).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P012"]);
    assert!(words(&problems).contains("1 cannot be taken back: 2 (name of 2) depends on it"), "{}", words(&problems));
    assert!(words(&problems).contains("limosa rollback --from 1"));
    assert!(case.decide(&ask(Selection::From(id("1")))).is_ok());
    assert!(case.decide(&ask(Selection::One(id("3")))).is_ok());
    let two = ask(Selection::These(vec![id("2"), id("1")]));
    assert_eq!(codes(&case.decide(&two).unwrap_err()), ["LIM-P012"]);
}

#[test]
fn losing_data_needs_consent_that_names_the_database() {
    let mut case = Case::of(&[losing("1")]);
    let with = |consent: Option<&str>| RollbackAsk { consent: consent.map(str::to_owned), ..ask(Selection::Steps(1)) };
    let problems = case.decide(&with(None)).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P016"]);
    assert!(words(&problems).contains("table t (1)") && words(&problems).contains("--allow-data-loss shop"));
    let problems = case.decide(&with(Some("db:5432/shop"))).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P016"]);
    assert!(words(&problems).contains("(you named 'db:5432/shop')"));
    assert!(case.decide(&with(Some("shop"))).is_ok());
    case.policy.protected = true;
    let problems = case.decide(&with(Some("shop"))).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P015"]);
    assert!(words(&problems).contains("protected environment staging"));
    // What loses nothing may go back even there.
    let mut case = Case::of(&[harmless("1")]);
    case.policy.protected = true;
    assert!(case.decide(&with(None)).is_ok());
}

#[test]
fn many_losses_are_counted() {
    let many: String = (0..11).map(|number| format!("drop table t{number};")).collect();
    let case = Case::of(&[change("1", "select 1;").back(&many)]);
    let problems = case.decide(&ask(Selection::Steps(1))).unwrap_err();
    assert!(words(&problems).contains("table t7 (1) and 3 more"), "{}", words(&problems));
}

#[test]
fn what_was_interrupted_goes_on() {
    let one = change("1", "select 1;").back("vacuum; vacuum;");
    let mut case = Case::of(&[]);
    case.ledger = Ledger::new().row(&one, RowState::Reverting).journal(&one, Direction::Revert, 1).0;
    case.changes = vec![one.clone()];
    let plan = case.decide(&ask(Selection::One(id("1")))).unwrap();
    assert_eq!(plan.steps[0].action, Action::ResumeRevert { done: 1 });
    let edited = RollbackAsk {
        first_parts: HashMap::from([(one.identity.clone(), FirstPart::OtherText)]),
        ..ask(Selection::One(id("1")))
    };
    assert_eq!(codes(&case.decide(&edited).unwrap_err()), ["LIM-P006"]);
    let first_parts = HashMap::from([(one.identity.clone(), FirstPart::OtherValues(vec!["shade".to_owned()]))]);
    let problems = case.decide(&RollbackAsk { first_parts, ..ask(Selection::One(id("1"))) }).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P036"]);
    assert!(words(&problems).contains("another value of the placeholder shade"), "{}", words(&problems));
}

#[test]
fn a_pooler_forbids_what_is_not_one_transaction() {
    let mut case = Case::of(&[change("1", "select 1;").back("drop index concurrently i;")]);
    case.around.transactions_only = true;
    assert_eq!(codes(&case.decide(&ask(Selection::Steps(1))).unwrap_err()), ["LIM-P008"]);
}

#[test]
fn a_single_transaction_joins_what_can_be_joined() {
    let mut case = Case::of(&[harmless("1"), change("2", "select 1;").back("vacuum;"), harmless("3"), harmless("4")]);
    case.policy.single_transaction = true;
    let plan = case.decide(&ask(Selection::Steps(4))).unwrap();
    let joins: Vec<bool> = plan.steps.iter().map(|step| step.joins_previous).collect();
    assert_eq!(joins, [false, true, false, false]);
}

#[test]
fn recorded_values_win_and_a_gone_file_changes_nothing() {
    let applied = change("1", "select 1;").back("drop index ${name}; select '${other}';");
    let ledger = Ledger::new().applied(&applied).0;
    let mut stored = recorded(&[&applied]);
    let back = stored.get_mut(&id("1")).unwrap();
    back.values = BTreeMap::from([("name".to_owned(), "then".to_owned())]);
    let mut rule = policy();
    rule.values = ["name", "other"].iter().map(|name| ((*name).to_owned(), Some("now".to_owned()))).collect();
    let plan = decide_rollback(&[], &ledger, &stored, &ask(Selection::Steps(1)), &rule, &around()).unwrap();
    assert_eq!(plan.values, BTreeMap::from([("other".to_owned(), Some("now".to_owned()))]));
    stored.get_mut(&id("1")).unwrap().placeholders_off = true;
    let plan = decide_rollback(&[], &ledger, &stored, &ask(Selection::Steps(1)), &rule, &around()).unwrap();
    assert!(plan.values.is_empty() && plan.steps[0].placeholders_off);
    assert_eq!(plan.steps[0].limits, rule.limits);
}

#[test]
fn all_reasons_are_given_at_once() {
    let case = Case::of(&[losing("1"), change("2", "select 1;"), harmless("3").needs("2")]);
    let problems = case.decide(&ask(Selection::These(vec![id("2"), id("1")]))).unwrap_err();
    assert_eq!(codes(&problems), ["LIM-P012", "LIM-P014", "LIM-P016"]);
}
