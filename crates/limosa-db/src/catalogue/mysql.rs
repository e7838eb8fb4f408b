//! MySQL: what SHOW CREATE shows of the objects that a statement of DDL names.

use limosa_core::{After, Before, Image, ObjectState};
use limosa_sql::{AfterState, Class, Effect, Engine, ObjectKind, QualifiedName, SchemaObject};

use crate::{DbError, DbErrorKind, Item, Row, Session, Value};

/// SHOW CREATE follows the settings of the session, which a script may have changed.
const PLAIN: &str = "set @limosa_mode = @@session.sql_mode, @limosa_quote = @@session.sql_quote_show_create, \
    session sql_mode = '', session sql_quote_show_create = 1";

const AS_IT_WAS: &str = "set session sql_mode = @limosa_mode, session sql_quote_show_create = @limosa_quote";

const CURRENT: &str = "select database()";

/// The server's numbers for "there is no such object": table, database, routine, trigger, event, sequence, table or view of another
/// kind, user.
const ABSENT: &[&str] = &["1146", "1049", "1305", "1360", "1539", "4091", "1051", "1347", "4089", "1133", "1396"];

/// Tables of the current database whose engine knows no transactions, with their engines; at most ten.
///
/// # Errors
/// What the server says.
pub async fn tables_without_transactions(session: &mut dyn Session) -> Result<Vec<String>, DbError> {
    let sql = "select t.table_name, t.engine from information_schema.tables t join information_schema.engines e \
        on e.engine = t.engine where t.table_schema = database() and coalesce(e.transactions, 'NO') <> 'YES' \
        and t.table_type = 'BASE TABLE' order by 1 limit 10";
    let rows = session.query(sql, &[]).await?;
    let named = |row: &Row| format!("{} ({})", row.text(0).unwrap_or_default(), row.text(1).unwrap_or_default());
    Ok(rows.iter().map(named).collect())
}

/// Before a statement begins.
pub(super) async fn before(session: &mut dyn Session, class: &Class) -> Result<Option<Before>, DbError> {
    let Effect::ChangesSchema { changes } = &class.effect else { return Ok(None) };
    let mut objects: Vec<SchemaObject> = Vec::new();
    for change in changes {
        let renamed = match &change.after {
            AfterState::RenamedTo { name: target, .. } => {
                Some(SchemaObject { kind: change.object.kind, name: target.clone() })
            }
            _ => None,
        };
        for object in [Some(change.object.clone()), renamed].into_iter().flatten() {
            if !objects.contains(&object) {
                objects.push(object);
            }
        }
    }
    let objects = match &mut objects[..] {
        [only] => look_at_one(session, only).await?.into_iter().collect(),
        _ => {
            session.send(vec![Item::Control(PLAIN.to_owned())]).await?;
            let seen = resolved(session, objects).await;
            session.send(vec![Item::Control(AS_IT_WAS.to_owned())]).await?;
            seen?
        }
    };
    Ok(Some(Before { objects, ..Before::default() }))
}

/// The usual case, in one message where the object is there.
async fn look_at_one(session: &mut dyn Session, object: &mut SchemaObject) -> Result<Option<ObjectState>, DbError> {
    let bound = |sql: &str| Item::Bound { sql: sql.to_owned(), parameters: Vec::new() };
    let Some((show, column)) = shown(object) else { return Ok(None) };
    let (database, as_it_was) = (bound(CURRENT), Item::Control(AS_IT_WAS.to_owned()));
    let items = vec![Item::Control(PLAIN.to_owned()), database.clone(), bound(&show), as_it_was.clone()];
    let (current, image) = match session.send(items).await {
        Ok(answers) => (answers[1].first().and_then(|row| row.text(0)), image(object.kind, &answers[2], column)),
        Err(error) if error.kind == DbErrorKind::ConnectionLost => return Err(error),
        Err(error) => {
            let answers = session.send(vec![as_it_was, database]).await?;
            (answers[1].first().and_then(|row| row.text(0)), is_absent(&error).then_some(None))
        }
    };
    place(object, current.as_ref());
    Ok(image.map(|image| ObjectState { object: object.clone(), image, empty: None }))
}

/// The next run begins in the database of its address, wherever the script is now.
fn place(object: &mut SchemaObject, current: Option<&String>) {
    if object.name.schema.is_none() && object.kind != ObjectKind::Database {
        object.name.schema = current.cloned();
    }
}

async fn resolved(session: &mut dyn Session, mut objects: Vec<SchemaObject>) -> Result<Vec<ObjectState>, DbError> {
    let current = session.query(CURRENT, &[]).await?.first().and_then(|row| row.text(0));
    for object in &mut objects {
        place(object, current.as_ref());
    }
    look(session, &objects).await
}

