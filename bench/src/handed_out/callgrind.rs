//! What valgrind's tool callgrind writes: which functions a run went through.

use std::collections::{BTreeSet, HashMap};

/// Names of the functions of `program` that were run, mangled as the linker knows them, from the text of a profile.
///
/// The format, with its names that are written out once and numbered from then on, is in the manual of callgrind, "Callgrind Format
/// Specification".
pub(super) fn functions(profile: &str, program: &str) -> BTreeSet<String> {
    let (mut objects, mut names) = (Names::default(), Names::default());
    let (mut object, mut found) = ("", BTreeSet::new());
    for line in profile.lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        match key {
            "ob" => object = objects.read(value),
            "cob" => drop(objects.read(value)),
            "cfn" => drop(names.read(value)),
            "fn" => {
                let name = names.read(value);
                if object == program {
                    found.insert(without_level(name).to_owned());
                }
            }
            _ => {}
        }
    }
    found
}

/// Names by their numbers.
#[derive(Default)]
struct Names<'a>(HashMap<&'a str, &'a str>);

impl<'a> Names<'a> {
    /// `(7) name` gives the number its meaning, `(7)` asks for it; a name may stand without a number.
    fn read(&mut self, value: &'a str) -> &'a str {
        let numbered = value.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        match numbered {
            Some((number, "")) => self.0.get(number).copied().unwrap_or(""),
            Some((number, name)) => {
                self.0.insert(number, name.trim_start());
                name.trim_start()
            }
            None => value,
        }
    }
}

/// Callgrind counts the levels of a recursion as functions of their own: `name'2`.
fn without_level(name: &str) -> &str {
    match name.rsplit_once('\'') {
        Some((before, level)) if level.bytes().all(|byte| byte.is_ascii_digit()) => before,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::functions;

    #[test]
    fn functions_of_the_program_are_found_by_name_and_by_number() {
        let profile = "\
version: 1
creator: callgrind-3.19.0
events: Ir
ob=(1) /usr/lib/libc.so.6
fl=(1) ???
fn=(1) malloc
0 12
ob=(2) /t/limosa
fn=(2) _ZN4main17h0E
0 3
cob=(1)
cfn=(3) free
calls=1 0
0 9
cfn=(4) _ZN4plan17h1E
calls=1 0
0 80
fn=(5) sqlite3Step'2
0 4

ob=(1)
fn=(3)
0 5
ob=(2)
fn=(4)
0 8
fn=plain
0 1
";
        let found: Vec<String> = functions(profile, "/t/limosa").into_iter().collect();
        assert_eq!(found, ["_ZN4main17h0E", "_ZN4plan17h1E", "plain", "sqlite3Step"]);
        assert!(functions(profile, "/t/other").is_empty());
        assert!(functions("", "/t/limosa").is_empty());
    }
}
