//! Random scripts: statements from templates, with any blanks between their tokens and any text in their constants.

use proptest::prelude::*;

/// What a test needs to write scripts for one engine.
pub(crate) struct Grammar {
    /// Statements; their tokens are separated by single blanks. `S` stands for a string constant, `I` for a name.
    pub(crate) statements: &'static [&'static str],
    pub(crate) strings: &'static [&'static str],
    pub(crate) names: &'static [&'static str],
    pub(crate) blanks: &'static [&'static str],
}

/// A script of one to seven statements.
pub(crate) fn script(grammar: &'static Grammar) -> impl Strategy<Value = String> {
    let ends = &[";", " ;", ";\n", ";;", "; -- ;\n", ";\n\n/* ; */"];
    let one = (statement(grammar), proptest::sample::select(&ends[..])).prop_map(|(text, end)| text + end);
    (proptest::collection::vec(one, 0..6), statement(grammar), any::<bool>())
        .prop_map(|(all, last, terminated)| all.concat() + &last + if terminated { ";" } else { "" })
}

/// One statement.
pub(crate) fn statement(grammar: &'static Grammar) -> impl Strategy<Value = String> {
    let template = proptest::sample::select(grammar.statements);
    let seeds = proptest::collection::vec(any::<[u8; 3]>(), 80);
    (template, seeds).prop_map(|(template, seeds)| {
        let mut text = String::new();
        for (token, [blank, hole, plain]) in template.split(' ').zip(seeds.into_iter().cycle()) {
            // Most blanks are plain, so that statements stay readable.
            text += if plain % 4 == 0 { pick(grammar.blanks, blank) } else { " " };
            text += match token {
                "S" => pick(grammar.strings, hole),
                "I" => pick(grammar.names, hole),
                token => token,
            };
        }
        text
    })
}

fn pick(list: &[&'static str], seed: u8) -> &'static str {
    list[seed as usize % list.len()]
}
