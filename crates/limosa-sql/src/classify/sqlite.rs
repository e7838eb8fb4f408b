//! Statements of SQLite.

use super::{ddl, rows, ruled, verb};
use crate::lexer::Reading;
use crate::words::Words;
use crate::{Class, Effect, Engine, TransactionRule};

/// PRAGMAs that SQLite ignores or refuses inside a transaction when they set something.
const LIFTED: &[&str] = &[
    "auto_vacuum",
    "encoding",
    "foreign_keys",
    "journal_mode",
    "page_size",
    "synchronous",
    "temp_store",
    "temp_store_directory",
];

/// PRAGMAs that write to the database file, inside of transactions too.
const STORED: &[&str] = &["application_id", "user_version", "schema_version", "default_cache_size"];

/// PRAGMAs whose argument is no value to set.
const QUESTIONS: &[&str] = &[
    "collation_list",
    "compile_options",
    "data_version",
    "database_list",
    "foreign_key_check",
    "foreign_key_list",
    "freelist_count",
    "function_list",
    "incremental_vacuum",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "module_list",
    "optimize",
    "page_count",
    "pragma_list",
    "quick_check",
    "shrink_memory",
    "stats",
    "table_info",
    "table_list",
    "table_xinfo",
];

pub(super) fn classify(words: &mut Words<'_>) -> Class {
    if let Some(class) = rows(words, 0) {
        return class;
    }
    let first = words.capitals(0);
    match &*first {
        "CREATE" => ddl::create(words),
        "ALTER" => ddl::alter(words),
        "DROP" => ddl::drop(words),
        "BEGIN" => ruled("BEGIN", TransactionRule::Begins),
        "COMMIT" | "END" => ruled(&*first, TransactionRule::Commits),
        "ROLLBACK" => rollback(words),
        "SAVEPOINT" | "RELEASE" => {
            let at = if words.get(2).is_some() { words.skip(1, &["SAVEPOINT"]) } else { 1 };
            let object = words.name(at).map(|name| name.written.to_owned());
            let name = if &*first == "RELEASE" { "RELEASE SAVEPOINT" } else { "SAVEPOINT" };
            Class { object, ..ruled(name, TransactionRule::Controls) }
        }
        "VACUUM" => Class { effect: Effect::Idempotent, ..ruled("VACUUM", TransactionRule::Outside) },
        "DETACH" => ruled("DETACH", TransactionRule::Outside),
        "REINDEX" | "ANALYZE" => {
            let object = words.name(1).map(|name| name.written.to_owned());
            Class { object, effect: Effect::Idempotent, ..verb(&*first) }
        }
        "PRAGMA" => pragma(words),
        _ => verb(&*first),
    }
}

/// True for a statement that leaves something in its session which no setting names: ATTACH, and whatever makes temporary objects.
/// One word too many makes it true as well: a table may be called `temp`.
pub(super) fn stays_in_session(statement: &str, class: &Class) -> bool {
    let word = class.verb.split(' ').next().unwrap_or_default();
    match word {
        "ATTACH" | "DETACH" => true,
        "PRAGMA" => class.object.as_deref().is_some_and(|name| STORED.contains(&name)),
        "CREATE" => {
            let mut words = Words::new(Engine::Sqlite, statement, Reading::of(Engine::Sqlite));
            let mut at = 0;
            while words.get(at).is_some() {
                let text = words.text(at).trim_matches(|quote| "\"`[]'".contains(quote));
                if text.eq_ignore_ascii_case("temp") || text.eq_ignore_ascii_case("temporary") {
                    return true;
                }
                at += 1;
            }
            false
        }
        _ => false,
    }
}

fn rollback(words: &mut Words<'_>) -> Class {
    let at = words.skip(1, &["TRANSACTION"]);
    if !words.is(at, "TO") {
        return ruled("ROLLBACK", TransactionRule::RollsBack);
    }
    let at = words.skip(at + 1, &["SAVEPOINT"]);
    let object = words.name(at).map(|name| name.written.to_owned());
    Class { object, ..ruled("ROLLBACK TO SAVEPOINT", TransactionRule::Controls) }
}

fn pragma(words: &mut Words<'_>) -> Class {
    let Some(written) = words.name(1) else { return verb("PRAGMA") };
    let name = words.parts(&written).name.to_ascii_lowercase();
    let sets = words.symbol(written.next, b'=') || words.symbol(written.next, b'(');
    let mut class = Class { object: Some(name.clone()), ..verb("PRAGMA") };
    let known = name.as_str();
    // A checkpoint is refused inside a transaction, with an argument or without.
    if known == "wal_checkpoint" || (sets && LIFTED.contains(&known)) {
        class.transaction = TransactionRule::Outside;
        class.effect = Effect::LiftedPragma { name };
    } else if STORED.contains(&known) || known == "optimize" {
        class.effect = if sets || known == "optimize" { Effect::Idempotent } else { Effect::Unknown };
    } else if sets && !QUESTIONS.contains(&known) {
        class.effect = Effect::SetsSession { name };
    }
    class
}
