//! Statements by which migrations are taken back, and that may share a transaction while nobody else uses the database.

use super::{MAKING, OF_CLOCK, any_from, calls, mentions, words};
use crate::lexer::Reading;
use crate::words::Words;
use crate::{Class, Engine};

/// Verbs, besides `DROP`, of statements that look at no rows and are done in a moment.
const OF_A_MOMENT: &[&str] = &["COMMENT", "GRANT", "REVOKE"];

/// Words of what `ALTER TABLE` does besides dropping something. A name may be one of them, unquoted or not: then it counts, too.
const ALTERING: &[&str] = &[
    "add", "alter", "attach", "cluster", "detach", "disable", "enable", "force", "inherit", "of", "owner", "rename",
    "replica", "reset", "set", "split", "merge", "validate",
];

/// True for one of [`MAKING`] that looks at no rows: it takes no longer in a large table.
pub(super) fn only_drops(statement: &str, class: &Class) -> bool {
    debug_assert!(MAKING.contains(&class.verb.as_str()));
    let is = |word: &str, one: &&str| word.eq_ignore_ascii_case(one);
    // Behind its own ALTER.
    let alters = || words(statement).skip(1).any(|word| ALTERING.iter().any(|one| is(word, one)));
    class.verb.starts_with("DROP ")
        || OF_A_MOMENT.contains(&class.verb.as_str())
        || (class.verb == "ALTER TABLE" && mentions(statement, &["drop"]) && !alters())
}

/// True for a `DELETE` that reads nothing but the rows of its table, and calls nothing.
pub(super) fn only_deletes(statement: &str) -> bool {
    const READING: &[&str] = &["SELECT", "TABLE", "VALUES", "USING", "RETURNING", "WITH", "CURRENT"];
    let words = &mut Words::new(Engine::Postgres, statement, Reading::of(Engine::Postgres));
    words.are(0, &["DELETE", "FROM"])
        && !calls(statement)
        && !mentions(statement, OF_CLOCK)
        && !any_from(words, 2, |words, at| words.is_any(at, READING))
}

#[cfg(test)]
mod tests {
    use crate::{Engine, Sharing, classify, sharing};

    fn of(statement: &str) -> Sharing {
        sharing(statement, &classify(Engine::Postgres, statement))
    }

    #[test]
    fn what_drops_looks_at_no_rows() {
        for statement in [
            "DROP TABLE IF EXISTS a, b CASCADE",
            "drop index item_by_name",
            "DROP FUNCTION total(int)",
            "DROP VIEW v",
            "ALTER TABLE item DROP COLUMN note, DROP CONSTRAINT item_pkey",
            "COMMENT ON TABLE item IS NULL",
            "REVOKE SELECT ON item FROM reader",
        ] {
            assert_eq!(of(statement), Sharing::Drops, "{statement}");
        }
    }

    #[test]
    fn what_may_look_at_rows_does_not_only_drop() {
        for statement in [
            "ALTER TABLE item DROP COLUMN note, ADD COLUMN note text NOT NULL DEFAULT ''",
            "ALTER TABLE item ALTER COLUMN note DROP NOT NULL",
            "ALTER TABLE item ADD COLUMN \"drop\" int",
            "ALTER TABLE item DROP CONSTRAINT a, VALIDATE CONSTRAINT b",
            "CREATE INDEX item_by_name ON item (name)",
            "CREATE VIEW v AS SELECT 1",
        ] {
            assert!(matches!(of(statement), Sharing::Makes { .. }), "{statement}");
        }
        for statement in ["DROP INDEX CONCURRENTLY i", "DROP DATABASE d", "DROP EVENT TRIGGER e", "TRUNCATE item"] {
            assert!(matches!(of(statement), Sharing::Alone { .. }), "{statement}");
        }
    }

    #[test]
    fn rows_are_deleted_by_what_stands_in_the_statement() {
        for (statement, table) in [
            ("DELETE FROM item", "item"),
            ("delete from only Shop.\"Item\" as i where i.name in ('nut', 'a(b)') and (id > 3)", "Shop.\"Item\""),
        ] {
            assert_eq!(of(statement), Sharing::Empties { table: table.to_owned() }, "{statement}");
        }
        for statement in [
            "DELETE FROM item WHERE id IN (SELECT id FROM old)",
            "DELETE FROM item USING old WHERE old.id = item.id",
            "DELETE FROM item WHERE f(id)",
            "DELETE FROM item WHERE at < now()",
            "DELETE FROM item WHERE at < current_date",
            "DELETE FROM item RETURNING id",
            "DELETE FROM item WHERE CURRENT OF c",
            "WITH x AS (SELECT 1) DELETE FROM item",
        ] {
            assert_eq!(of(statement), Sharing::Alone { brings_rows: true }, "{statement}");
        }
    }
}
