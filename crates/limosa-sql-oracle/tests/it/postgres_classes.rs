//! What statements of PostgreSQL are, by the server's grammar.

use limosa_sql::{Effect, Engine, QualifiedName, TransactionRule, classify};
use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterTableStmt, AlterTableType, DropBehavior, Node, ObjectType, RangeVar, ReindexObjectType, TransactionStmtKind,
    VariableSetKind,
};
use proptest::prelude::*;

use crate::postgres_split::GRAMMAR;
use crate::scripts::statement;

/// The first statement by the server's grammar.
fn parse(text: &str) -> Option<NodeEnum> {
    let result = pg_query::parse(text, 0).ok()?;
    result.protobuf.stmts.first()?.stmt.as_ref()?.node.clone()
}

fn name(range: Option<&RangeVar>) -> Option<QualifiedName> {
    let range = range?;
    let schema = Some(range.schemaname.clone()).filter(|schema| !schema.is_empty());
    Some(QualifiedName { schema, name: range.relname.clone() })
}

/// What the grammar says about transactions, where it says something.
fn transaction(node: &NodeEnum) -> TransactionRule {
    use TransactionRule::{Begins, Commits, Controls, Either, Outside, RollsBack};
    let outside = |yes: bool| if yes { Outside } else { Either };
    let option =
        |options: &[Node], name: &str| options.iter().any(|node| format!("{node:?}").contains(&format!("\"{name}\"")));
    match node {
        NodeEnum::TransactionStmt(statement) => match statement.kind() {
            TransactionStmtKind::TransStmtBegin | TransactionStmtKind::TransStmtStart => Begins,
            TransactionStmtKind::TransStmtCommit => Commits,
            TransactionStmtKind::TransStmtRollback => RollsBack,
            TransactionStmtKind::TransStmtCommitPrepared | TransactionStmtKind::TransStmtRollbackPrepared => Outside,
            _ => Controls,
        },
        NodeEnum::IndexStmt(statement) => outside(statement.concurrent),
        NodeEnum::DropStmt(statement) => outside(statement.concurrent),
        NodeEnum::ReindexStmt(statement) => {
            let whole = !matches!(
                statement.kind(),
                ReindexObjectType::ReindexObjectIndex | ReindexObjectType::ReindexObjectTable
            );
            outside(whole || option(&statement.params, "concurrently"))
        }
        NodeEnum::VacuumStmt(statement) => outside(statement.is_vacuumcmd),
        NodeEnum::ClusterStmt(statement) => outside(statement.relation.is_none()),
        NodeEnum::CreatedbStmt(_) | NodeEnum::DropdbStmt(_) | NodeEnum::CreateTableSpaceStmt(_) => Outside,
        NodeEnum::AlterSystemStmt(_) | NodeEnum::DropSubscriptionStmt(_) | NodeEnum::DropTableSpaceStmt(_) => Outside,
        NodeEnum::AlterDatabaseStmt(statement) => outside(option(&statement.options, "tablespace")),
        NodeEnum::CreateSubscriptionStmt(statement) => {
            outside(!option(&statement.options, "create_slot") && !option(&statement.options, "connect"))
        }
        NodeEnum::DiscardStmt(statement) => outside(statement.target == 1),
        NodeEnum::AlterTableStmt(statement) => outside(detaches_concurrently(statement)),
        _ => Either,
    }
}

fn detaches_concurrently(statement: &AlterTableStmt) -> bool {
    commands(statement)
        .any(|(kind, text)| kind == AlterTableType::AtDetachPartition && text.contains("concurrent: true"))
}

fn commands(statement: &AlterTableStmt) -> impl Iterator<Item = (AlterTableType, String)> {
    statement.cmds.iter().filter_map(|node| match &node.node {
        Some(NodeEnum::AlterTableCmd(command)) => Some((command.subtype(), format!("{command:?}"))),
        _ => None,
    })
}

/// True where the grammar says that data is destroyed.
fn loses(node: &NodeEnum) -> bool {
    match node {
        NodeEnum::TruncateStmt(_) | NodeEnum::DeleteStmt(_) | NodeEnum::DropdbStmt(_) | NodeEnum::DropOwnedStmt(_) => {
            true
        }
        NodeEnum::DropStmt(statement) => match statement.remove_type() {
            ObjectType::ObjectTable | ObjectType::ObjectSchema => true,
            ObjectType::ObjectMatview | ObjectType::ObjectSequence => true,
            // Columns of the type go with it.
            ObjectType::ObjectType | ObjectType::ObjectDomain | ObjectType::ObjectExtension => {
                statement.behavior() == DropBehavior::DropCascade
            }
            _ => false,
        },
        NodeEnum::AlterTableStmt(statement) => {
            commands(statement).any(|(kind, _)| kind == AlterTableType::AtDropColumn)
        }
        NodeEnum::InsertStmt(_) | NodeEnum::SelectStmt(_) | NodeEnum::UpdateStmt(_) => {
            let tree = format!("{node:?}");
            tree.contains("DeleteStmt(") || tree.contains("command_type: CmdDelete")
        }
        NodeEnum::MergeStmt(_) => format!("{node:?}").contains("command_type: CmdDelete"),
        NodeEnum::ExplainStmt(statement) => {
            let analyze = statement.options.iter().any(|option| format!("{option:?}").contains("\"analyze\""));
            analyze && format!("{:?}", statement.query).contains("DeleteStmt(")
        }
        _ => false,
    }
}

