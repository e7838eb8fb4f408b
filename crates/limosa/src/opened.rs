//! A session with everything that a command needs beside it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use limosa_core::{ForeignTool, Identity, LedgerView, RowState, Surroundings};
use limosa_db::ledger::{Glance, Ledger, LedgerNames};
use limosa_db::{ConnectOptions, Contents, DbError, DbErrorKind, OtherLedger, Secret, Session, engine_of};
use limosa_run::{Code, Connector, Context, Events, SharedTransactions, Stop, ToolSetting, Values};
use limosa_sql::{Diagnostic, Dialect, Engine, PlaceholderMarks};

use crate::commands::adopt::{
    Beside, applied_since, attach_registry, detach_registry, formats_alike, registry_of, remembered,
};
use crate::commands::interrupted;
use crate::default_schema::told_of_default_schema;
use crate::elsewhere::{missing_told, missing_words, said_of, told_of_columns};
use crate::files::Loaded;
use crate::ledger_told::ToldLedger;
use crate::report::Target;
use crate::scripts::Scripts;
use crate::{Configuration, Failure, builtins, counted_values, flyway_baseline, strays};

/// What a session is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Looking only: nothing is written, no file is made. A SQLite file that the next migrate would make counts as empty.
    Read,
    /// Looking at a database that must be there.
    Probe,
    /// Running and rolling back. A SQLite file that is not there is not made: memory takes its place.
    Rehearse,
    /// Changing a database that must be there.
    Change,
    /// Changing the database; a missing SQLite file is made.
    Write,
}

impl Purpose {
    fn only_looks(self) -> bool {
        matches!(self, Purpose::Read | Purpose::Probe)
    }
}

/// An open session and what was learnt.
pub(crate) struct Opened<'c> {
    pub(crate) configuration: &'c Configuration,
    pub(crate) session: Box<dyn Session>,
    pub(crate) ledger: Ledger,
    pub(crate) target: Target,
    pub(crate) pooled: bool,
    /// Values for `${name}`: those of the configuration, and those that are always there.
    pub(crate) values: Values,
    /// How placeholders are written in the files.
    marks: PlaceholderMarks,
    /// The ledger, where it was read before somebody asked for it.
    pub(crate) looked: Option<Result<LedgerView, DbError>>,
    /// PostgreSQL: what the database holds, where that was asked before the files were known.
    pub(crate) contents: Option<Contents>,
    /// The ledgers of other tools, once somebody asked.
    elsewhere: Option<Vec<OtherLedger>>,
    /// What is said of those of them that stop nobody.
    told_strays: Option<Diagnostic>,
    /// What is said of the schema that names meant to the tool that the database was taken over from.
    pub(crate) told_schema: Option<Diagnostic>,
    /// The ledger of another tool that is kept beside this one, once it was looked for.
    pub(crate) beside: Option<Beside>,
    /// Where the files' tool keeps its ledger, where that is a SQLite file of its own.
    pub(crate) registry: Option<PathBuf>,
    /// The table of the files' tool, where settings name it.
    pub(crate) told_ledger: Option<ToldLedger>,
    /// PostgreSQL: the schema that the tool of the files puts at the head of the search path before each of them.
    pub(crate) first_schema: Option<String>,
    /// That schema, where settings of the tool's name it, and it must be there.
    pub(crate) told_schema_needed: Option<String>,
    /// The tool that the files were written for.
    pub(crate) tool: Option<ForeignTool>,
    /// What that tool sets for its session.
    pub(crate) tool_settings: Vec<ToolSetting>,
    /// The tools that they may have been written for, as far as their names tell.
    tools: Vec<ForeignTool>,
    /// Formats that the files may have besides, by their names, with their tools.
    alike: Vec<(ForeignTool, &'static str)>,
    /// The SQLite file that does not exist yet.
    absent: Option<String>,
    connector: Again,
    files: Scripts,
    code: BTreeMap<Identity, Arc<dyn Code>>,
}

/// Opens further sessions like the first.
struct Again {
    options: ConnectOptions,
}

#[async_trait]
impl Connector for Again {
    async fn connect(&self) -> Result<Box<dyn Session>, DbError> {
        limosa_db::connect(&self.options).await
    }
}

