//! From settings to what the library wants to know.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use limosa::settings::{FILE_NAME, Layer, Loaded};
use limosa::{Configuration, Limits, Values};

/// The configuration of these settings.
pub(crate) fn of(loaded: &Loaded) -> Configuration {
    let settings = &loaded.settings;
    let mut values = Values::default();
    for (name, placeholder) in &settings.placeholders {
        values.all.insert(name.clone(), placeholder.value.expose().to_owned());
        if placeholder.secret {
            values.secret.insert(name.clone());
        }
    }
    Configuration {
        database: settings.database.clone().unwrap_or_default(),
        direct_url: settings.direct_url.clone(),
        directories: settings.directories.clone(),
        embedded: None,
        code: Vec::new(),
        hooks: Vec::new(),
        layout: settings.layout(),
        create_schemas: settings.create_schemas.clone(),
        allow_commands: settings.allow_commands,
        ignore_other_ledgers: settings.ignore_other_ledgers,
        tool_table: settings.tool_table.clone(),
        replace_placeholders: settings.replace_placeholders,
        verify_applied: settings.verify_applied,
        share_transactions: settings.share_transactions,
        foreign_keys: settings.foreign_keys,
        project: settings.project.clone(),
        project_is_given: settings.project_is_given,
        environment: settings.environment.clone(),
        protected: settings.protected,
        clean_disabled: settings.clean_disabled,
        baseline_on_migrate: settings.baseline_on_migrate.clone(),
        session_settings: settings.session_settings.clone(),
        ledger_schema: settings.ledger_schema.clone(),
        role: settings.role.clone(),
        limits: Limits {
            lock_timeout_ms: milliseconds(settings.lock_timeout),
            lock_retries: settings.lock_retries,
            statement_timeout_ms: milliseconds(settings.statement_timeout),
        },
        lock_wait: settings.lock_wait,
        wait_for_database: settings.wait_for_database,
        lease: settings.lease,
        out_of_order: settings.out_of_order,
        single_transaction: settings.single_transaction,
        pooled: settings.pooled,
        values,
        variables: with_user(loaded.variables.clone(), account()),
        home: home(&loaded.variables),
        actor: settings.actor.clone().unwrap_or_else(|| actor(&loaded.variables)),
        backup_directory: settings.backup_directory.clone(),
        anchor_file: settings.anchor_file.clone(),
        anchor_key: settings.hmac_key.clone(),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The home folder, where `.pgpass` lies.
fn home(variables: &BTreeMap<String, String>) -> Option<PathBuf> {
    let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    variables.get(name).filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// The name of the account that owns this process: containers and services often set no `USER`.
fn account() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().next()?.to_owned();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == user).then(|| name.to_owned())
    });
    Some(named.unwrap_or_else(|| format!("uid {user}")))
}

/// A server is spoken to as the account of the process where neither the address nor a variable names a user, as libpq and the
/// client of MySQL do.
fn with_user(mut variables: BTreeMap<String, String>, account: Option<String>) -> BTreeMap<String, String> {
    let named = USER.iter().any(|name| variables.get(*name).is_some_and(|value| !value.is_empty()));
    if let Some(account) = account.filter(|account| !named && !account.contains(' ')) {
        variables.insert(USER[0].to_owned(), account);
    }
    variables
}

/// Variables that name the user.
const USER: [&str; 3] = ["USER", "LOGNAME", "USERNAME"];

/// User, host and process, as the ledger shows who ran.
fn actor(variables: &BTreeMap<String, String>) -> String {
    let given = |name: &&str| variables.get(*name).filter(|value| !value.is_empty()).cloned();
    let user = USER.iter().find_map(given).or_else(account).unwrap_or_else(|| "unknown".to_owned());
    let host =
        ["HOSTNAME", "COMPUTERNAME"].iter().find_map(given).or_else(host).unwrap_or_else(|| "unknown".to_owned());
    format!("{user}@{host} process {}", std::process::id())
}

/// The name of this machine, as Linux and most other systems keep it.
fn host() -> Option<String> {
    let files = ["/proc/sys/kernel/hostname", "/etc/hostname"];
    let text = files.iter().find_map(|file| std::fs::read_to_string(file).ok())?;
    let name = text.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// What many tools read without being told.
const ENV_FILE: &str = ".env";

/// How to name a database, where none was named.
pub(crate) fn how_to_name(loaded: &Loaded) -> String {
    let mut help = String::from(
        "give --database sqlite:app.db, --database postgres://user@host/name or --database mysql://user@host/name, or set LIMOSA_DATABASE",
    );
    let is_named_there = |text: String| Layer::env_file(ENV_FILE, &text).names_database();
    if std::fs::read_to_string(ENV_FILE).is_ok_and(is_named_there) {
        help.push_str(&format!("\nor read the file that names one here: --env-file {ENV_FILE}"));
    }
    if !loaded.environments.is_empty() && loaded.settings.environment.is_none() {
        help.push_str(&format!(
            "\nor choose an environment of {FILE_NAME}: --environment {}",
            loaded.environments.join("|")
        ));
    }
    help
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_stands_in_for_a_variable() {
        let one = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let me = || Some("me".to_owned());
        assert_eq!(with_user(BTreeMap::new(), me()), one("USER", "me"));
        assert_eq!(with_user(one("USER", ""), me()), one("USER", "me"));
        assert_eq!(with_user(one("LOGNAME", "her"), me()), one("LOGNAME", "her"));
        assert_eq!(with_user(BTreeMap::new(), Some("uid 77".to_owned())), BTreeMap::new());
    }

    #[test]
    fn who_runs_has_user_host_and_process() {
        let variables =
            BTreeMap::from([("USER".to_owned(), "ci".to_owned()), ("HOSTNAME".to_owned(), "box".to_owned())]);
        assert_eq!(actor(&variables), format!("ci@box process {}", std::process::id()));
        // Without a variable the account of the process speaks; no system is without one.
        assert!(!actor(&BTreeMap::new()).starts_with('@'));
    }
}
