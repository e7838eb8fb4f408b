//! OpenTelemetry: a span for each run, in it one for each migration, in that one for each statement.

mod exporter;

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use limosa::{Began, Blocker, Diagnostic, Ended, Engine, Event, Progress};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, Span};

use self::exporter::Sending;
use super::{Consumer, Given};

/// Where the environment names an address for spans.
pub(super) fn make(_: &Given<'_>) -> Option<Box<dyn Consumer>> {
    let variable = |name: &str| std::env::var(name).ok();
    if !exporter::is_wanted(variable) {
        return None;
    }
    Some(match exporter::start(variable) {
        Ok(sending) => Box::new(Spans::new(sending, parent(variable))),
        Err(warning) => Box::new(Without { warning: Some(warning) }),
    })
}

/// The span that this process was started in: `TRACEPARENT` and `TRACESTATE`, as the draft of OpenTelemetry for environment
/// variables has it, in the form of <https://www.w3.org/TR/trace-context/>. An empty one where there is none that is valid.
fn parent(variable: impl Fn(&str) -> Option<String>) -> Context {
    let carried: HashMap<String, String> = [("traceparent", "TRACEPARENT"), ("tracestate", "TRACESTATE")]
        .into_iter()
        .filter_map(|(header, name)| Some((header.to_owned(), variable(name)?)))
        .collect();
    TraceContextPropagator::new().extract_with_context(&Context::new(), &carried)
}

/// Says at the end why there are no spans.
struct Without {
    warning: Option<Diagnostic>,
}

impl Consumer for Without {
    fn take(&mut self, _: &Progress) {}

    fn finish(&mut self) -> Option<Diagnostic> {
        self.warning.take()
    }
}

struct Spans {
    sending: Sending,
    tracer: SdkTracer,
    parent: Context,
    /// `db.system` of the run.
    system: Value,
    run: Option<Open>,
    migrations: Vec<(usize, Open)>,
    /// Migration, number, verb and start of the statement that runs.
    statement: Option<(usize, u64, String, SystemTime)>,
}

/// A span that has begun.
struct Open {
    span: Span,
    /// It as the parent of others.
    within: Context,
}

impl Spans {
    fn new(sending: Sending, parent: Context) -> Spans {
        let tracer = sending.provider.tracer("limosa");
        Spans {
            sending,
            tracer,
            parent,
            system: "other_sql".into(),
            run: None,
            migrations: Vec::new(),
            statement: None,
        }
    }

    fn open(&self, builder: SpanBuilder, parent: &Context) -> Open {
        let span = self.tracer.build_with_context(builder, parent);
        let within = Context::new().with_remote_span_context(span.span_context().clone());
        Open { span, within }
    }

    fn begin(&mut self, began: &Began) {
        self.system = system(began.engine).into();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let builder = SpanBuilder::from_name(format!("limosa {}", began.command)).with_kind(SpanKind::Internal);
        let builder = builder.with_attributes([
            KeyValue::new("db.system", self.system.clone()),
            KeyValue::new("db.name", text(&began.database)),
            KeyValue::new("limosa.command", began.command),
            KeyValue::new("limosa.project", began.project.clone()),
            KeyValue::new("limosa.environment", text(&began.environment)),
        ]);
        self.run = Some(self.open(builder, &self.parent));
    }

    fn run(&mut self, event: &Event) {
        match event {
            Event::StepStarted { number, label, name, statements, .. } => {
                let Some(run) = &self.run else { return };
                let builder = SpanBuilder::from_name(format!("migration {label}")).with_kind(SpanKind::Internal);
                let builder = builder.with_attributes([
                    KeyValue::new("db.system", self.system.clone()),
                    KeyValue::new("limosa.migration.version", String::from(label)),
                    KeyValue::new("limosa.migration.name", String::from(name)),
                    KeyValue::new("limosa.migration.statements", integer(*statements)),
                ]);
                let open = self.open(builder, &run.within);
                self.migrations.push((*number, open));
            }
            Event::StatementStarted { step, number, verb } => {
                self.statement = Some((*step, *number, verb.clone(), SystemTime::now()));
            }
            Event::StatementDone { step, number, verb, rows, elapsed, .. } => {
                self.statement.take_if(|(of, running, ..)| *of == *step && *running <= *number);
                let end = SystemTime::now();
                self.statement(*step, *number, verb, start_of(end, *elapsed), end, *rows, Status::Unset);
            }
            Event::Retrying { attempt, reason, .. } => {
                self.statement_failed(reason);
                let attributes =
                    vec![KeyValue::new("attempt", i64::from(*attempt)), KeyValue::new("reason", reason.clone())];
                self.mark("retrying", attributes);
            }
            Event::Waiting { statement, blockers, .. } => {
                let pids = blockers.iter().map(|Blocker { pid, .. }| pid.to_string()).collect::<Vec<_>>().join(",");
                let attributes = vec![
                    KeyValue::new("limosa.statement.number", integer(*statement)),
                    KeyValue::new("limosa.blockers", pids),
                ];
                self.mark("waiting for locks", attributes);
            }
            Event::StepDone { number, .. } => self.end_migration(*number, "done", Status::Unset),
            Event::StepPassed { number, state, .. } => self.end_migration(*number, state.as_str(), Status::Unset),
            Event::StepFailed { number, state, reason, .. } => {
                let words = reason.as_ref().map_or("another migration of its transaction failed", |(_, words)| words);
                if reason.is_some() {
                    self.statement_failed(words);
                }
                self.end_migration(*number, state.as_str(), Status::error(words.to_owned()));
            }
            Event::LockHeld { holder, .. } => {
                if let Some(run) = &mut self.run {
                    let holder = holder.clone().unwrap_or_default();
                    run.span.add_event("another runner holds the lock", vec![KeyValue::new("holder", holder)]);
                }
            }
            _ => {}
        }
    }

