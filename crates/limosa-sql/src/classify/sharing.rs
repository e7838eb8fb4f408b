//! PostgreSQL: which statements may stand in one transaction with those of other migrations so that nobody can tell the difference,
//! in a database that nobody uses yet.

use crate::lexer::Reading;
use crate::words::Words;
use crate::{Class, Effect, Engine, TransactionRule};

/// Whether a statement may share a transaction with those of other scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sharing {
    /// It may not: it sets something, runs code, reads and writes any number of rows, or nobody knows what it does.
    Alone,
    /// It makes, changes or drops an object, and does nothing else.
    Makes {
        /// The name of the table that it makes anew, with all that gives it values, as [`sharing`] spells names.
        table: Option<String>,
    },
    /// It adds rows that it holds itself.
    Fills {
        /// The table, as [`sharing`] spells names.
        table: String,
    },
}

/// What a script speaks of that could tell that it shares a transaction with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Telltale {
    /// Of the clock of the transaction.
    pub of_clock: bool,
    /// Of what else differs for rows: the number of the transaction, what is put off to its end, what counts on although a transaction is
    /// taken back, what runs when rows come.
    pub for_rows: bool,
    /// Of what runs when objects are made.
    pub for_objects: bool,
}

/// Verbs of statements that only make, change or drop objects.
const MAKING: &[&str] = &[
    "ALTER DEFAULT PRIVILEGES",
    "ALTER DOMAIN",
    "ALTER FUNCTION",
    "ALTER INDEX",
    "ALTER POLICY",
    "ALTER PROCEDURE",
    "ALTER SCHEMA",
    "ALTER SEQUENCE",
    "ALTER TABLE",
    "ALTER TRIGGER",
    "ALTER VIEW",
    "COMMENT",
    "CREATE AGGREGATE",
    "CREATE CAST",
    "CREATE DOMAIN",
    "CREATE FUNCTION",
    "CREATE INDEX",
    "CREATE OPERATOR",
    "CREATE POLICY",
    "CREATE PROCEDURE",
    "CREATE RULE",
    "CREATE SCHEMA",
    "CREATE SEQUENCE",
    "CREATE STATISTICS",
    "CREATE TABLE",
    "CREATE TRIGGER",
    "CREATE TYPE",
    "CREATE VIEW",
    "DROP FUNCTION",
    "DROP INDEX",
    "DROP POLICY",
    "DROP PROCEDURE",
    "DROP RULE",
    "DROP SEQUENCE",
    "DROP TABLE",
    "DROP TRIGGER",
    "DROP TYPE",
    "DROP VIEW",
    "GRANT",
    "REVOKE",
];

/// Words that stand for the clock of the transaction.
const OF_CLOCK: &[&str] = &[
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "now",
    "today",
    "tomorrow",
    "transaction_timestamp",
    "yesterday",
];

/// Words of what else differs for rows, see [`Telltale::for_rows`].
const FOR_ROWS: &[&str] = &[
    "deferrable",
    "deferred",
    "nextval",
    "pg_current_xact_id",
    "pg_current_xact_id_if_assigned",
    "rule",
    "setval",
    "trigger",
    "txid_current",
    "txid_current_if_assigned",
    "xmin",
];

