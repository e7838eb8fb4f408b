//! Expressions of contexts: `test and (!prod or staging)`, names joined by commas.
//!
//! Liquibase 5, `ExpressionMatcher.java`: a comma is an `or`, `or` binds weaker than `and`, capitals make no difference, `@name` is a
//! name that counts where nothing is chosen, too. `nocontexts` says that nothing is chosen.

/// True where an expression holds with these names chosen.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn holds(expression: &str, chosen: &[&str]) -> Result<bool, String> {
    let words = words(expression);
    let mut reader = Reader { words: &words, at: 0, chosen };
    let holds = reader.either()?;
    match reader.next() {
        None => Ok(holds),
        Some(word) => Err(format!("'{word}' is not expected there")),
    }
}

/// The names where it is nothing but names joined by `or` or commas.
pub(super) fn names(expression: &str) -> Option<Vec<String>> {
    let words = words(expression);
    let is_name =
        |word: &&str| !is_operator(word) && !word.starts_with('@') && !word.eq_ignore_ascii_case("nocontexts");
    let is_apart = |word: &str| word == "," || word.eq_ignore_ascii_case("or");
    let alternates = words.chunks(2).all(|pair| match pair {
        [name] => is_name(name),
        [name, apart] => is_name(name) && is_apart(apart),
        _ => false,
    });
    let names = words.iter().step_by(2).map(|word| (*word).to_owned());
    (alternates && words.len() % 2 == 1).then(|| names.collect())
}

/// Names and operators.
fn words(expression: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_sign = |letter: char| matches!(letter, '(' | ')' | ',' | '!');
        let length = match is_sign(first) {
            true => first.len_utf8(),
            false => rest.find(|letter: char| letter.is_whitespace() || is_sign(letter)).unwrap_or(rest.len()),
        };
        // `@!name` is as good as `!@name`.
        let length = if rest.starts_with("@!") { 1 } else { length };
        words.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    words.retain(|word| *word != "@");
    // A comma behind the last name says nothing.
    while words.last() == Some(&",") {
        words.pop();
    }
    words
}

fn is_operator(word: &str) -> bool {
    matches!(word, "(" | ")" | "," | "!") || ["and", "or", "not"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

struct Reader<'e> {
    words: &'e [&'e str],
    at: usize,
    chosen: &'e [&'e str],
}

impl<'e> Reader<'e> {
    fn next(&mut self) -> Option<&'e str> {
        let word = self.words.get(self.at).copied();
        self.at += usize::from(word.is_some());
        word
    }

    fn takes(&mut self, words: &[&str]) -> bool {
        let is_next =
            self.words.get(self.at).is_some_and(|next| words.iter().any(|word| next.eq_ignore_ascii_case(word)));
        self.at += usize::from(is_next);
        is_next
    }

    fn either(&mut self) -> Result<bool, String> {
        let mut holds = self.both()?;
        while self.takes(&["or", ","]) {
            holds |= self.both()?;
        }
        Ok(holds)
    }

    fn both(&mut self) -> Result<bool, String> {
        let mut holds = self.one()?;
        while self.takes(&["and"]) {
            holds &= self.one()?;
        }
        Ok(holds)
    }

    fn one(&mut self) -> Result<bool, String> {
        let mut is_denied = false;
        while self.takes(&["!", "not"]) {
            is_denied = !is_denied;
        }
        let holds = match self.next() {
            Some("(") => {
                let holds = self.either()?;
                if !self.takes(&[")"]) {
                    return Err("a parenthesis is not closed".to_owned());
                }
                holds
            }
            Some(word) if is_operator(word) => return Err(format!("'{word}' is not expected there")),
            Some(word) if word.eq_ignore_ascii_case("nocontexts") => self.chosen.is_empty(),
            Some(word) => {
                let name = word.strip_prefix('@').unwrap_or(word);
                self.chosen.iter().any(|chosen| chosen.eq_ignore_ascii_case(name))
            }
            None => return Err("a name is missing at its end".to_owned()),
        };
        Ok(holds != is_denied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_hold_for_what_is_chosen() {
        for (expression, chosen, expected) in [
            ("test", &["test"][..], true),
            ("test", &["prod"], false),
            ("TEST", &["test"], true),
            ("!prod", &["test"], true),
            ("! prod", &["prod"], false),
            ("not prod", &["PROD"], false),
            ("test and !prod", &["test"], true),
            ("test and !prod", &["test", "prod"], false),
            ("test or staging", &["staging"], true),
            ("test, staging", &["staging"], true),
            ("test,staging,", &["staging"], true),
            ("a or b and c", &["a"], true),
            ("a or b and c", &["b"], false),
            ("(a or b) and c", &["a"], false),
            ("(a or b) and c", &["a", "c"], true),
            ("a and (b or (c and not d))", &["a", "c"], true),
            ("!(a or b)", &["c"], true),
            ("!(a or b)", &["b"], false),
            ("(a,b) and c", &["b", "c"], true),
            ("@test", &["test"], true),
            ("@!test", &["test"], false),
            ("nocontexts", &["test"], false),
            ("!nocontexts and test", &["test"], true),
            // Nothing is chosen.
            ("test", &[], false),
            ("!test", &[], true),
            ("nocontexts", &[], true),
        ] {
            assert_eq!(holds(expression, chosen), Ok(expected), "{expression} {chosen:?}");
        }
        for broken in ["", "(a", "a)", "a b", "and a", "a and", "a or or b", "!"] {
            assert!(holds(broken, &["a"]).is_err(), "{broken}");
        }
    }

    #[test]
    fn names_alone_are_a_list() {
        let list = |text: &str| names(text).map(|names| names.join(" "));
        for (expression, expected) in [
            ("test", Some("test")),
            ("test or staging, prod", Some("test staging prod")),
            ("a,b,", Some("a b")),
            ("!a", None),
            ("a and b", None),
            ("(a)", None),
            ("@a", None),
            ("nocontexts", None),
            ("a b", None),
            ("a or", None),
            ("", None),
        ] {
            assert_eq!(list(expression).as_deref(), expected, "{expression}");
        }
    }
}