pub(crate) fn compare(text: &str) {
    let Some(node) = parse(text) else { return };
    let class = classify(Engine::Postgres, text);
    assert_eq!(class.transaction, transaction(&node), "{text:?}\n{class:?}\n{node:?}");
    assert_eq!(class.loss.is_some(), loses(&node), "{text:?}\n{class:?}\n{node:?}");
    match &node {
        NodeEnum::CopyStmt(statement) => {
            let stdin = statement.is_from && statement.filename.is_empty() && !statement.is_program;
            assert_eq!(class.effect == Effect::CopyFromStdin, stdin, "{text:?}");
        }
        NodeEnum::IndexStmt(statement) => {
            let index = Some(statement.idxname.clone()).filter(|index| !index.is_empty());
            let table = name(statement.relation.as_ref()).expect("an index has a table");
            let expected = Effect::CreatesIndex {
                index: index.map(|name| Box::new(QualifiedName { schema: table.schema.clone(), name })),
                table: Box::new(table),
                concurrently: statement.concurrent,
                if_not_exists: statement.if_not_exists,
            };
            assert_eq!(class.effect, expected, "{text:?}");
        }
        NodeEnum::VariableSetStmt(statement) => variable(text, &class.effect, statement.kind(), &statement.name),
        NodeEnum::AlterEnumStmt(statement) if !statement.new_val.is_empty() && statement.old_val.is_empty() => {
            let Effect::AddsEnumValue { value, .. } = &class.effect else { panic!("{text:?}: {class:?}") };
            assert_eq!(**value, statement.new_val, "{text:?}");
        }
        NodeEnum::CreatedbStmt(statement) => {
            assert_eq!(class.effect, Effect::CreatesDatabase { name: statement.dbname.clone() }, "{text:?}");
        }
        NodeEnum::DropdbStmt(statement) => {
            let expected = Effect::DropsDatabase { name: statement.dbname.clone(), if_exists: statement.missing_ok };
            assert_eq!(class.effect, expected, "{text:?}");
        }
        NodeEnum::ReindexStmt(statement) => {
            let Effect::Reindexes { name: found, .. } = &class.effect else { panic!("{text:?}: {class:?}") };
            if statement.relation.is_some() {
                assert_eq!(found.as_deref(), name(statement.relation.as_ref()).as_ref(), "{text:?}");
            }
        }
        NodeEnum::AlterTableStmt(statement) if detaches_concurrently(statement) => {
            let Effect::DetachesPartition { parent, .. } = &class.effect else { panic!("{text:?}: {class:?}") };
            assert_eq!(Some(&**parent), name(statement.relation.as_ref()).as_ref(), "{text:?}");
        }
        NodeEnum::CreateEnumStmt(_) | NodeEnum::CreateDomainStmt(_) => {
            assert!(matches!(class.effect, Effect::CreatesType { .. }), "{text:?}");
        }
        _ => {}
    }
}

fn variable(text: &str, effect: &Effect, kind: VariableSetKind, setting: &str) {
    let expected = match kind {
        VariableSetKind::VarResetAll => "all".to_owned(),
        VariableSetKind::VarSetMulti if setting == "SESSION CHARACTERISTICS" => "session characteristics".to_owned(),
        VariableSetKind::VarSetMulti => {
            assert_eq!(effect, &Effect::Unknown, "{text:?}");
            return;
        }
        _ => setting.to_ascii_lowercase(),
    };
    assert_eq!(effect, &Effect::SetsSession { name: expected }, "{text:?}");
}

#[test]
fn written_statements() {
    for text in [
        "begin",
        "start transaction",
        "commit",
        "end",
        "rollback",
        "abort",
        "savepoint a",
        "release a",
        "rollback to a",
        "commit prepared 'a'",
        "prepare transaction 'a'",
        "prepare transaction as select 1",
        "copy t from stdin",
        "copy binary t from stdin",
        "copy t (a) from stdin csv",
        "copy t from program 'x'",
        "copy t to stdin",
        "copy t from stdout",
        "create index concurrently on t (a)",
        "create index concurrently a on t (a)",
        "set schema 'x'",
        "set role a",
        "set session a = 1",
        "set local a.b = 1",
        "set time zone default",
        "set xml option document",
        "set a from current",
        "set session characteristics as transaction read only",
        "set constraints all deferred",
        "set transaction snapshot 'x'",
        "set names 'a'",
        "reset all",
        "reset time zone",
        "reset session authorization",
        "reset a.b",
        "alter system reset all",
        "drop owned by a",
        "drop sequence a",
        "drop view a",
        "drop type a",
        "drop materialized view a, b",
        "drop foreign table a",
        "with a as (select 1), b as materialized (delete from t returning 1) select 1",
        "with recursive a as (select 1) search depth first by x set y, b as (delete from t returning 1) select 1",
        "with recursive a(x) as (select 1) cycle x set y to true default false using z, b as (delete from t returning 1) select 1",
        "select * from (with a as (select 1) select 1) x",
        "explain analyze delete from t",
        "explain delete from t",
        "explain (analyze) delete from t",
        "explain (select 1)",
        "explain analyze verbose delete from t",
        "discard all",
        "discard temp",
        "alter table t set (a = 1, b = 2), drop c",
        "alter table t drop constraint c",
        "alter table t add a int[]",
        "alter table if exists only t * drop c",
        "alter table t detach partition p finalize",
        "alter index i rename to j",
        "alter table all in tablespace a set tablespace b",
        "vacuum full",
        "analyze",
        "cluster verbose",
        "cluster a",
        "create database d owner a",
        "alter database d with tablespace x",
        "alter database d set tablespace x",
        "truncate a, only b, c *",
        "reindex (concurrently, verbose) table a.b",
        "reindex system",
        "set standard_conforming_strings = off",
    ] {
        compare(text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_statements(text in statement(&GRAMMAR)) {
        let pieces = limosa_sql::split(Engine::Postgres, "file.sql", text.as_bytes()).unwrap_or_default();
        for piece in pieces {
            compare(piece.statement());
        }
    }
}