/// How long a look waits for a writer of SQLite's.
const BUSY: Duration = Duration::from_secs(5);

/// The options for a session.
pub(crate) fn options(configuration: &Configuration, purpose: Purpose) -> ConnectOptions {
    let (database, pooled) = match (&configuration.direct_url, purpose) {
        // Writing goes past the pooler where a way past it is known; looking may use either. That `database` has a pooler
        // says nothing of that way.
        (Some(direct), purpose) if !purpose.only_looks() => {
            (direct.clone(), configuration.pooled.filter(|pooled| !pooled))
        }
        _ => (configuration.database.clone(), configuration.pooled),
    };
    // SQLite: while another runner writes much in one transaction, not even its name can be read.
    let busy = if purpose == Purpose::Write { configuration.lock_wait.max(BUSY) } else { BUSY };
    ConnectOptions {
        database,
        environment: configuration.variables.clone(),
        home: configuration.home.clone(),
        role: configuration.role.clone(),
        application_name: "limosa".to_owned(),
        read_only: purpose.only_looks(),
        create: purpose == Purpose::Write,
        pooled,
        busy_timeout_ms: u64::try_from(busy.as_millis()).unwrap_or(u64::MAX),
    }
}

/// The address of a database in memory that takes the place of a SQLite file, with what the address of that says but its mode.
fn in_memory(options: &ConnectOptions) -> Secret {
    let (_, query) = options.database.expose().split_once('?').unwrap_or_default();
    let kept: Vec<&str> = query.split('&').filter(|parameter| !parameter.starts_with("mode=")).collect();
    Secret::new(format!("sqlite::memory:?{}", kept.join("&")))
}

/// Opens a session; where asked, waits until the database answers.
pub(crate) async fn open(configuration: &Configuration, purpose: Purpose) -> Result<Opened<'_>, Failure> {
    let options = options(configuration, purpose);
    let engine = engine_of(options.database.expose())?;
    let (session, file) = match not_made_yet(&options, engine, purpose) {
        Some(file) => {
            let memory = ConnectOptions { database: in_memory(&options), ..options.clone() };
            (limosa_db::connect(&memory).await?, Some(file))
        }
        None => (connect_patiently(&options, configuration.wait_for_database).await?, None),
    };
    let mut facts = session.facts().clone();
    if let Some(file) = &file {
        facts.database.clone_from(file);
    }
    let target = Target {
        engine,
        host: facts.host.clone(),
        database: facts.database.clone(),
        user: facts.user.clone(),
        server_version: facts.version.clone(),
        environment: configuration.environment.clone(),
        protected: configuration.protected,
        project: configuration.project.clone(),
    };
    let pooled = facts.pooled;
    let names = LedgerNames::new(engine, &configuration.ledger_schema).within(&facts.database);
    let mut ledger = Ledger::new(names, &configuration.project);
    ledger.role = configuration.role.clone().filter(|_| pooled);
    let mut values = configuration.values.clone();
    for (name, value) in builtins::values(configuration, session.facts()) {
        values.all.entry(name).or_insert(value);
    }
    Ok(Opened {
        configuration,
        values,
        marks: PlaceholderMarks::default(),
        session,
        ledger,
        target,
        pooled,
        looked: None,
        contents: None,
        elsewhere: None,
        told_strays: None,
        told_schema: None,
        beside: None,
        registry: None,
        told_ledger: None,
        first_schema: None,
        told_schema_needed: None,
        tool: None,
        tool_settings: Vec::new(),
        tools: Vec::new(),
        alike: Vec::new(),
        absent: file,
        connector: Again { options },
        files: Scripts::of(configuration),
        code: configuration
            .code
            .iter()
            .map(|code| (Identity::of_version(&code.version), Arc::clone(&code.code)))
            .chain(configuration.hooks.iter().map(|hook| (hook.identity(), Arc::clone(&hook.code))))
            .collect(),
    })
}

/// Opens a session like [`open`], unless somebody asks to stop meanwhile.
pub(crate) async fn open_unless<'c>(
    stop: &Stop,
    configuration: &'c Configuration,
    purpose: Purpose,
) -> Result<Opened<'c>, Failure> {
    tokio::select! {
        biased;
        opened = open(configuration, purpose) => opened,
        () = stop.asked() => Err(interrupted()),
    }
}

