//! PostgreSQL: which statements may stand in one transaction with those of other migrations so that nobody can tell the difference,
//! in a database that nobody uses yet, or that nobody uses right now.

mod back;

use crate::lexer::Reading;
use crate::words::Words;
use crate::{Class, Effect, Engine, TransactionRule};

/// Whether a statement may share a transaction with those of other scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sharing {
    /// It may not: it sets something, runs code, reads and writes any number of rows, or nobody knows what it does.
    Alone {
        /// Tables may hold any number of rows behind it.
        brings_rows: bool,
    },
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
    /// It drops objects, or changes what is said of them, and looks at no rows.
    Drops,
    /// It deletes rows of a table that it finds by what they hold themselves.
    Empties {
        /// The table, as the statement has it.
        table: String,
    },
}

/// What a script speaks of that could tell that it shares a transaction with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Telltale {
    /// Of the clock of the transaction.
    pub of_clock: bool,
    /// Of what else differs for rows: what is put off to the end of a transaction, what runs when rows come, what gives a table another name or
    /// the values of another one.
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
    "attach",
    "deferrable",
    "deferred",
    "domain",
    "inherit",
    "inherits",
    "like",
    "partition",
    "rename",
    "rule",
    "trigger",
];

/// Verbs that bring no rows, of statements that stand alone for another reason.
const BRINGING_NONE: &[&str] =
    &["ALTER TYPE", "ALTER TYPE ADD VALUE", "CREATE EXTENSION", "CREATE INDEX CONCURRENTLY", "RESET"];

/// Words before a parenthesis that call nothing: of the grammar, of types, and functions of the server that give the same for the same
/// values, or a value that nobody expects twice.
const CALLING_NOTHING: &[&str] = &[
    "abs",
    "and",
    "any",
    "array",
    "as",
    "bit",
    "brin",
    "btree",
    "btrim",
    "by",
    "char",
    "char_length",
    "character",
    "check",
    "clock_timestamp",
    "coalesce",
    "concat",
    "conflict",
    "date_trunc",
    "decimal",
    "enum",
    "exists",
    "extract",
    "float",
    "gen_random_uuid",
    "gin",
    "gist",
    "greatest",
    "hash",
    "identity",
    "in",
    "include",
    "interval",
    "jsonb_typeof",
    "key",
    "least",
    "length",
    "list",
    "lower",
    "md5",
    "not",
    "now",
    "nullif",
    "numeric",
    "octet_length",
    "on",
    "or",
    "random",
    "range",
    "round",
    "set",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "to_tsvector",
    "transaction_timestamp",
    "trim",
    "unique",
    "upper",
    "using",
    "uuid_generate_v4",
    "values",
    "varbit",
    "varchar",
    "varying",
    "where",
    "with",
];

/// Words behind which a name stands before a parenthesis that is no call.
const NAMING: &[&str] = &["EXISTS", "INTO", "ON", "ONLY", "REFERENCES", "TABLE", "CONSTRAINT"];

