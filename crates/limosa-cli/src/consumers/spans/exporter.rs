//! Where spans go: OTLP over HTTP, from a thread of its own, to the address that the variables of OpenTelemetry name.
//!
//! Source of the variables: <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use limosa::Diagnostic;
use opentelemetry::Context;
use opentelemetry_otlp::{RetryPolicy, SpanExporter as Otlp, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, Span, SpanData, SpanExporter, SpanProcessor,
};

/// How long the end of a command may wait for spans that are not sent yet.
const FLUSH: Duration = Duration::from_secs(2);

/// How many spans may wait to be sent, unless `OTEL_BSP_MAX_QUEUE_SIZE` says otherwise: statements may end faster than any collector listens.
const QUEUE: usize = 1 << 14;

/// Sends spans.
pub(super) struct Sending {
    pub(super) provider: SdkTracerProvider,
    trouble: Arc<Mutex<Option<String>>>,
    counts: Arc<Counts>,
}

/// How many spans there were, and how many were handed over to be sent. What lies between has found no room.
#[derive(Debug, Default)]
struct Counts {
    ended: AtomicU64,
    taken: AtomicU64,
}

impl Counts {
    fn lost(&self) -> Option<String> {
        let (ended, taken) = (self.ended.load(Ordering::Relaxed), self.taken.load(Ordering::Relaxed));
        let lost = ended.checked_sub(taken).filter(|lost| *lost > 0)?;
        Some(format!("{lost} of {ended} found no room among those that waited, see OTEL_BSP_MAX_QUEUE_SIZE"))
    }
}

