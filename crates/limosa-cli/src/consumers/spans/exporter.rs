//! Where spans go: OTLP over HTTP, from a thread of its own, to the address that the variables of OpenTelemetry name.
//!
//! Source of the variables: <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use limosa::Diagnostic;
use opentelemetry_otlp::{RetryPolicy, SpanExporter as Otlp, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

/// How long the end of a command may wait for spans that are not sent yet.
const FLUSH: Duration = Duration::from_secs(2);

/// Sends spans.
pub(super) struct Sending {
    pub(super) provider: SdkTracerProvider,
    trouble: Arc<Mutex<Option<String>>>,
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
    let exporter = Watched { otlp, trouble: Arc::clone(&trouble) };
    let mut resource = Resource::builder();
    let named = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let attributes = variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    if !named("OTEL_SERVICE_NAME") && !attributes.split(',').any(|pair| pair.trim().starts_with("service.name=")) {
        resource = resource.with_service_name("limosa");
    }
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
    Ok(Sending { provider, trouble })
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
            (None, Ok(())) => None,
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
}

impl SpanExporter for Watched {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
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

#[cfg(test)]
mod tests {
    use super::*;

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
