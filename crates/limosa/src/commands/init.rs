//! `init`: a folder for migrations, a settings file, and, for a database administrator, the ledger as a script.

use std::path::Path;

use limosa_db::engine_of;
use limosa_db::ledger::{Ledger, LedgerNames, TABLES};
use limosa_sql::Engine;

use crate::project_of_files::{DEFAULT, project_of_files};
use crate::report::DoneAnswer;
use crate::settings::user_of;
use crate::{Configuration, Failure};

/// What stands above the project in the settings file.
const PROJECT: &str = "# The project's name is the first part of every key in the ledger, so that several projects can share a database.\n";

/// The settings file behind its first lines, which name the folder of migrations and the project.
const SETTINGS: &str = "\
# [environments.development]
# database = \"sqlite:development.db\"

# [environments.production]
# database = \"postgres://app@db.example.com/app\"
# protected = true
";

fn written(path: &Path, text: &str, done: &mut Vec<String>, would: &mut Vec<String>) -> Result<(), Failure> {
    let name = path.display();
    if path.exists() {
        would.push(format!("{name} is there already; left as it is"));
        return Ok(());
    }
    std::fs::write(path, text).map_err(|error| {
        Failure::usage("LIM-U040", format!("{name} cannot be written: {error}"), "check the rights on the folder")
    })?;
    done.push(format!("wrote {name}"));
    Ok(())
}

/// Makes a folder for migrations and a settings file; what is there is left as it is.
///
/// # Errors
/// Where they cannot be written.
pub fn init(folder: &Path, migrations: &Path) -> Result<DoneAnswer, Failure> {
    let (mut done, mut notes) = (Vec::new(), Vec::new());
    if migrations.is_dir() {
        notes.push(format!("{} is there already; left as it is", migrations.display()));
    } else {
        std::fs::create_dir_all(migrations).map_err(|error| {
            let message = format!("{} cannot be made: {error}", migrations.display());
            Failure::usage("LIM-U040", message, "check the rights on the folder")
        })?;
        done.push(format!("made {}", migrations.display()));
    }
    let directory = toml::Value::String(migrations.display().to_string());
    let mut files = Configuration::new("");
    files.directories = vec![migrations.to_owned()];
    let project = project_of_files(&files, Engine::Sqlite).unwrap_or_else(|| DEFAULT.to_owned());
    let project = toml::Value::String(project);
    let settings = format!(
        "# Settings of limosa. All keys: limosa config explain\ndir = [{directory}]\n\n{PROJECT}project = {project}\n\n{SETTINGS}"
    );
    written(&folder.join("limosa.toml"), &settings, &mut done, &mut notes)?;
    Ok(DoneAnswer { done, would: notes, ..DoneAnswer::new("init", None) })
}

/// The ledger as a script, with the rights that a role needs for running migrations and for looking only.
///
/// # Errors
/// Where the configuration names no engine.
pub fn ledger_script(configuration: &Configuration, engine: Option<Engine>) -> Result<String, Failure> {
    let engine = match engine {
        Some(engine) => engine,
        None => engine_of(configuration.database.expose())?,
    };
    let ledger = Ledger::new(LedgerNames::new(engine, &configuration.ledger_schema), &configuration.project);
    let title = format!("-- The ledger of limosa for {}, to be run by a database administrator.\n", engine.title());
    match engine {
        Engine::Postgres => {}
        Engine::Mysql => return Ok(title + &ledger.script() + &mysql_grants(&ledger)),
        _ => return Ok(title + &ledger.script()),
    }
    let named = configuration.role.clone().or_else(|| user_of(configuration.database.expose()));
    let choose = match named {
        Some(_) => "",
        None => {
            "-- Put the role that runs migrations in the place of limosa_runner, or print this again with --role NAME.\n"
        }
    };
    let role = engine.quote_identifier(named.as_deref().unwrap_or("limosa_runner"));
    let schema = engine.quote_identifier(&configuration.ledger_schema);
    Ok(format!(
        "{title}{choose}begin;\n{tables}\
         \n-- for the role that runs migrations\n\
         grant usage on schema {schema} to {role};\n\
         grant select, insert, update, delete on all tables in schema {schema} to {role};\n\
         revoke update, delete on {audit} from {role};\n\
         \n-- for roles that only look (status, health, ready)\n\
         -- grant usage on schema {schema} to monitoring;\n\
         -- grant select on all tables in schema {schema} to monitoring;\n\
         \n-- shows who stands in the way of a migration\n\
         -- grant pg_read_all_stats to {role};\n\
         commit;\n",
        tables = ledger.script(),
        audit = ledger.names.table("audit_log"),
    ))
}

/// MySQL grants by table, and knows no "all tables so far": each is named.
fn mysql_grants(ledger: &Ledger) -> String {
    let mut text = String::from("\n-- for the user that runs migrations; put in its name\n");
    for table in TABLES {
        let rights = if *table == "audit_log" { "SELECT, INSERT" } else { "SELECT, INSERT, UPDATE, DELETE" };
        text.push_str(&format!("GRANT {rights} ON {} TO 'limosa_runner'@'%';\n", ledger.names.table(table)));
    }
    text.push_str("\n-- for users that only look (status, health, ready)\n");
    for table in TABLES {
        text.push_str(&format!("-- GRANT SELECT ON {} TO 'monitoring'@'%';\n", ledger.names.table(table)));
    }
    text.push_str("\n-- shows who stands in the way of a migration\n-- GRANT PROCESS ON *.* TO 'limosa_runner'@'%';\n");
    text
}
