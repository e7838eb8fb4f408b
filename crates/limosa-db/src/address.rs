//! Addresses of databases, changed as text.

use limosa_sql::Engine;

use crate::{DbError, Secret, engine_of};

/// The same server, user and options, and another database; its name must need no escapes in a URL.
///
/// # Errors
/// As [`engine_of`]. A SQLite address names no server.
pub fn in_database(address: &Secret, name: &str) -> Result<Secret, DbError> {
    let text = address.expose().trim();
    let engine = engine_of(text)?;
    if engine == Engine::Sqlite {
        let message = "a SQLite address names no server with databases";
        return Err(DbError::new(crate::DbErrorKind::Configuration, message));
    }
    let Some(place) = text.find("://").map(|at| at + "://".len()) else {
        // The last of two counts.
        return Ok(Secret::new(format!("{text} dbname={name}")));
    };
    // A password may hold a `?`, and no `/` that is written as such.
    let user_ends = text[place..].find(['@', '/']).filter(|at| text.as_bytes()[place + at] == b'@');
    let host = place + user_ends.unwrap_or_default();
    let query = text[host..].find('?').map_or(text.len(), |at| host + at);
    let path = text[host..query].find('/').map_or(query, |at| host + at);
    let kept: Vec<&str> = text[query..].trim_start_matches('?').split('&').filter(|pair| is_kept(pair)).collect();
    let mark = if kept.is_empty() { "" } else { "?" };
    Ok(Secret::new(format!("{}/{name}{mark}{}", &text[..path], kept.join("&"))))
}

/// False for a parameter that names a database, which would count in the place of the path.
fn is_kept(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    // Written with escapes it is taken for one, too: nothing else has a reason for them.
    let is_escaped = name.contains('%');
    !pair.is_empty() && !is_escaped && name != "dbname" && name != "database"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_changes() {
        for (address, expected) in [
            ("postgres://me:a?b@h:1/app", "postgres://me:a?b@h:1/new"),
            ("postgres://h1,h2:6432/app?sslmode=require", "postgres://h1,h2:6432/new?sslmode=require"),
            ("postgresql://me@h?dbname=app", "postgresql://me@h/new"),
            ("postgres://h/app?x=1&dbname=other&y=2", "postgres://h/new?x=1&y=2"),
            ("postgres://h/app?db%6eame=other", "postgres://h/new"),
            ("postgres:///app?host=/tmp/x&user=me", "postgres:///new?host=/tmp/x&user=me"),
            ("postgres://", "postgres:///new"),
            ("mysql://me:pw@h:3306/app?database=other&ssl-mode=DISABLED", "mysql://me:pw@h:3306/new?ssl-mode=DISABLED"),
            ("mariadb://h/app?dbname=other", "mariadb://h/new"),
            ("host=/tmp dbname=app", "host=/tmp dbname=app dbname=new"),
        ] {
            assert_eq!(in_database(&Secret::new(address), "new").unwrap().expose(), expected, "{address}");
        }
        assert!(in_database(&Secret::new("sqlite:x.db"), "new").is_err());
        assert!(in_database(&Secret::new("oracle://h/x"), "new").is_err());
    }
}
