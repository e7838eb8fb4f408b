//! What arrives at a collector of OpenTelemetry: a small HTTP server takes the requests, and reads their protobuf by the field
//! numbers of `opentelemetry/proto/trace/v1/trace.proto`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use limosa_testkit::{Folder, Limosa};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// A collector, by its address and the bodies that it is sent with their path.
fn collector(answer: &'static str) -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut first, mut length) = (String::new(), 0);
            reader.read_line(&mut first).unwrap();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                if let Some((name, value)) = line.split_once(':')
                    && name.eq_ignore_ascii_case("content-length")
                {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            if tell.send((first.trim().to_owned(), body)).is_err() {
                return;
            }
        }
    });
    (address, told)
}

const ACCEPTED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const REFUSED: &str = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// A field of a protobuf message: numbers of all kinds, or bytes.
#[derive(Debug, Clone)]
enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

impl Field {
    fn bytes(&self) -> &[u8] {
        match self {
            Field::Bytes(bytes) => bytes,
            Field::Number(number) => panic!("{number} is no message"),
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.bytes().to_vec()).unwrap()
    }

    fn hex(&self) -> String {
        self.bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn number(&self) -> u64 {
        match self {
            Field::Number(number) => *number,
            Field::Bytes(bytes) => panic!("{bytes:?} is no number"),
        }
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return number;
        }
    }
}

/// The fields of a message with their numbers, as the wire has them.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut bytes)),
            kind @ (1 | 5) => {
                let (number, rest) = bytes.split_at(if kind == 1 { 8 } else { 4 });
                bytes = rest;
                Field::Number(number.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)).unwrap();
                let (part, rest) = bytes.split_at(length);
                bytes = rest;
                Field::Bytes(part.to_vec())
            }
            kind => panic!("no wire has the kind {kind}"),
        };
        found.push((tag >> 3, field));
    }
    found
}

fn all(bytes: &[u8], number: u64) -> Vec<Field> {
    fields(bytes).into_iter().filter(|(found, _)| *found == number).map(|(_, field)| field).collect()
}

fn one(bytes: &[u8], number: u64) -> Option<Field> {
    all(bytes, number).pop()
}

/// The attributes of a message, as text.
fn attributes(message: &[u8], number: u64) -> BTreeMap<String, String> {
    let pairs = all(message, number);
    pairs
        .iter()
        .map(|pair| {
            let key = one(pair.bytes(), 1).unwrap().text();
            let value = one(pair.bytes(), 2).unwrap();
            let value = match fields(value.bytes()).pop() {
                Some((1, text)) => text.text(),
                Some((3, number)) => number.number().to_string(),
                other => panic!("{key} is {other:?}"),
            };
            (key, value)
        })
        .collect()
}

#[derive(Debug)]
struct Span {
    trace: String,
    id: String,
    parent: String,
    name: String,
    start: u64,
    end: u64,
    attributes: BTreeMap<String, String>,
    /// Code and words of the status; 2 is an error.
    status: (u64, String),
    service: String,
}

fn spans(request: &[u8]) -> Vec<Span> {
    let mut found = Vec::new();
    for group in all(request, 1) {
        let resource = one(group.bytes(), 1).unwrap();
        let service = attributes(resource.bytes(), 1)["service.name"].clone();
        for span in all(group.bytes(), 2).iter().flat_map(|scope| all(scope.bytes(), 2)) {
            let span = span.bytes();
            let hex = |number| one(span, number).map(|field| field.hex()).unwrap_or_default();
            let status = one(span, 15).unwrap_or(Field::Bytes(Vec::new()));
            found.push(Span {
                trace: hex(1),
                id: hex(2),
                parent: hex(4),
                name: one(span, 5).unwrap().text(),
                start: one(span, 7).unwrap().number(),
                end: one(span, 8).unwrap().number(),
                attributes: attributes(span, 9),
                status: (
                    one(status.bytes(), 3).map_or(0, |code| code.number()),
                    one(status.bytes(), 2).map(|words| words.text()).unwrap_or_default(),
                ),
                service: service.clone(),
            });
        }
    }
    found
}

fn shop() -> Folder {
    Folder::new()
        .file("migrations/001_users.sql", "create table users (id integer);\ninsert into users values (1), (2);\n")
        .file("migrations/002_bad.sql", "create table more (id integer);\ninsert into nowhere values (1);\n")
}

fn migrate(folder: &Folder, address: &str) -> Limosa {
    Limosa::new(super::LIMOSA).in_folder(folder.path()).env("OTEL_EXPORTER_OTLP_ENDPOINT", address).args([
        "migrate",
        "--database",
        "sqlite:app.db",
        "--environment",
        "test",
    ])
}

fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let found: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name}: {spans:#?}");
    found[0]
}

