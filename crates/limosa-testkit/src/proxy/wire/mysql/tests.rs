//! Conversations, packet by packet.

use super::*;

const NO_EOF: u64 = Capabilities::NO_EOF;

/// A packet; its sequence number does not matter here.
fn packet(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    [&length[..3], &[0], body].concat()
}

fn greeting(flags: u64) -> Vec<u8> {
    let [a, b, c, d, own @ ..] = flags.to_le_bytes();
    let scramble = [b'x'; 8];
    let parts =
        [&b"\x0a10.11\0"[..], &[1, 0, 0, 0], &scramble, &[0, a, b, 45, 2, 0, c, d, 21], &[0; 6], &own, &[0; 13]];
    packet(&parts.concat())
}

fn response(flags: u64, rest: &[u8]) -> Vec<u8> {
    let [low @ .., e, f, g, h] = flags.to_le_bytes();
    packet(&[&low[..], &[0, 0, 0, 1, 45], &[0; 19], &[e, f, g, h], rest].concat())
}

/// Says a packet: every shorter part of it is not enough, and what follows it does not count.
#[track_caller]
fn say(talk: &mut Mysql, side: Side, bytes: &[u8]) -> (char, String) {
    for end in 0..bytes.len() {
        assert_eq!(talk.next(side, &bytes[..end]), Front::Partial, "{end} bytes");
    }
    match talk.next(side, &[bytes, b"rest"].concat()) {
        Front::Frame(frame) => {
            assert_eq!(frame.length, bytes.len());
            (frame.kind, frame.text)
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check(talk: &mut Mysql, side: Side, body: &[u8], kind: char, text: &str) {
    assert_eq!(say(talk, side, &packet(body)), (kind, text.to_owned()));
}

#[track_caller]
fn connected(flags: u64) -> Mysql {
    let mut talk = Mysql::default();
    assert_eq!(say(&mut talk, Side::Server, &greeting(flags)), ('!', "Greeting".to_owned()));
    assert_eq!(say(&mut talk, Side::Client, &response(flags, b"user\0\0")), ('!', "HandshakeResponse".to_owned()));
    check(&mut talk, Side::Server, b"\xfeplugin\0", '!', "AuthSwitchRequest");
    check(&mut talk, Side::Client, b"secret", '!', "AuthResponse");
    check(&mut talk, Side::Server, b"\x01\x03", '!', "AuthMoreData");
    check(&mut talk, Side::Server, b"\0\0\0\x02\0\0\0", '!', "AuthOk");
    talk
}

const OK: &[u8] = b"\0\0\0\x02\0\0\0";
const OK_AND_MORE: &[u8] = b"\0\0\0\x0a\0\0\0";
const EOF: &[u8] = b"\xfe\0\0\x02\0";
const OK_AS_EOF: &[u8] = b"\xfe\0\0\x02\0\0\0";
const ERROR: &[u8] = b"\xff\x28\x04#42000bad";
/// A row whose first value is so long that it begins as an end does.
const LONG_ROW: &[u8] = b"\xfe\x08\0\0\0\0\0\0\0too long";

#[test]
fn one_query_after_the_other_is_ok_an_error_or_rows() {
    for flags in [0, NO_EOF] {
        let mut talk = connected(flags);
        let talk = &mut talk;
        check(talk, Side::Client, b"\x03drop table t", 'Q', "drop table t");
        check(talk, Side::Server, OK, 'C', "drop table t");
        check(talk, Side::Client, b"\x03nonsense", 'Q', "nonsense");
        check(talk, Side::Server, ERROR, 'E', "bad");
        check(talk, Side::Client, b"\x03select a, b", 'Q', "select a, b");
        check(talk, Side::Server, b"\x02", 'T', "");
        check(talk, Side::Server, b"\x03def a", 'T', "");
        check(talk, Side::Server, b"\x03def b", 'T', "");
        if flags == 0 {
            check(talk, Side::Server, EOF, 'T', "");
            check(talk, Side::Server, LONG_ROW, 'D', "");
        }
        check(talk, Side::Server, b"\x01x\xfb", 'D', "");
        check(talk, Side::Server, if flags == 0 { EOF } else { OK_AS_EOF }, 'C', "select a, b");
        check(talk, Side::Client, b"\x01", 'X', "");
    }
}

#[test]
fn statements_in_one_string_are_answered_one_by_one() {
    let mut talk = connected(NO_EOF);
    let talk = &mut talk;
    check(talk, Side::Client, b"\x03do 1; call p(); x", 'Q', "do 1; call p(); x");
    check(talk, Side::Server, OK_AND_MORE, 'C', "do 1; call p(); x");
    check(talk, Side::Server, b"\x01", 'T', "");
    check(talk, Side::Server, b"\x03def a", 'T', "");
    check(talk, Side::Server, b"\xfe\0\0\x0a\0\0\0", 'C', "do 1; call p(); x");
    check(talk, Side::Server, b"\xff\xff\xff\x01progress", 'N', "");
    check(talk, Side::Server, ERROR, 'E', "bad");
    check(talk, Side::Client, b"\x0e", 'H', "");
    check(talk, Side::Server, OK, 'C', "");
}

#[test]
fn a_prepared_statement_shows_its_sql_where_it_runs() {
    for flags in [0, NO_EOF] {
        let mut talk = connected(flags);
        let talk = &mut talk;
        check(talk, Side::Client, b"\x16select ?", 'P', "select ?");
        check(talk, Side::Server, b"\0\x07\0\0\0\x01\0\x01\0\0\0\0", '1', "select ?");
        for _ in 0..if flags == 0 { 4 } else { 2 } {
            check(talk, Side::Server, b"\x03def", 'T', "");
        }
        check(talk, Side::Client, b"\x16commit", 'P', "commit");
        check(talk, Side::Server, b"\0\x08\0\0\0\0\0\0\0\0\0\0", '1', "commit");
        check(talk, Side::Client, b"\x18\x07\0\0\0\0\0long", 'd', "");
        check(talk, Side::Client, b"\x17\x07\0\0\0\0\x01\0\0\0", 'E', "select ?");
        check(talk, Side::Server, b"\x01", 'T', "");
        check(talk, Side::Server, b"\x03def", 'T', "");
        if flags == 0 {
            check(talk, Side::Server, EOF, 'T', "");
        }
        check(talk, Side::Server, b"\0\0\x01x", 'D', "");
        check(talk, Side::Server, if flags == 0 { EOF } else { OK_AS_EOF }, 'C', "select ?");
        check(talk, Side::Client, b"\x17\x08\0\0\0\0\x01\0\0\0", 'E', "commit");
        check(talk, Side::Server, OK, 'C', "commit");
        check(talk, Side::Client, b"\x19\x07\0\0\0", 'U', "");
        check(talk, Side::Client, b"\x17\x07\0\0\0\0\x01\0\0\0", 'E', "");
        check(talk, Side::Server, ERROR, 'E', "bad");
    }
}

#[test]
fn commands_sent_ahead_are_answered_in_their_order() {
    let mut talk = connected(NO_EOF);
    let talk = &mut talk;
    check(talk, Side::Client, b"\x03begin", 'Q', "begin");
    check(talk, Side::Client, b"\x02other", 'I', "other");
    check(talk, Side::Client, b"\x03commit", 'Q', "commit");
    check(talk, Side::Server, OK, 'C', "begin");
    check(talk, Side::Server, OK, 'C', "other");
    check(talk, Side::Server, OK, 'C', "commit");
    // The server shuts down.
    check(talk, Side::Server, b"\xff\x1d\x04#08S01shutdown", 'E', "shutdown");
}

#[test]
fn a_local_file_goes_to_the_server_and_is_no_command() {
    let mut talk = connected(NO_EOF);
    let talk = &mut talk;
    check(talk, Side::Client, b"\x03load data local", 'Q', "load data local");
    check(talk, Side::Server, b"\xfbfile", 'G', "");
    check(talk, Side::Client, b"\x03drop", 'd', "");
    check(talk, Side::Client, b"", 'd', "");
    check(talk, Side::Server, OK, 'C', "load data local");
    check(talk, Side::Client, b"\x03do 1", 'Q', "do 1");
}

#[test]
fn columns_that_a_mariadb_client_knows_are_left_out() {
    let mut talk = connected(NO_EOF | Capabilities::CACHED_COLUMNS);
    let talk = &mut talk;
    check(talk, Side::Client, b"\x03select a", 'Q', "select a");
    check(talk, Side::Server, b"\x01\0", 'T', "");
    check(talk, Side::Server, b"\x01x", 'D', "");
    check(talk, Side::Server, OK_AS_EOF, 'C', "select a");
}

#[test]
fn attributes_before_a_query_are_no_part_of_it() {
    let mut talk = connected(Capabilities::QUERY_ATTRIBUTES);
    check(&mut talk, Side::Client, b"\x03\0\x01do 1", 'Q', "do 1");
}

#[test]
fn the_rest_of_a_long_message_is_not_taken_for_another() {
    let mut talk = connected(NO_EOF);
    let long = [b"\x03", vec![b'x'; 0xff_fffe].as_slice()].concat();
    match talk.next(Side::Client, &packet(&long)) {
        Front::Frame(frame) => assert_eq!((frame.kind, frame.text.len()), ('Q', 0xff_fffe)),
        other => panic!("{other:?}"),
    }
    check(&mut talk, Side::Client, b"\x01", '+', "");
    check(&mut talk, Side::Client, b"\x01", 'X', "");
}

#[test]
fn a_client_asks_where_an_answer_is_due() {
    let mut talk = connected(NO_EOF);
    for (body, expected) in [
        (&b"\x03do 1"[..], true),
        (b"\x16do 1", true),
        (b"\x0e", true),
        (b"\x18\x01\0\0\0\0\0x", false),
        (b"\x19\x01\0\0\0", false),
        (b"\x01", false),
    ] {
        match talk.next(Side::Client, &packet(body)) {
            Front::Frame(frame) => assert_eq!(frame.asks, expected, "{body:?}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn encryption_compression_and_nonsense_are_not_read() {
    let mut talk = Mysql::default();
    say(&mut talk, Side::Server, &greeting(Capabilities::TLS));
    assert_eq!(say(&mut talk, Side::Client, &response(Capabilities::TLS, b"")), ('!', "SSLRequest".to_owned()));
    assert_eq!(talk.next(Side::Client, b"\x16\x03\x01"), Front::Opaque);
    assert_eq!(talk.next(Side::Server, b"\x16\x03\x01"), Front::Opaque);

    let mut talk = connected(1 << 5);
    assert_eq!(talk.next(Side::Client, &packet(b"\x03do 1")), Front::Opaque);

    let mut talk = Mysql::default();
    assert_eq!(talk.next(Side::Server, b"HTTP/1.1 200 OK and more that fills a packet"), Front::Partial);
    let mut talk = Mysql::default();
    assert_eq!(talk.next(Side::Server, &packet(b"\x09old")), Front::Opaque);
}

#[test]
fn a_server_may_refuse_at_once() {
    let mut talk = Mysql::default();
    check(&mut talk, Side::Server, b"\xff\x10\x04Too many connections", 'E', "Too many connections");
}