/// True where the environment wants spans: an address is named, and nothing switches them off.
pub(super) fn is_wanted(variable: impl Fn(&str) -> Option<String>) -> bool {
    let given = |name: &str| variable(name).map(|value| value.trim().to_ascii_lowercase()).filter(|v| !v.is_empty());
    let named =
        ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"].iter().any(|n| given(n).is_some());
    let off = given("OTEL_SDK_DISABLED").is_some_and(|value| value == "true")
        || given("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
    named && !off
}

/// Makes the way that spans take.
///
/// # Errors
/// What of the environment makes no sense.
pub(super) fn start(variable: impl Fn(&str) -> Option<String>) -> Result<Sending, Diagnostic> {
    let protocol =
        ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"].iter().find_map(|name| variable(name));
    if let Some(other) = protocol.filter(|protocol| !protocol.is_empty() && protocol != "http/protobuf") {
        return Err(unsent(&format!("the protocol {other} is not spoken, only http/protobuf")));
    }
    // Another part of the process may have chosen it before; there is one only, ring.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A blocking client brings a runtime, which cannot be made inside of ours.
    let limit = limit(&variable);
    let client = std::thread::spawn(move || reqwest::blocking::Client::builder().timeout(limit).build()).join();
    let client =
        client.map_err(|_| unsent("the HTTP client cannot be made"))?.map_err(|error| unsent(&error.to_string()))?;
    let otlp = Otlp::builder()
        .with_http()
        .with_http_client(client)
        // What is lost is lost: a run does not wait for a second attempt.
        .with_retry_policy(RetryPolicy::disabled())
        .build()
        // The error repeats values, and addresses and headers may hold secrets.
        .map_err(|_| unsent("a variable that begins with OTEL_EXPORTER_OTLP_ makes no sense"))?;
    let trouble = Arc::new(Mutex::new(None));
    let counts = Arc::<Counts>::default();
    let exporter = Watched { otlp, trouble: Arc::clone(&trouble), counts: Arc::clone(&counts) };
    let mut resource = Resource::builder();
    if let Some(name) = service_name(&variable) {
        resource = resource.with_service_name(name);
    }
    let mut batches = BatchConfigBuilder::default();
    if variable("OTEL_BSP_MAX_QUEUE_SIZE").is_none_or(|given| given.is_empty()) {
        batches = batches.with_max_queue_size(QUEUE);
    }
    let batches = BatchSpanProcessor::builder(exporter).with_batch_config(batches.build()).build();
    let counted = Counted { batches, counts: Arc::clone(&counts) };
    let provider = SdkTracerProvider::builder().with_span_processor(counted).with_resource(resource.build()).build();
    Ok(Sending { provider, trouble, counts })
}

/// The name of the service, where it is not left to the other attributes: `OTEL_SERVICE_NAME` takes precedence over them
/// (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).
fn service_name(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let own = variable("OTEL_SERVICE_NAME").filter(|name| !name.is_empty());
    let attributes = variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let is_named = attributes.split(',').any(|pair| pair.trim().starts_with("service.name="));
    own.or_else(|| (!is_named).then(|| "limosa".to_owned()))
}

/// How long a request may take: milliseconds in a variable, 10 s where there are none. The exporter leaves that to its client.
fn limit(variable: impl Fn(&str) -> Option<String>) -> Duration {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
    let given = names.iter().find_map(|name| variable(name)?.trim().parse().ok());
    Duration::from_millis(given.filter(|limit| *limit > 0).unwrap_or(10_000))
}

impl Sending {
    /// Sends what is left, as far as that takes no longer than the limit. Gives a warning where spans were lost.
    pub(super) fn finish(&self) -> Option<Diagnostic> {
        let ended = self.provider.shutdown_with_timeout(FLUSH);
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (trouble, ended) {
            (Some(trouble), _) => Some(unsent(&trouble)),
            // The provider tells a time-out in words only; a processor has no other error here.
            (None, Err(_)) => Some(unsent(&format!("they took longer than {} s", FLUSH.as_secs()))),
            (None, Ok(())) => self.counts.lost().map(|lost| unsent(&lost)),
        }
    }
}

/// The warning. An address may hold a password, and errors repeat addresses.
fn unsent(why: &str) -> Diagnostic {
    let why = if why.contains("://") { "the collector cannot be reached" } else { why };
    Diagnostic::warning("LIM-U099", format!("the spans of this run could not all be sent: {why}"))
        .help("look at OTEL_EXPORTER_OTLP_ENDPOINT; the run itself stands, and its exit code is not changed by this")
}

/// Keeps the first error, for the batches are sent where nobody sees it.
#[derive(Debug)]
struct Watched {
    otlp: Otlp,
    trouble: Arc<Mutex<Option<String>>>,
    counts: Arc<Counts>,
}

impl SpanExporter for Watched {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.counts.taken.fetch_add(batch.len() as u64, Ordering::Relaxed);
        let sent = self.otlp.export(batch).await;
        if let Err(error) = &sent {
            let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            trouble.get_or_insert_with(|| error.to_string());
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.otlp.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.otlp.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.otlp.set_resource(resource);
    }
}

/// Counts spans on their way to the batches, which drop what finds no room without a word.
#[derive(Debug)]
struct Counted {
    batches: BatchSpanProcessor,
    counts: Arc<Counts>,
}

impl SpanProcessor for Counted {
    fn on_start(&self, span: &mut Span, within: &Context) {
        self.batches.on_start(span, within);
    }

    fn on_end(&self, span: SpanData) {
        self.counts.ended.fetch_add(u64::from(span.span_context.is_sampled()), Ordering::Relaxed);
        self.batches.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_service_counts_above_the_attributes() {
        let named = |own: &str, attributes: &str| {
            service_name(|asked| match asked {
                "OTEL_SERVICE_NAME" => Some(own.to_owned()),
                _ => Some(attributes.to_owned()),
            })
        };
        assert_eq!(named("a", "service.name=b,c=d").as_deref(), Some("a"));
        assert_eq!(named("", "c=d, service.name=b"), None);
        assert_eq!(named("", "c=d").as_deref(), Some("limosa"));
    }

    #[test]
    fn spans_that_found_no_room_are_told_of() {
        let counts = Counts::default();
        counts.ended.store(3, Ordering::Relaxed);
        counts.taken.store(3, Ordering::Relaxed);
        assert_eq!(counts.lost(), None);
        counts.taken.store(1, Ordering::Relaxed);
        assert!(counts.lost().is_some_and(|words| words.starts_with("2 of 3 ")));
    }

    #[test]
    fn spans_are_sent_only_where_an_address_is_named() {
        let wanted = |given: &[(&str, &str)]| {
            is_wanted(|asked| given.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned()))
        };
        assert!(!wanted(&[]));
        assert!(!wanted(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]));
        assert!(wanted(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")]));
        assert!(wanted(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://localhost:4318/v1/traces")]));
        for (name, value) in [("OTEL_SDK_DISABLED", "TRUE"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert!(!wanted(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"), (name, value)]), "{name}");
        }
    }

    #[test]
    fn the_limit_of_a_request_is_read() {
        for (name, value, expected) in [
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "250", 250),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", " 300 ", 300),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", 10_000),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", 10_000),
            ("OTHER", "1", 10_000),
        ] {
            let found = limit(|asked| (asked == name).then(|| value.to_owned()));
            assert_eq!(found, Duration::from_millis(expected), "{name}={value}");
        }
    }

    #[test]
    fn no_address_is_repeated_and_another_protocol_is_refused() {
        let warning = unsent("error sending request for url (http://me:CANARY@host/)");
        assert!(!format!("{warning:?}").contains("CANARY"));
        let refused = start(|name| (name == "OTEL_EXPORTER_OTLP_PROTOCOL").then(|| "grpc".to_owned()));
        assert!(refused.is_err_and(|warning| warning.message.contains("grpc")));
    }
}