/// Whether a statement may share a transaction with those of other scripts, from its words alone. Names are spelled in lower case and
/// without quotes.
///
/// ```
/// use limosa_sql::{Engine, Sharing, classify, sharing};
/// let of = |statement: &str| sharing(statement, &classify(Engine::Postgres, statement));
/// assert_eq!(of("create table Item (id int)"), Sharing::Makes { table: Some("item".to_owned()) });
/// assert_eq!(of("insert into item values (1)"), Sharing::Fills { table: "item".to_owned() });
/// assert_eq!(of("insert into item select * from other"), Sharing::Alone);
/// ```
pub fn sharing(statement: &str, class: &Class) -> Sharing {
    let harmless = matches!(
        class.effect,
        Effect::Unknown
            | Effect::Idempotent
            | Effect::CreatesType { .. }
            | Effect::CreatesIndex { .. }
            | Effect::DropsIndex { .. }
    );
    if class.transaction != TransactionRule::Either || !harmless {
        return Sharing::Alone;
    }
    if class.verb == "INSERT" {
        return match class.object.as_deref().filter(|_| holds_its_rows(statement)) {
            Some(table) => Sharing::Fills { table: spelled(table) },
            None => Sharing::Alone,
        };
    }
    // What lives as long as its session or its transaction would be seen by the next script.
    let is_temporary = ["temp", "temporary", "pg_temp", "commit"].iter().any(|word| mentions(statement, &[word]));
    if is_temporary || MAKING.binary_search(&class.verb.as_str()).is_err() {
        return Sharing::Alone;
    }
    if class.verb != "CREATE TABLE" {
        return Sharing::Makes { table: None };
    }
    if is_filled_at_once(statement) {
        return Sharing::Alone;
    }
    // Such a table may take values from what another one takes them from.
    let stands_alone = !mentions(statement, &["like", "inherits", "of", "exists"]);
    Sharing::Makes { table: class.object.as_deref().filter(|_| stands_alone).map(spelled) }
}

/// What a text speaks of that could tell that it shares a transaction: in statements, in the bodies of functions, in texts.
pub fn telltale(text: &str) -> Telltale {
    let for_objects = {
        let mut words = words(text);
        let mut before = "";
        words.any(|word| {
            let found = before.eq_ignore_ascii_case("event") && word.eq_ignore_ascii_case("trigger");
            before = word;
            found
        })
    };
    Telltale { of_clock: mentions(text, OF_CLOCK), for_rows: mentions(text, FOR_ROWS), for_objects }
}

/// A name in lower case, without quotes.
fn spelled(name: &str) -> String {
    name.chars().filter(|letter| *letter != '"').map(|letter| letter.to_ascii_lowercase()).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = |letter: char| !(letter.is_ascii_alphanumeric() || letter == '_');
    text.split(parts).filter(|word| !word.is_empty())
}

fn mentions(text: &str, wanted: &[&str]) -> bool {
    words(text).any(|word| wanted.iter().any(|one| word.len() == one.len() && word.eq_ignore_ascii_case(one)))
}

/// `CREATE TABLE ... AS`: it runs a query.
fn is_filled_at_once(statement: &str) -> bool {
    let mut before = "";
    words(statement).any(|word| {
        let queries = ["select", "with", "table", "values", "execute"].iter().any(|one| word.eq_ignore_ascii_case(one));
        let found = before.eq_ignore_ascii_case("as") && queries;
        before = word;
        found
    })
}