/// Whether a statement may share a transaction with those of other scripts, from its words alone. Names are spelled as the server folds
/// them.
///
/// ```
/// use limosa_sql::{Engine, Sharing, classify, sharing};
/// let of = |statement: &str| sharing(statement, &classify(Engine::Postgres, statement));
/// assert_eq!(of("create table Item (id int)"), Sharing::Makes { table: Some("item".to_owned()) });
/// assert_eq!(of("insert into item values (1)"), Sharing::Fills { table: "item".to_owned() });
/// assert_eq!(of("insert into item select * from other"), Sharing::Alone { brings_rows: true });
/// ```
pub fn sharing(statement: &str, class: &Class) -> Sharing {
    let alone = Sharing::Alone { brings_rows: false };
    let harmless = matches!(
        class.effect,
        Effect::Unknown
            | Effect::Idempotent
            | Effect::CreatesType { .. }
            | Effect::CreatesIndex { .. }
            | Effect::DropsIndex { .. }
    );
    let is_making = MAKING.binary_search(&class.verb.as_str()).is_ok();
    if class.verb == "INSERT" {
        return match class.object.as_deref().filter(|_| holds_its_rows(statement)) {
            Some(table) => Sharing::Fills { table: spelled(table) },
            None => Sharing::Alone { brings_rows: true },
        };
    }
    if class.verb == "DELETE" && back::only_deletes(statement) {
        let table = class.object.clone();
        return table.map_or(Sharing::Alone { brings_rows: true }, |table| Sharing::Empties { table });
    }
    if !is_making || is_filled_at_once(statement, class) {
        let brings_none = class.verb.starts_with("SET") || BRINGING_NONE.contains(&class.verb.as_str());
        return Sharing::Alone { brings_rows: !brings_none };
    }
    // What lives as long as its session or its transaction would be seen by the next script.
    let is_temporary = mentions(statement, &["temp", "temporary", "pg_temp", "commit"]);
    if class.transaction != TransactionRule::Either || !harmless || is_temporary {
        return alone;
    }
    let is_table = class.verb == "CREATE TABLE";
    // The bodies of these do not run when they are made.
    let has_body = ["FUNCTION", "PROCEDURE", "AGGREGATE", "VIEW", "TRIGGER", "RULE", "GRANT", "REVOKE", "COMMENT"];
    let runs = !has_body.iter().any(|kind| class.verb.ends_with(kind));
    // An empty table is not looked at; others may hold rows, for which the clock is read now.
    if runs && (calls(statement) || (!is_table && mentions(statement, OF_CLOCK))) {
        return alone;
    }
    if back::only_drops(statement, class) {
        return Sharing::Drops;
    }
    let table = class.object.as_deref().filter(|_| is_table && !mentions(statement, &["exists"]));
    Sharing::Makes { table: table.map(spelled) }
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

/// A name as the server folds it: in lower case where it is not quoted.
fn spelled(name: &str) -> String {
    let fold = |(part, text): (usize, &str)| if part % 2 == 0 { text.to_ascii_lowercase() } else { text.to_owned() };
    name.split('"').enumerate().map(fold).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = |letter: char| !(letter.is_ascii_alphanumeric() || letter == '_');
    text.split(parts).filter(|word| !word.is_empty())
}

fn mentions(text: &str, wanted: &[&str]) -> bool {
    words(text).any(|word| wanted.iter().any(|one| word.len() == one.len() && word.eq_ignore_ascii_case(one)))
}

/// `CREATE TABLE ... AS`: it runs a query.
fn is_filled_at_once(statement: &str, class: &Class) -> bool {
    let mut before = "";
    class.verb == "CREATE TABLE"
        && words(statement).any(|word| {
            let queries =
                ["select", "with", "table", "values", "execute"].iter().any(|one| word.eq_ignore_ascii_case(one));
            let found = before.eq_ignore_ascii_case("as") && queries;
            before = word;
            found
        })
}

/// True where it may call something of which nobody knows what it does: a function of the user's, one that counts on.
fn calls(statement: &str) -> bool {
    let words = &mut Words::new(Engine::Postgres, statement, Reading::of(Engine::Postgres));
    let mut at = 0;
    // The token behind the last name that is no call.
    let mut named = 0;
    while words.get(at).is_some() {
        if words.is_any(at, NAMING)
            && let Some(name) = words.name(at + 1)
        {
            named = named.max(name.next);
        }
        let is_known = at < named || CALLING_NOTHING.iter().any(|known| words.is(at, known));
        if words.symbol(at + 1, b'(') && words.name(at).is_some() && !is_known {
            return true;
        }
        at += 1;
    }
    false
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
    let calls =
        |words: &mut Words<'_>, at| words.symbol(at + 1, b'(') && words.name(at).is_some() && !words.is(at, "CONFLICT");
    !any_from(words, at, |words, at| words.is_any(at, &["SELECT", "TABLE", "WITH", "RETURNING"]) || calls(words, at))
}

/// True where something holds of a word, from the one with this number on.
fn any_from(words: &mut Words<'_>, first: usize, holds: impl Fn(&mut Words<'_>, usize) -> bool) -> bool {
    let mut at = first;
    while words.get(at).is_some() {
        if holds(words, at) {
            return true;
        }
        at += 1;
    }
    false
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
        assert!(CALLING_NOTHING.is_sorted());
    }

    #[test]
    fn objects_are_made_together() {
        for statement in [
            "ALTER TABLE item ADD COLUMN note text",
            "ALTER TABLE ONLY item ADD CONSTRAINT item_pkey PRIMARY KEY (id)",
            "ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b) REFERENCES shop.b (id) ON DELETE CASCADE",
            "ALTER TABLE a ADD COLUMN price numeric(12, 2) DEFAULT 0 CHECK (price > 0 AND (price < 9))",
            "CREATE UNIQUE INDEX item_by_name ON item (lower(name)) INCLUDE (id) WHERE (id > 1)",
            "CREATE INDEX ON item USING gin (tags)",
            "create index if not exists i on t (a)",
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ begin return nextval('s'); end $$",
            "CREATE TYPE mood AS ENUM ('sad', 'ok')",
            "CREATE VIEW v AS SELECT now(), f()",
            "CREATE TABLE child (LIKE parent INCLUDING ALL)",
            "CREATE TABLE part PARTITION OF whole FOR VALUES IN (1)",
            "CREATE TABLE IF NOT EXISTS item (id int)",
        ] {
            let made = of(statement);
            assert!(matches!(made, Sharing::Makes { .. }), "{statement}: {made:?}");
        }
        for (statement, table) in [
            ("CREATE TABLE \"Item\" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int DEFAULT 0)", "Item"),
            ("CREATE TABLE shop.Item (id serial, twice int GENERATED ALWAYS AS (id * 2) STORED)", "shop.item"),
            ("CREATE TABLE item (at timestamptz(3) DEFAULT now(), b int REFERENCES b (id), UNIQUE (at, b))", "item"),
        ] {
            assert_eq!(of(statement), Sharing::Makes { table: Some(table.to_owned()) }, "{statement}");
        }
    }

    #[test]
    fn rows_that_stand_in_the_statement_are_added_together() {
        for statement in [
            "INSERT INTO Shop.item (name, price) VALUES ('a(b)', -1.5), (E'c', NULL), ('now()', 3)",
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
            "SELECT f()",
            "DO $$ begin end $$",
            "CALL p()",
            "CREATE TABLE copy AS SELECT * FROM item",
            "CREATE TABLE copy AS (WITH x AS (SELECT 1) SELECT * FROM x)",
            "CREATE TABLE copy AS TABLE item",
            "CREATE TABLE copy AS EXECUTE q",
            "CREATE MATERIALIZED VIEW m AS SELECT 1",
            "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()",
            "LOCK TABLE item",
            "TRUNCATE item",
            "COPY item FROM stdin",
            "REFRESH MATERIALIZED VIEW m",
            "VACUUM",
            "SAVEPOINT a",
        ] {
            assert_eq!(of(statement), Sharing::Alone { brings_rows: true }, "{statement}");
        }
        for statement in [
            "CREATE TEMP TABLE t (id int) ON COMMIT DROP",
            "CREATE TABLE pg_temp.t (id int)",
            "CREATE TABLE t (id int DEFAULT f())",
            "CREATE TABLE t (id bigint DEFAULT nextval('s'))",
            "CREATE TABLE t (s text DEFAULT pg_current_snapshot()::text)",
            "CREATE TABLE t (id int CHECK (shop.\"F\"(id) > 0))",
            "CREATE DOMAIN id AS bigint DEFAULT next_id()",
            "CREATE INDEX ON item (f(a))",
            "ALTER TABLE item ADD COLUMN n int DEFAULT f()",
            "ALTER TABLE item ADD COLUMN at timestamptz DEFAULT now()",
            "ALTER TABLE item ADD CHECK (at >= current_timestamp)",
            "CREATE EXTENSION hstore",
            "CREATE INDEX CONCURRENTLY i ON t (a)",
            "ALTER TYPE mood ADD VALUE 'happy'",
            "SET search_path = shop",
            "SET LOCAL lock_timeout = '1s'",
        ] {
            assert_eq!(of(statement), Sharing::Alone { brings_rows: false }, "{statement}");
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
        assert!(for_rows("... references t deferrable initially deferred"));
        assert!(for_rows("CREATE TRIGGER t"));
        assert!(for_rows("create table child (like parent)"));
        assert!(for_rows("alter table a rename to b"));
        assert!(for_rows("alter table whole attach partition part default"));
        assert!(for_rows("create domain id as bigint"));
        assert!(!for_rows("insert into rules (triggers) values ('now')"));
        assert!(telltale("create event\n trigger e").for_objects);
        assert!(!telltale("create table event (a text, trigger text)").for_objects);
    }

    #[test]
    fn names_are_folded_as_the_server_does() {
        assert_eq!(spelled("Shop.\"Item\""), "shop.Item");
        assert_eq!(spelled("\"item\""), "item");
    }
}
