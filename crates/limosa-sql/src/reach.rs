//! Statements that change more than the database that they run in.

use crate::Engine;

/// What follows CREATE, ALTER or DROP and belongs to the whole server.
const OF_THE_SERVER: &[&str] = &["DATABASE", "GROUP", "ROLE", "SERVER", "SUBSCRIPTION", "SYSTEM", "TABLESPACE", "USER"];

/// The words of a statement, in capitals, by which it may change more than its database: users and roles, other databases, settings
/// of the server, files. None where it has none. Bodies of functions and texts are looked through like the rest, so that a word too
/// many is found rather than one too few.
///
/// `database` is the name of the database, which MySQL takes before the name of a table.
pub fn reaches_beyond(engine: Engine, database: &str, statement: &str) -> Option<String> {
    let words: Vec<&str> = statement
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .collect();
    let is = |at: usize, word: &str| words.get(at).is_some_and(|found| found.eq_ignore_ascii_case(word));
    let is_any = |at: usize, all: &[&str]| all.iter().any(|word| is(at, word));
    let found = |at: usize, count: usize| Some(words[at..at + count].join(" ").to_ascii_uppercase());
    for at in 0..words.len() {
        if engine == Engine::Sqlite {
            if is(at, "ATTACH") || (is(at, "VACUUM") && is_any(at + 1, &["INTO"])) {
                return found(at, 1);
            }
            continue;
        }
        // A mapping of users belongs to a database, and so does a foreign server.
        let is_of_server = is_any(at, &["CREATE", "ALTER", "DROP"])
            && is_any(at + 1, OF_THE_SERVER)
            && !(is(at + 1, "USER") && is(at + 2, "MAPPING"))
            && !(engine == Engine::Postgres && is(at + 1, "SERVER"));
        if is_of_server || (is(at, "ON") && is_any(at + 1, &["DATABASE", "TABLESPACE", "ROLE"])) {
            return found(at, 2);
        }
        let of_engine = match engine {
            Engine::Postgres => {
                (is(at, "REASSIGN") && is(at + 1, "OWNED"))
                    || is(at, "DBLINK")
                    || (is(at, "COPY") && words.iter().any(|word| word.eq_ignore_ascii_case("PROGRAM")))
            }
            _ => {
                (is(at, "SET") && is_any(at + 1, &["GLOBAL", "PERSIST", "PERSIST_ONLY"]))
                    || (at == 0
                        && is_any(at, &["USE", "GRANT", "REVOKE", "FLUSH", "INSTALL", "UNINSTALL", "PURGE", "RESET"]))
                    || (is_any(at, &["CREATE", "ALTER", "DROP"]) && is(at + 1, "SCHEMA"))
            }
        };
        if of_engine {
            return found(at, if at + 1 < words.len() { 2 } else { 1 });
        }
    }
    (engine == Engine::Mysql && names_database(database, statement)).then(|| format!("{database}."))
}

/// True where the name stands before a dot.
fn names_database(database: &str, statement: &str) -> bool {
    let text = statement.to_lowercase();
    let name = database.to_lowercase();
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
    !name.is_empty()
        && text.match_indices(&name).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let rest = text[at + name.len()..].trim_start_matches('`').trim_start();
            !before.is_some_and(is_part) && rest.starts_with('.')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_the_server_is_seen() {
        for (engine, statement, expected) in [
            (Engine::Postgres, "create role app login", Some("CREATE ROLE")),
            (Engine::Postgres, "do $$ begin\n  CREATE  USER app; end $$", Some("CREATE USER")),
            (Engine::Postgres, "create user mapping for app server s", None),
            (Engine::Postgres, "create server s foreign data wrapper w", None),
            (Engine::Postgres, "alter system set work_mem = '1GB'", Some("ALTER SYSTEM")),
            (Engine::Postgres, "alter database app set timezone = 'UTC'", Some("ALTER DATABASE")),
            (Engine::Postgres, "grant connect on database app to web", Some("ON DATABASE")),
            (Engine::Postgres, "copy t from program 'rm -r /'", Some("COPY T")),
            (Engine::Postgres, "select dblink('host=db', 'drop table a')", Some("DBLINK HOST")),
            (Engine::Postgres, "create table app.users (role text, \"user\" text)", None),
            (Engine::Postgres, "alter table users add column role text", None),
            (Engine::Mysql, "create user 'a'@'%'", Some("CREATE USER")),
            (Engine::Mysql, "SET GLOBAL max_connections = 5", Some("SET GLOBAL")),
            (Engine::Mysql, "use other", Some("USE OTHER")),
            (Engine::Mysql, "drop table shop.old", Some("shop.")),
            (Engine::Mysql, "drop table `Shop` . `old`", Some("shop.")),
            (Engine::Mysql, "select workshop.id from workshop", None),
            (Engine::Mysql, "create table a (shop int)", None),
            (Engine::Mysql, "create schema other", Some("CREATE SCHEMA")),
            (Engine::Postgres, "create schema other", None),
            (Engine::Sqlite, "attach 'other.db' as o", Some("ATTACH")),
            (Engine::Sqlite, "create table a (n int)", None),
        ] {
            assert_eq!(reaches_beyond(engine, "shop", statement).as_deref(), expected, "{statement}");
        }
    }
}