/// False where opening the database to write may make it.
pub(crate) fn is_there(configuration: &Configuration) -> bool {
    let options = options(configuration, Purpose::Write);
    #[cfg(feature = "sqlite")]
    if matches!(engine_of(options.database.expose()), Ok(Engine::Sqlite)) {
        let name = limosa_db::engines::sqlite::describe(&options).ok();
        return name.is_some_and(|name| std::path::Path::new(&name).exists());
    }
    let _ = options;
    true
}

/// The SQLite file that a migrate would make, where it is not there and the purpose needs none.
fn not_made_yet(options: &ConnectOptions, engine: Engine, purpose: Purpose) -> Option<String> {
    missing_file(options, engine).filter(|_| matches!(purpose, Purpose::Read | Purpose::Rehearse))
}

/// The SQLite file that a migrate would make.
fn missing_file(options: &ConnectOptions, engine: Engine) -> Option<String> {
    #[cfg(feature = "sqlite")]
    if engine == Engine::Sqlite {
        // An address with a mode of its own says that the file must be there.
        let made = !options.database.expose().contains("?mode=");
        let name = limosa_db::engines::sqlite::describe(options).ok().filter(|_| made)?;
        let path = std::path::Path::new(&name);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let has_place = folder.is_none_or(std::path::Path::is_dir);
        return (name != ":memory:" && has_place && !path.exists()).then_some(name);
    }
    let _ = (options, engine);
    None
}

async fn connect_patiently(options: &ConnectOptions, wait: Option<Duration>) -> Result<Box<dyn Session>, DbError> {
    let until = wait.map(|wait| Instant::now() + wait);
    loop {
        let error = match limosa_db::connect(options).await {
            Ok(session) => return Ok(session),
            Err(error) => error,
        };
        let may_pass = matches!(error.kind, DbErrorKind::CannotConnect | DbErrorKind::ConnectionLost);
        match until {
            Some(until) if may_pass && Instant::now() < until => tokio::time::sleep(Duration::from_millis(300)).await,
            Some(_) if may_pass => {
                let waited = wait.unwrap_or_default().as_secs_f64();
                return Err(DbError { message: format!("{} (waited {waited:.0} s)", error.message), ..error });
            }
            _ => return Err(error),
        }
    }
}