#[test]
fn runs_migrations_and_statements_are_spans_below_the_caller() {
    let folder = shop().file("limosa.toml", "[environments.test]\n");
    let (address, told) = collector(ACCEPTED);
    let traceparent = format!("00-{TRACE}-{CALLER}-01");
    let output = migrate(&folder, &address).env("TRACEPARENT", traceparent).run().unwrap().assert_code(3);
    assert!(!output.stderr.contains("LIM-U099"), "{output}");
    let (line, body) = told.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(line, "POST /v1/traces HTTP/1.1");
    let spans = spans(&body);
    assert_eq!(spans.len(), 7, "{spans:#?}");
    assert!(spans.iter().all(|span| span.trace == TRACE && span.service == "limosa" && span.start <= span.end));
    assert!(spans.iter().all(|span| span.attributes["db.system"] == "sqlite"));

    let run = named(&spans, "limosa migrate");
    assert_eq!(run.parent, CALLER);
    let words = |span: &Span, key: &str| span.attributes[key].clone();
    assert_eq!(words(run, "db.name"), "app.db");
    assert_eq!(words(run, "limosa.environment"), "test");
    assert_eq!((words(run, "limosa.outcome"), words(run, "limosa.exit_code")), ("stopped".to_owned(), "3".to_owned()));
    assert!(run.status.0 == 2 && run.status.1.starts_with("no such table: nowhere"), "{run:?}");

    let good = named(&spans, "migration 001");
    assert_eq!((good.parent.as_str(), good.status.0), (run.id.as_str(), 0));
    assert_eq!(
        (words(good, "limosa.migration.version"), words(good, "limosa.migration.state")),
        ("001".into(), "done".into())
    );
    let bad = named(&spans, "migration 002");
    assert_eq!((bad.parent.as_str(), bad.status.0), (run.id.as_str(), 2));
    assert_eq!(words(bad, "limosa.migration.state"), "rolled_back");

    let inserts: Vec<&Span> = spans.iter().filter(|span| span.name == "INSERT").collect();
    let (into_users, into_nowhere) = match inserts[..] {
        [one, other] if one.parent == good.id => (one, other),
        [one, other] => (other, one),
        _ => panic!("{inserts:#?}"),
    };
    assert_eq!((into_users.parent.as_str(), into_users.status.0), (good.id.as_str(), 0));
    assert_eq!(
        (words(into_users, "db.operation"), words(into_users, "limosa.statement.rows")),
        ("INSERT".into(), "2".into())
    );
    assert_eq!((into_nowhere.parent.as_str(), into_nowhere.status.0), (bad.id.as_str(), 2));
    assert_eq!(words(into_nowhere, "limosa.statement.number"), "2");
    assert!(good.start >= run.start && good.end <= run.end && into_users.end <= good.end);
}

#[test]
fn no_secret_is_in_a_span() {
    let folder =
        Folder::new().file("limosa.toml", "[placeholders]\ntoken = \"env:TOKEN\"\n[environments.test]\n").file(
            "migrations/001_a.sql",
            "create table \"${token}\" (id integer);\ncreate table \"${token}\" (id integer);\n",
        );
    let (address, told) = collector(ACCEPTED);
    let _ = migrate(&folder, &address).env("TOKEN", "CANARY-s3cr3t").run().unwrap().assert_code(3);
    let (_, body) = told.recv_timeout(Duration::from_secs(10)).unwrap();
    let sent = String::from_utf8_lossy(&body);
    assert!(sent.contains("table \"***\" already exists") || sent.contains("table *** already exists"), "{sent}");
    assert!(!sent.contains("CANARY"), "{sent}");
}

#[test]
fn without_a_caller_a_run_is_a_root_and_an_unsampled_caller_means_silence() {
    let folder = shop().file("limosa.toml", "[environments.test]\n");
    let (address, told) = collector(ACCEPTED);
    let unsampled = format!("00-{TRACE}-{CALLER}-00");
    let _ = migrate(&folder, &address).env("TRACEPARENT", unsampled).run().unwrap().assert_code(3);
    let _ = migrate(&folder, &address).env("OTEL_SERVICE_NAME", "shop").run().unwrap().assert_code(3);
    let (_, body) = told.recv_timeout(Duration::from_secs(10)).unwrap();
    let spans = spans(&body);
    let run = named(&spans, "limosa migrate");
    assert!(run.parent.is_empty() && run.trace != TRACE && run.service == "shop", "{run:?}");
    assert!(told.try_recv().is_err());
}

#[test]
fn a_collector_that_fails_is_a_warning_and_no_more() {
    let port = limosa_testkit::free_port().unwrap();
    let (refusing, _told) = collector(REFUSED);
    let unreachable = format!("http://me:CANARY-s3cr3t@127.0.0.1:{port}");
    for address in [refusing, unreachable, "CANARY-s3cr3t no address".to_owned()] {
        let folder = Folder::new().file("migrations/001_a.sql", "create table a (id integer);\n");
        let folder = folder.file("limosa.toml", "[environments.test]\n");
        let output = migrate(&folder, &address).arg("--output=json").run().unwrap().assert_code(0);
        assert!(output.stderr.contains("warning[LIM-U099]: the spans of this run could not all be sent"), "{output}");
        assert!(output.stdout.contains("\"outcome\": \"done\"") && !output.to_string().contains("CANARY"), "{output}");
    }
}

#[test]
fn a_collector_that_never_answers_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let folder = Folder::new().file("migrations/001_a.sql", "create table a (id integer);\n");
    let folder = folder.file("limosa.toml", "[environments.test]\n");
    let limited = migrate(&folder, &address).env("OTEL_EXPORTER_OTLP_TIMEOUT", "100").run().unwrap().assert_code(0);
    assert!(limited.stderr.contains("LIM-U099") && !limited.stderr.contains("took longer"), "{limited}");
    let output = migrate(&folder, &address).run().unwrap().assert_code(0);
    // The limit of the flush spoke, not that of the exporter, which is longer.
    assert!(output.stderr.contains("LIM-U099") && output.stderr.contains("took longer than 2 s"), "{output}");
}
