//! What the splitter keeps in memory; all else is tested from outside.

use super::Splitter;
use crate::Engine;

/// The most that the buffer ever held, in bytes, when `block` is fed many times between `head` and `tail`.
fn kept(head: &str, block: &str, tail: &str) -> usize {
    kept_of(Engine::Postgres, head, block, tail)
}

fn kept_of(engine: Engine, head: &str, block: &str, tail: &str) -> usize {
    let mut splitter = Splitter::new(engine, "file.sql");
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

#[test]
fn nor_is_a_long_script_of_mysql() {
    let limit = 512 * 1024;
    let kept = |head: &str, block: &str, tail: &str| kept_of(Engine::Mysql, head, block, tail);
    let statements = "insert into t values (1, 'a;b\\'c'); /*!40101 set a = 1 */;\n".repeat(1_000);
    assert!(kept("", &statements, "") < limit);
    let bodies = "create procedure p() begin if a then select 1; end if; end;\n".repeat(1_000);
    assert!(kept("", &bodies, "") < limit);
    let delimited = "create procedure p() begin select 1; end//\n".repeat(1_000);
    assert!(kept("delimiter //\n", &delimited, "delimiter ;\nselect 1") < limit);
    assert!(kept("", "-- c\n# d\n/* e */\n;\n".repeat(3_000).as_str(), "") < limit);
    assert!(kept("#", &"a comment that goes on and on ".repeat(2_000), "\nselect 1") < limit);
    assert!(kept("/*!999999 ", &"a comment that goes on and on\n".repeat(2_000), "*/ select 1") < limit);
}