/// `INSERT ... VALUES` of constants: nothing is called or read.
fn holds_its_rows(statement: &str) -> bool {
    let words = &mut Words::new(Engine::Postgres, statement, Reading::of(Engine::Postgres));
    let mut at = 0;
    while !words.is(at, "VALUES") {
        if words.get(at).is_none() || words.is_any(at, &["WITH", "SELECT"]) {
            return false;
        }
        at += 1;
    }
    at += 1;
    while words.get(at).is_some() {
        let reads = words.is_any(at, &["SELECT", "TABLE", "WITH", "RETURNING"]);
        let calls = words.symbol(at + 1, b'(') && words.name(at).is_some() && !words.is(at, "CONFLICT");
        if reads || calls {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify;

    fn of(statement: &str) -> Sharing {
        sharing(statement, &classify(Engine::Postgres, statement))
    }

    #[test]
    fn verbs_are_in_order() {
        assert!(MAKING.is_sorted());
    }

    #[test]
    fn objects_are_made_together() {
        for statement in [
            "ALTER TABLE item ADD COLUMN note text",
            "CREATE UNIQUE INDEX item_by_name ON item (name)",
            "create index if not exists i on t (a)",
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ begin return nextval('s'); end $$",
            "COMMENT ON TABLE item IS 'things'",
            "CREATE TYPE mood AS ENUM ('sad', 'ok')",
            "GRANT SELECT ON item TO reader",
            "CREATE VIEW v AS SELECT now()",
            "DROP TABLE old",
            "CREATE TABLE child (LIKE parent INCLUDING ALL)",
            "CREATE TABLE part PARTITION OF whole FOR VALUES IN (1)",
            "CREATE TABLE IF NOT EXISTS item (id int)",
        ] {
            assert_eq!(of(statement), Sharing::Makes { table: None }, "{statement}");
        }
        for statement in [
            "CREATE TABLE \"Item\" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int DEFAULT 0)",
            "CREATE TABLE item (id serial, twice int GENERATED ALWAYS AS (id * 2) STORED)",
        ] {
            assert_eq!(of(statement), Sharing::Makes { table: Some("item".to_owned()) }, "{statement}");
        }
    }

    #[test]
    fn rows_that_stand_in_the_statement_are_added_together() {
        for statement in [
            "INSERT INTO shop.item (name, price) VALUES ('a(b)', -1.5), (E'c', NULL), ('now()', 3)",
            "insert into shop.item values (1), (default) on conflict (id) do nothing",
        ] {
            assert_eq!(of(statement), Sharing::Fills { table: "shop.item".to_owned() }, "{statement}");
        }
    }

    #[test]
    fn what_runs_code_or_sets_something_stands_alone() {
        for statement in [
            "INSERT INTO item SELECT * FROM other",
            "INSERT INTO item VALUES (nextval('s'))",
            "INSERT INTO item VALUES (shop.f (1))",
            "INSERT INTO item VALUES (\"F\"(1))",
            "INSERT INTO item VALUES ((SELECT 1))",
            "INSERT INTO item VALUES (1) RETURNING id",
            "WITH x AS (SELECT 1) INSERT INTO item VALUES (1)",
            "UPDATE item SET a = 1",
            "DELETE FROM item",
            "SELECT f()",
            "DO $$ begin end $$",
            "CALL p()",
            "CREATE TABLE copy AS SELECT * FROM item",
            "CREATE TABLE copy AS (WITH x AS (SELECT 1) SELECT * FROM x)",
            "CREATE TABLE copy AS TABLE item",
            "CREATE TABLE copy AS EXECUTE q",
            "CREATE TEMP TABLE t (id int) ON COMMIT DROP",
            "CREATE TABLE pg_temp.t (id int)",
            "CREATE MATERIALIZED VIEW m AS SELECT 1",
            "CREATE EXTENSION hstore",
            "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()",
            "CREATE INDEX CONCURRENTLY i ON t (a)",
            "ALTER TYPE mood ADD VALUE 'happy'",
            "SET search_path = shop",
            "SET LOCAL lock_timeout = '1s'",
            "LOCK TABLE item",
            "TRUNCATE item",
            "COPY item FROM stdin",
            "REFRESH MATERIALIZED VIEW m",
            "VACUUM",
            "SET CONSTRAINTS ALL DEFERRED",
            "SAVEPOINT a",
        ] {
            assert_eq!(of(statement), Sharing::Alone, "{statement}");
        }
    }

    #[test]
    fn texts_tell() {
        let of_clock = |text| telltale(text).of_clock;
        assert!(of_clock("create table t (at timestamptz default now())"));
        assert!(of_clock("insert into t values (CURRENT_TIMESTAMP)"));
        assert!(of_clock("insert into t values ('today')"));
        assert!(!of_clock("insert into known (snow, clock_timestamp) values ('nowhere')"));
        let for_rows = |text| telltale(text).for_rows;
        assert!(for_rows("create function f() ... $$ select nextval('s') $$"));
        assert!(for_rows("... references t deferrable initially deferred"));
        assert!(for_rows("CREATE TRIGGER t"));
        assert!(!for_rows("insert into rules (triggers) values ('now')"));
        assert!(telltale("create event\n trigger e").for_objects);
        assert!(!telltale("create table event (a text, trigger text)").for_objects);
    }
}
