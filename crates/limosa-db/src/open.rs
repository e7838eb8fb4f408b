//! From a URL to a session: the one place that knows which engine a URL means.

use limosa_sql::Engine;

use crate::{ConnectOptions, DbError, DbErrorKind, Session};

/// The engine that a URL or key=value string means.
///
/// # Errors
/// A scheme that no engine has. The text itself is not repeated: it may hold a password.
pub fn engine_of(database: &str) -> Result<Engine, DbError> {
    let text = database.trim();
    let scheme = text.split(':').next().unwrap_or_default().to_ascii_lowercase();
    // The address of a host holds no parenthesis.
    let is_of_go = text.contains("@tcp(") || text.contains("@unix(");
    if text.contains(':') && !is_of_go {
        match scheme.as_str() {
            "sqlite" | "sqlite3" => return Ok(Engine::Sqlite),
            "postgres" | "postgresql" => return Ok(Engine::Postgres),
            "mysql" | "mariadb" => return Ok(Engine::Mysql),
            _ => {}
        }
    }
    let key_value = text.split_whitespace().next().and_then(|word| word.split_once('=')).map(|(key, _)| key);
    if key_value.is_some_and(|key| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')) {
        return Ok(Engine::Postgres);
    }
    let message = match text.contains("://") {
        _ if is_of_go => "the database is written as Go's driver of MySQL has it".to_owned(),
        true => format!("the scheme '{scheme}' is not one that limosa speaks"),
        false => "the database is neither a URL nor a key=value string".to_owned(),
    };
    let instead = match scheme.as_str() {
        _ if is_of_go => "write mysql://root@host:3306/database for root@tcp(host:3306)/database; ",
        "pgx" | "pgx4" | "pgx5" => "golang-migrate's pgx5:// is postgres:// here; ",
        _ => "",
    };
    Err(DbError::new(DbErrorKind::Configuration, message).hint(format!(
        "{instead}use sqlite:path/to/file.db, postgres://user@host:5432/database, mysql://user@host:3306/database, or key=value pairs of \
         PostgreSQL's such as 'host=... dbname=...'"
    )))
}

/// Opens a session with the database that the options name.
///
/// # Errors
/// See [`crate::DbErrorKind`]; no error holds a password.
pub async fn connect(options: &ConnectOptions) -> Result<Box<dyn Session>, DbError> {
    match engine_of(options.database.expose())? {
        #[cfg(feature = "postgres")]
        Engine::Postgres => {
            let mut session = crate::engines::postgres::connect(options).await?;
            if let Some(pooled) = options.pooled {
                session.assume_pooled(pooled).await?;
            }
            Ok(Box::new(session))
        }
        #[cfg(feature = "sqlite")]
        Engine::Sqlite => Ok(Box::new(crate::engines::sqlite::connect(options).await?)),
        #[cfg(feature = "mysql")]
        Engine::Mysql => Ok(Box::new(crate::engines::mysql::connect(options).await?)),
        #[allow(unreachable_patterns, reason = "reached only where an engine was left out of the build")]
        engine => {
            Err(DbError::new(DbErrorKind::Configuration, format!("this limosa was built without {}", engine.title())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_and_key_values() {
        for (text, engine) in [
            ("sqlite:a.db", Engine::Sqlite),
            ("sqlite::memory:", Engine::Sqlite),
            ("postgres://u@h/d", Engine::Postgres),
            ("postgresql:///d?host=/tmp", Engine::Postgres),
            ("host=/tmp dbname=d", Engine::Postgres),
            ("mysql://u@h/d", Engine::Mysql),
            ("MariaDB:///d?socket=/tmp/s", Engine::Mysql),
        ] {
            assert_eq!(engine_of(text).unwrap(), engine, "{text}");
        }
    }

    #[test]
    fn an_unknown_scheme_is_named_and_a_password_is_not() {
        let error = engine_of("mongodb://u:hunter2@h/d").unwrap_err();
        assert!(error.message.contains("mongodb"));
        assert!(!format!("{error:?}").contains("hunter2"));
        assert!(!format!("{:?}", engine_of("hunter2").unwrap_err()).contains("hunter2"));
    }

    #[test]
    fn what_tools_of_go_write_is_told_apart() {
        for (text, wanted) in [
            ("pgx5://u@h/d", "postgres:// here"),
            ("mysql://u:hunter2@tcp(h:3306)/d?multiStatements=true", "write mysql://root@host:3306/database"),
            ("u:hunter2@tcp(h:3306)/d", "write mysql://root@host:3306/database"),
            ("u@unix(/tmp/s)/d", "write mysql://root@host:3306/database"),
        ] {
            let error = engine_of(text).unwrap_err();
            assert!(error.hint.as_deref().is_some_and(|hint| hint.contains(wanted)), "{text}: {error:?}");
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }
}