impl Opened<'_> {
    /// How the server reads scripts.
    pub(crate) fn dialect(&self) -> Dialect {
        self.session.facts().dialect
    }

    /// Where scripts are read from.
    pub(crate) fn scripts(&self) -> &Scripts {
        &self.files
    }

    /// False where the session stands in for a SQLite file that does not exist yet.
    pub(crate) fn is_there(&self) -> bool {
        self.absent.is_none()
    }

    /// Worth saying of the database before anything else.
    pub(crate) fn notices(&self) -> Vec<Diagnostic> {
        let warning = |path: &String| {
            Diagnostic::warning("LIM-D010", format!("the database file {path} does not exist yet"))
                .help("the first limosa migrate makes it; if it should be there, check the path")
        };
        let found = self.elsewhere.as_deref().unwrap_or_default();
        let missing = missing_told(found, self.told_ledger.as_ref());
        let stopping = found.iter().filter(|other| strays::stops(self.target.engine, other, &self.tools));
        let unknown = stopping.filter_map(|other| told_of_columns(other.tool, &other.table, &other.unknown_columns));
        let of_kept = self.beside.as_ref().and_then(|beside| beside.unknown_columns.clone());
        let told = missing
            .into_iter()
            .chain(self.told_strays.clone())
            .chain(unknown)
            .chain(of_kept)
            .chain(self.told_schema.clone());
        self.absent.iter().map(warning).chain(told).collect()
    }

    /// Learns what the files say of the session: how they spell placeholders, and where their tool keeps its ledger. The files learn which
    /// values count as a part of them.
    ///
    /// # Errors
    /// A file that cannot be read; settings of the tool's that mean another database.
    pub(crate) fn suit(&mut self, loaded: &mut Loaded) -> Result<(), Failure> {
        self.registry = registry_of(self, &loaded.layout);
        self.tool = loaded.layout.tool();
        // Nobody asks where limosa has its record.
        let has_record = matches!(&self.looked, Some(Ok(view)) if !view.rows.is_empty());
        self.alike = if has_record { Vec::new() } else { formats_alike(self.configuration, loaded) };
        self.tools = self.tool.filter(|_| !has_record).into_iter().collect();
        self.tools.extend(self.alike.iter().map(|(tool, _)| *tool));
        self.told_ledger = ToldLedger::of(&loaded.layout, loaded.ledger_table.as_ref(), self.target.engine);
        self.refuse_other_database(&loaded.layout)?;
        self.take_first_schema(&loaded.layout);
        self.take_tool_settings(loaded);
        self.files = Scripts::of(self.configuration).with_made(loaded.layout.made_files());
        self.take_placeholders(loaded);
        counted_values::count(self, loaded)
    }

    /// Takes what the files themselves say of placeholders: the values of their own where the settings give none. Where their format
    /// does not tell placeholders apart by case, every spelling that they use gets the value.
    fn take_placeholders(&mut self, loaded: &Loaded) {
        self.marks = loaded.layout.placeholder_marks();
        self.values.command_marks = loaded.layout.command_marks();
        let given = &self.configuration.values.all;
        for name in builtins::NAMES {
            let [usual, named] = [PlaceholderMarks::default(), self.marks].map(|marks| marks.built_in(name));
            // Flyway knows them by one name only.
            if usual != named
                && !given.contains_key(&usual)
                && let Some(value) = self.values.all.remove(&usual)
            {
                self.values.all.entry(named).or_insert(value);
            }
        }
        // Where Flyway keeps its record, not limosa: scripts grant on that table, and read it.
        let of_table = self.marks.built_in(builtins::TABLE);
        if self.tool == Some(ForeignTool::Flyway) && !given.contains_key(&of_table) {
            let table = loaded.ledger_table.as_ref().map(|told| told.table.as_str());
            let table = table.or(ForeignTool::Flyway.usual_table()).unwrap_or_default();
            self.values.all.insert(of_table, table.to_owned());
        }
        for (name, value) in loaded.layout.values().into_iter().flatten() {
            self.values.all.entry(name.clone()).or_insert_with(|| value.clone());
        }
        if !loaded.layout.folds_placeholders() {
            return;
        }
        for used in loaded.placeholders() {
            let values = &mut self.values;
            if values.all.contains_key(used) {
                continue;
            }
            let same = values.all.iter().find(|(name, _)| name.eq_ignore_ascii_case(used));
            let Some((name, value)) = same.map(|(name, value)| (name.clone(), value.clone())) else { continue };
            if values.secret.contains(&name) {
                values.secret.insert(used.to_owned());
            }
            values.all.insert(used.to_owned(), value);
        }
    }

    /// How placeholders are written in the files.
    pub(crate) fn marks(&self) -> PlaceholderMarks {
        self.marks
    }

    /// True for a placeholder that has a value always.
    pub(crate) fn is_built_in(&self, name: &str) -> bool {
        let spelled = [PlaceholderMarks::default(), self.marks];
        builtins::NAMES.iter().any(|known| spelled.iter().any(|marks| marks.built_in(known) == name))
    }

    /// True for the placeholder that has another value at each time.
    pub(crate) fn is_timestamp(&self, name: &str) -> bool {
        [PlaceholderMarks::default(), self.marks].iter().any(|marks| marks.built_in(builtins::TIMESTAMP) == name)
    }

    /// Reads the ledger for the next [`look`](Self::look), which must follow before anything is changed.
    pub(crate) async fn look_ahead(&mut self) {
        self.looked = Some(self.ledger.look(self.session.as_mut()).await);
    }

    /// Looks at the ledger only so far as to see whether anything can be pending. None where that is no use, and a look must follow;
    /// where there is no ledger, the look is done with that.
    pub(crate) async fn glance(&mut self) -> Option<Glance> {
        match self.ledger.glance(self.session.as_mut()).await {
            Ok(Some(glance)) => Some(glance),
            Ok(None) => {
                self.looked = Some(Ok(LedgerView::default()));
                None
            }
            Err(error) => {
                self.looked = Some(Err(error));
                None
            }
        }
    }

    /// True where a look has shown that nothing of the project ever ran here.
    pub(crate) fn never_ran(&self) -> bool {
        matches!(&self.looked, Some(Ok(view)) if view.rows.is_empty())
    }

    /// Asks what a first run asks of a database whatever the files are, so that they can be read meanwhile.
    pub(crate) async fn look_for_tables(&mut self) {
        if self.target.engine == Engine::Postgres && !self.configuration.ignore_other_ledgers {
            // What the server says against it, it says again when the ledgers of other tools are looked for.
            self.contents = limosa_db::contents(self.session.as_mut()).await.ok();
        }
    }

    /// Reads the ledger; writes nothing.
    pub(crate) async fn look(&mut self) -> Result<LedgerView, Failure> {
        match self.looked.take() {
            Some(looked) => Ok(looked?),
            None => Ok(self.ledger.look(self.session.as_mut()).await?),
        }
    }

    /// What stands around a decision. `extensions` says whether the list of available extensions is needed.
    pub(crate) async fn surroundings(&mut self, extensions: bool) -> Result<Surroundings, Failure> {
        let available = match (extensions, self.target.engine) {
            (true, Engine::Postgres) => {
                let rows = self.session.query("select name::text from pg_catalog.pg_available_extensions", &[]).await?;
                Some(rows.iter().filter_map(|row| row.text(0)).collect())
            }
            (true, _) => Some(Vec::new()),
            (false, _) => None,
        };
        Ok(Surroundings {
            engine: self.target.engine,
            database: self.target.database.clone(),
            host: self.target.host.clone(),
            environment: self.configuration.environment.clone(),
            available_extensions: available,
            transactions_only: self.pooled,
        })
    }

    /// What others than limosa have done here, which stops a run; asked once, where nothing of the project ever ran.
    pub(crate) async fn history_elsewhere(&mut self, view: &LedgerView) -> Result<Option<Diagnostic>, Failure> {
        let of_tool = |(message, help): (String, String)| Diagnostic::error("LIM-P020", message).help(help);
        if self.configuration.ignore_other_ledgers {
            return Ok(None);
        }
        if !view.rows.is_empty() || !view.skipped.is_empty() {
            return Ok(self.applied_beside(view).await?.map(of_tool));
        }
        let stopping = self.stopping(view).await?;
        let missing = missing_words(self.elsewhere.as_deref().unwrap_or_default(), self.told_ledger.as_ref());
        let with_missing = |(message, help): (String, String)| match &missing {
            Some(missing) => (format!("{message}; {missing}"), help),
            None => (message, help),
        };
        let told = match stopping.as_slice() {
            [] => return flyway_baseline::told(self, view).await,
            [other] if missing.is_some() && other.unread.is_none() => {
                Some(with_missing(strays::said_beside_missing(other, self.format_of(other))))
            }
            [other] if other.is_stray => Some(strays::said_of_stray(other, self.format_of(other))),
            [other] => Some(with_missing(said_of(self, other, self.format_of(other)).await)),
            several => Some(with_missing(strays::said_of_several(several))),
        };
        Ok(told.map(of_tool))
    }

    /// The format that is to be named before the ledger of a tool is taken over: files of that tool have the same names, and are read as
    /// another one's.
    fn format_of(&self, other: &OtherLedger) -> Option<&'static str> {
        let is_of = |(tool, _): &&(ForeignTool, &'static str)| Some(*tool) == other.from && self.tool != other.from;
        self.alike.iter().find(is_of).map(|(_, format)| *format)
    }

    /// The ledgers of other tools that stop the first run; asked once, where nothing of the project ever ran.
    ///
    /// # Errors
    /// What the server says.
    pub(crate) async fn stopping(&mut self, view: &LedgerView) -> Result<Vec<OtherLedger>, Failure> {
        if self.elsewhere.is_none() {
            if remembered(self, view).await?.is_some() {
                // It was taken over, though none of its migrations has a file here.
                self.elsewhere = Some(Vec::new());
                return Ok(Vec::new());
            }
            let is_attached = attach_registry(self).await?;
            let told = self.told_ledger.as_ref().map(|told| (&told.table, told.tool));
            let (session, has_tables) = (self.session.as_mut(), self.contents.map(|contents| contents.tables));
            let found = limosa_db::other_ledgers(session, &self.ledger, told, self.tool, has_tables).await;
            detach_registry(self, is_attached).await?;
            let found = found?;
            let is_told =
                |other: &&OtherLedger| other.is_stray && !strays::stops(self.target.engine, other, &self.tools);
            let others: Vec<OtherLedger> = found.iter().filter(is_told).cloned().collect();
            self.told_strays = strays::told_of(self, &others).await;
            self.elsewhere = Some(found);
        }
        let tells = |other: &&OtherLedger| strays::stops(self.target.engine, other, &self.tools);
        Ok(self.elsewhere.iter().flatten().filter(tells).cloned().collect())
    }

    /// What is said of ledgers of other tools that stop nobody, as far as [`Opened::history_elsewhere`] has asked.
    pub(crate) fn told_of_others(&self) -> impl Iterator<Item = Diagnostic> + use<> {
        self.told_strays.clone().into_iter().chain(self.told_schema.clone())
    }

    /// The tool that has done something here, as far as [`Opened::history_elsewhere`] has asked, and its table.
    pub(crate) fn tool_elsewhere(&self) -> Option<(ForeignTool, &str)> {
        let found = self.elsewhere.as_deref().unwrap_or_default().first()?;
        let tool = ForeignTool::all().find(|tool| tool.name() == found.tool)?;
        Some((tool, &found.table))
    }

    /// What the tool that the database was taken over from has applied since, in words, and what to do about it.
    async fn applied_beside(&mut self, view: &LedgerView) -> Result<Option<(String, String)>, Failure> {
        // Where its ledger is kept, both are compared as a whole.
        if view.keeps_another || !view.rows.iter().any(|row| row.state == RowState::Baseline) {
            return Ok(None);
        }
        let Some(adopted) = remembered(self, view).await? else { return Ok(None) };
        self.told_schema = told_of_default_schema(self, adopted.tool(), adopted.schema().as_deref()).await?;
        let since = Box::pin(applied_since(self, &adopted)).await?;
        if since.is_empty() {
            return Ok(None);
        }
        let line = adopted.line();
        Ok(Some((
            format!(
                "{} has applied {} since this database was taken over from it (table {})",
                line.tool,
                since.join(", "),
                line.table
            ),
            "one of the two runs the migrations, not both: limosa adopt takes over what was applied since, too; \
             to go back to the other tool: limosa adopt --undo; where this is no matter: --ignore-other-ledgers"
                .to_owned(),
        )))
    }

    /// The session and the context of a run, borrowed apart.
    pub(crate) fn run_parts<'s>(
        &'s mut self,
        events: &'s dyn Events,
        stop: Stop,
    ) -> (&'s mut Box<dyn Session>, Context<'s>) {
        // From here on things change.
        self.looked = None;
        let configuration = self.configuration;
        let postgres = self.target.engine == Engine::Postgres;
        let role = configuration.role.clone().filter(|_| postgres);
        let context = Context {
            ledger: self.ledger.clone(),
            connector: &self.connector,
            files: &self.files,
            code: &self.code,
            values: self.values.clone(),
            actor: configuration.actor.clone(),
            run_id: run_id(),
            lock_wait: configuration.lock_wait,
            lease: configuration.lease,
            kept: self.beside.as_ref().and_then(|beside| beside.kept.as_ref().ok()),
            pooled: self.pooled,
            local_role: role.clone().filter(|_| self.pooled),
            session_role: role.filter(|_| !self.pooled),
            session_settings: self.session_settings(),
            tool_settings: &self.tool_settings,
            first_schema: self.first_schema.clone(),
            keeps_beginnings: false,
            shared_transactions: SharedTransactions::None,
            events,
            stop,
        };
        (&mut self.session, context)
    }

    /// Ends the session in order.
    pub(crate) async fn close(self) {
        self.session.close().await;
    }
}

/// A name for this run that no other run has: time, process, and the random keys of this process.
pub(crate) fn run_id() -> String {
    use std::hash::{BuildHasher, Hasher};
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{:x}-{:x}-{random:016x}", now.as_millis(), std::process::id())
}
