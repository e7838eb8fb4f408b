//! `drizzle.config.ts` and its like: `migrations: { table, schema }`, where these are words between quotes. The file is a program, and
//! is not run: what it computes is told, not guessed.

use super::Parts;

/// The names that drizzle-kit looks for, in its order.
pub(super) const FILES: &[&str] = &[
    "drizzle.config.ts",
    "drizzle.config.js",
    "drizzle.config.json",
    "drizzle.config.mjs",
    "drizzle.config.mts",
    "drizzle.config.cjs",
    "drizzle.config.cts",
];

/// A word, a text between quotes, or a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

/// The schema and the table.
///
/// # Errors
/// Where one of them is computed.
pub(super) fn parts(text: &str) -> Result<Parts, String> {
    let tokens = tokens(text);
    let is_key = |at: usize, name: &str| {
        matches!(&tokens[at], Token::Word(word) | Token::Text(word) if word == name)
            && tokens.get(at + 1) == Some(&Token::Sign(':'))
    };
    let Some(start) = (0..tokens.len()).find(|at| is_key(*at, "migrations")) else { return Ok((None, None)) };
    if tokens.get(start + 2) != Some(&Token::Sign('{')) {
        return Err("`migrations` is computed".to_owned());
    }
    let end = closing(&tokens, start + 2);
    let value = |name: &str| match (start + 3..end).find(|at| is_key(*at, name)) {
        None => Ok(None),
        Some(at) => match (&tokens.get(at + 2), tokens.get(at + 3)) {
            (Some(Token::Text(text)), Some(Token::Sign(',' | '}')) | None) if !text.contains("${") => {
                Ok(Some(text.clone()).filter(|text| !text.is_empty()))
            }
            _ => Err(format!("`migrations.{name}` is computed")),
        },
    };
    Ok((value("schema")?, value("table")?))
}

/// The place of the brace that closes the one at `open`; the end where there is none.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') if depth == 1 => return at,
            Token::Sign('}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    tokens.len()
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '/' if rest.peek() == Some(&'/') => while rest.next_if(|next| *next != '\n').is_some() {},
            '/' if rest.peek() == Some(&'*') => {
                rest.next();
                let mut before = ' ';
                for next in rest.by_ref() {
                    if before == '*' && next == '/' {
                        break;
                    }
                    before = next;
                }
            }
            '"' | '\'' | '`' => {
                let mut inside = String::new();
                while let Some(next) = rest.next().filter(|next| *next != letter) {
                    inside.extend(if next == '\\' { rest.next() } else { Some(next) });
                }
                found.push(Token::Text(inside));
            }
            _ if letter.is_alphanumeric() || matches!(letter, '_' | '$') => {
                let mut word = letter.to_string();
                while let Some(next) = rest.next_if(|next| next.is_alphanumeric() || matches!(next, '_' | '$')) {
                    word.push(next);
                }
                found.push(Token::Word(word));
            }
            _ if letter.is_whitespace() => {}
            _ => found.push(Token::Sign(letter)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_out_is_read() {
        let told = |text: &str| {
            parts(text).map(|(schema, table)| format!("{}.{}", schema.unwrap_or_default(), table.unwrap_or_default()))
        };
        for (text, expected) in [
            (r#"defineConfig({ migrations: { table: "a", schema: 'ops' }, })"#, "ops.a"),
            ("{\"migrations\": {\"table\": \"a\"}}", ".a"),
            (
                "{ // migrations: { table: 'no' }\n /* migrations: {table: 'no'} */ migrations: {\n schema: `ops`,\n} }",
                "ops.",
            ),
            ("{ out: './drizzle', schema: './src/schema.ts', dbCredentials: { url: 'postgres://x' } }", "."),
            ("{ migrations: { prefix: 'timestamp' }, schema: './x.ts', table: 'no' }", "."),
        ] {
            assert_eq!(told(text).as_deref(), Ok(expected), "{text}");
        }
        for (text, expected) in [
            ("{ migrations: { table: process.env.TABLE } }", "`migrations.table` is computed"),
            ("{ migrations: { table: 'a' + b } }", "`migrations.table` is computed"),
            ("{ migrations: { table: `a_${b}` } }", "`migrations.table` is computed"),
            ("{ migrations: shared }", "`migrations` is computed"),
        ] {
            assert_eq!(told(text), Err(expected.to_owned()), "{text}");
        }
    }
}