    /// Marks a moment in the migrations that run.
    fn mark(&mut self, name: &'static str, attributes: Vec<KeyValue>) {
        for (_, migration) in &mut self.migrations {
            migration.span.add_event(name, attributes.clone());
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all that a span is made of")]
    fn statement(
        &mut self,
        step: usize,
        number: u64,
        verb: &str,
        start: SystemTime,
        end: SystemTime,
        rows: Option<u64>,
        status: Status,
    ) {
        let Some((_, migration)) = self.migrations.iter().find(|(open, _)| *open == step) else { return };
        let mut attributes = vec![
            KeyValue::new("db.system", self.system.clone()),
            KeyValue::new("db.operation", verb.to_owned()),
            KeyValue::new("limosa.statement.number", integer(number)),
        ];
        attributes.extend(rows.map(|rows| KeyValue::new("limosa.statement.rows", integer(rows))));
        let builder = SpanBuilder::from_name(verb.to_owned())
            .with_kind(SpanKind::Client)
            .with_start_time(start)
            .with_attributes(attributes);
        let mut span = self.tracer.build_with_context(builder, &migration.within);
        span.set_status(status);
        span.end_with_timestamp(end);
    }

    /// The statement that ran is the one that failed; where none ran, something of limosa's own did.
    fn statement_failed(&mut self, words: &str) {
        if let Some((step, number, verb, start)) = self.statement.take() {
            let status = Status::error(words.to_owned());
            self.statement(step, number, &verb, start, SystemTime::now(), None, status);
        }
    }

    fn end_migration(&mut self, number: usize, state: &'static str, status: Status) {
        let Some(at) = self.migrations.iter().position(|(open, _)| *open == number) else { return };
        let (_, mut migration) = self.migrations.swap_remove(at);
        migration.span.set_attribute(KeyValue::new("limosa.migration.state", state));
        migration.span.set_status(status);
        migration.span.end();
    }

    fn end(&mut self, ended: &Ended) {
        // What is still open ran in a dry run, or was dropped on its way.
        for (_, mut migration) in self.migrations.drain(..) {
            if ended.exit_code != 0 {
                migration.span.set_status(Status::error("ended with the run"));
            }
            migration.span.end();
        }
        let Some(mut run) = self.run.take() else { return };
        run.span.set_attribute(KeyValue::new("limosa.outcome", ended.outcome));
        run.span.set_attribute(KeyValue::new("limosa.exit_code", i64::from(ended.exit_code)));
        if ended.exit_code != 0 {
            let words = ended.error.as_ref().map_or(ended.outcome, |error| &error.message);
            run.span.set_status(Status::error(words.to_owned()));
        }
        run.span.end();
    }
}

impl Consumer for Spans {
    fn take(&mut self, progress: &Progress) {
        match progress {
            Progress::Began(began) => self.begin(began),
            Progress::Run(event) => self.run(event),
            Progress::CopyEnded { what, done, elapsed } => {
                let Some(run) = &self.run else { return };
                let end = SystemTime::now();
                let name = match what {
                    limosa::CopyKind::Backup => "backup",
                    limosa::CopyKind::Restore => "restore",
                };
                let builder = SpanBuilder::from_name(name).with_start_time(start_of(end, *elapsed));
                let builder = builder.with_attributes([KeyValue::new("db.system", self.system.clone())]);
                let mut copy = self.tracer.build_with_context(builder, &run.within);
                if !done {
                    copy.set_status(Status::error("it did not end well"));
                }
                copy.end_with_timestamp(end);
            }
            Progress::Ended(ended) => self.end(ended),
            _ => {}
        }
    }

    /// A statement that fails is known by its start only.
    fn wants_starts(&self) -> bool {
        true
    }

    fn finish(&mut self) -> Option<Diagnostic> {
        self.sending.finish()
    }
}

fn start_of(end: SystemTime, elapsed: Duration) -> SystemTime {
    end.checked_sub(elapsed).unwrap_or(end)
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The word of OpenTelemetry's semantic conventions for databases.
fn system(engine: Option<Engine>) -> &'static str {
    match engine {
        Some(Engine::Postgres) => "postgresql",
        Some(Engine::Sqlite) => "sqlite",
        Some(Engine::Mysql) => "mysql",
        _ => "other_sql",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_read_in_its_standard_form_only() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        for (given, expected) in [
            (format!("00-{id}-b7ad6b7169203331-01"), true),
            (format!("00-{id}-0000000000000000-01"), false),
            (format!("{id}-b7ad6b7169203331"), false),
            (String::new(), false),
        ] {
            let context = parent(|name| (name == "TRACEPARENT").then(|| given.clone()));
            assert_eq!(context.span().span_context().is_valid(), expected, "{given}");
        }
    }
}