/// After a death.
pub(super) async fn after(
    session: &mut dyn Session,
    class: &Class,
    before: Option<&Before>,
    backend: Option<&str>,
) -> Result<After, DbError> {
    let alive = match backend {
        Some(backend) => is_alive(session, backend).await?,
        None => false,
    };
    let objects: Vec<SchemaObject> =
        before.map(|before| before.objects.iter().map(|state| state.object.clone()).collect()).unwrap_or_default();
    session.send(vec![Item::Control(PLAIN.to_owned())]).await?;
    let objects = look(session, &objects).await;
    session.send(vec![Item::Control(AS_IT_WAS.to_owned())]).await?;
    let mut objects = objects?;
    let empties =
        |after: &AfterState| matches!(after, AfterState::Emptied | AfterState::Exists { or_replace: true, .. });
    if let Effect::ChangesSchema { changes } = &class.effect
        && changes.iter().any(|change| change.object.kind == ObjectKind::Table && empties(&change.after))
    {
        for state in objects.iter_mut().filter(|state| state.image.is_some()) {
            state.empty = is_empty(session, &state.object.name).await?;
        }
    }
    Ok(After { backend_alive: alive, objects, ..After::default() })
}

/// None where we may not look.
async fn is_empty(session: &mut dyn Session, table: &QualifiedName) -> Result<Option<bool>, DbError> {
    let sql = format!("select not exists (select 1 from {})", quoted(table));
    match session.query(&sql, &[]).await {
        Ok(rows) => Ok(rows.first().map(|row| row.boolean(0))),
        Err(error) if error.kind == DbErrorKind::ConnectionLost => Err(error),
        Err(_) => Ok(None),
    }
}

/// Numbers of sessions are used again after a restart of the server, so what names its start is compared first.
async fn is_alive(session: &mut dyn Session, backend: &str) -> Result<bool, DbError> {
    let (number, start) = backend.split_once(':').unwrap_or((backend, ""));
    let own = session.facts().backend.clone().unwrap_or_default();
    let (own_number, own_start) = own.split_once(':').unwrap_or((own.as_str(), ""));
    if start != own_start || number == own_number {
        return Ok(false);
    }
    let Ok(number) = number.parse::<i64>() else { return Ok(false) };
    let sql = "select count(*) from information_schema.processlist where id = $1";
    let rows = session.query(sql, &[Value::Integer(number)]).await?;
    Ok(rows.first().and_then(|row| row.integer(0)).unwrap_or(0) > 0)
}

/// What cannot be looked at is left out, and a person is asked about it.
async fn look(session: &mut dyn Session, objects: &[SchemaObject]) -> Result<Vec<ObjectState>, DbError> {
    let mut states = Vec::new();
    for object in objects {
        let Some((show, column)) = shown(object) else { continue };
        let image = match session.query(&show, &[]).await {
            Ok(rows) => image(object.kind, &rows, column),
            Err(error) if error.kind == DbErrorKind::ConnectionLost => return Err(error),
            Err(error) => is_absent(&error).then_some(None),
        };
        states.extend(image.map(|image| ObjectState { object: object.clone(), image, empty: None }));
    }
    Ok(states)
}

fn is_absent(error: &DbError) -> bool {
    error.number().is_some_and(|number| ABSENT.contains(&number))
}

/// None where the answer holds no text.
fn image(kind: ObjectKind, rows: &[Row], column: usize) -> Option<Option<Image>> {
    let text = rows.first().and_then(|row| row.text(column))?;
    Some(Some(if kind == ObjectKind::Table { Image::of_table(&text) } else { Image::of_text(&text) }))
}

/// The statement that shows an object, and the column of its answer that holds the text.
fn shown(object: &SchemaObject) -> Option<(String, usize)> {
    let (kind, column) = shown_as(object.kind)?;
    let name = if object.kind == ObjectKind::User { account(&object.name.name) } else { quoted(&object.name) };
    Some((format!("show create {kind} {name}"), column))
}

/// The word behind SHOW CREATE, and the column of its answer that holds the text.
fn shown_as(kind: ObjectKind) -> Option<(&'static str, usize)> {
    Some(match kind {
        ObjectKind::Table => ("table", 1),
        ObjectKind::View => ("view", 1),
        ObjectKind::Procedure => ("procedure", 2),
        ObjectKind::Function => ("function", 2),
        ObjectKind::Trigger => ("trigger", 2),
        ObjectKind::Event => ("event", 3),
        ObjectKind::Sequence => ("sequence", 1),
        ObjectKind::Database => ("database", 1),
        ObjectKind::Package => ("package", 2),
        ObjectKind::PackageBody => ("package body", 2),
        ObjectKind::User => ("user", 0),
        _ => return None,
    })
}

/// `name@host` as an account.
fn account(name: &str) -> String {
    let (user, host) = name.rsplit_once('@').unwrap_or((name, "%"));
    format!("{}@{}", Engine::Mysql.quote_literal(user), Engine::Mysql.quote_literal(host))
}

fn quoted(name: &QualifiedName) -> String {
    Engine::Mysql.quote_qualified(name.schema.as_deref(), &name.name)
}
