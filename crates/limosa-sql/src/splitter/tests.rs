//! What the splitter keeps in memory; all else is tested from outside.

use super::Splitter;
use crate::Engine;

/// The most that the buffer ever held, in bytes, when `block` is fed many times between `head` and `tail`.
fn kept(head: &str, block: &str, tail: &str) -> usize {
    let mut splitter = Splitter::new(Engine::Postgres, "file.sql");
    let mut most = 0;
    let blocks = std::iter::repeat_n(block, 200);
    for part in std::iter::once(head).chain(blocks).chain([tail]) {
        splitter.feed(part.as_bytes());
        while splitter.next_piece().unwrap().is_some() {}
        most = most.max(splitter.buffer.capacity());
    }
    splitter.finish();
    while splitter.next_piece().unwrap().is_some() {}
    most
}

#[test]
fn a_long_script_is_never_held_as_a_whole() {
    let limit = 512 * 1024;
    let statements = "insert into t values (1, 'abc');\n".repeat(2_000);
    assert!(kept("", &statements, "") < limit);
    let rows = "1\tabc\n".repeat(10_000);
    assert!(kept("copy t from stdin;\n", &rows, "\\.\n") < limit);
    let comments = "-- c\n/* d */\n".repeat(5_000);
    assert!(kept("", &comments, "select 1") < limit);
    let inside = "a comment that goes on and on\n".repeat(2_000);
    assert!(kept("/*", &inside, "*/") < limit);
}
