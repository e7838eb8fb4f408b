//! `shouldExecute`: an expression of `true`, `false`, `A==B`, `A!=B`, `&&`, `||` and parentheses.
//!
//! Flyway documentation, "Should Execute".

/// The value of an expression whose placeholders are replaced; None where it is none.
pub(crate) fn evaluate(text: &str) -> Option<bool> {
    let tokens = tokens(text);
    let mut reading = Reading { tokens: &tokens, at: 0, depth: 0 };
    let value = reading.any()?;
    (reading.at == tokens.len()).then_some(value)
}

/// Parentheses that stand in each other; nobody writes more.
const DEEPEST: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    And,
    Or,
    Equal,
    Unequal,
    Open,
    Close,
    Text(String),
}

fn tokens(text: &str) -> Vec<Token> {
    let signs = [
        ("&&", Token::And),
        ("||", Token::Or),
        ("==", Token::Equal),
        ("!=", Token::Unequal),
        ("(", Token::Open),
        (")", Token::Close),
    ];
    let mut found = Vec::new();
    let mut word = String::new();
    let mut rest = text;
    let end = |word: &mut String, found: &mut Vec<Token>| {
        let trimmed = word.trim().to_owned();
        if !trimmed.is_empty() {
            found.push(Token::Text(trimmed));
        }
        word.clear();
    };
    while let Some(first) = rest.chars().next() {
        if let Some((sign, token)) = signs.iter().find(|(sign, _)| rest.starts_with(sign)) {
            end(&mut word, &mut found);
            found.push(token.clone());
            rest = &rest[sign.len()..];
        } else {
            word.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    end(&mut word, &mut found);
    found
}

struct Reading<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
}

impl Reading<'_> {
    fn take(&mut self, token: &Token) -> bool {
        let found = self.tokens.get(self.at) == Some(token);
        self.at += usize::from(found);
        found
    }

    fn text(&mut self) -> String {
        match self.tokens.get(self.at) {
            Some(Token::Text(text)) => {
                self.at += 1;
                text.clone()
            }
            // A placeholder whose value is empty.
            _ => String::new(),
        }
    }

    fn any(&mut self) -> Option<bool> {
        let mut value = self.all()?;
        while self.take(&Token::Or) {
            value |= self.all()?;
        }
        Some(value)
    }

    fn all(&mut self) -> Option<bool> {
        let mut value = self.one()?;
        while self.take(&Token::And) {
            value &= self.one()?;
        }
        Some(value)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take(&Token::Open) {
            self.depth += 1;
            let value = if self.depth > DEEPEST { None } else { self.any() }?;
            self.depth -= 1;
            return self.take(&Token::Close).then_some(value);
        }
        let left = self.text();
        if self.take(&Token::Equal) {
            return Some(left == self.text());
        }
        if self.take(&Token::Unequal) {
            return Some(left != self.text());
        }
        match left.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        for (text, expected) in [
            ("true", Some(true)),
            (" FALSE ", Some(false)),
            ("a==a", Some(true)),
            ("a == b", Some(false)),
            ("a!=b && true", Some(true)),
            ("a==b || c==c && false", Some(false)),
            ("(a==b || c==c) && !=x", Some(true)),
            ("==", Some(true)),
            ("a b == a b", Some(true)),
            ("yes", None),
            ("", None),
            ("true true", None),
            ("true &&", None),
            ("(true", None),
            ("true)", None),
        ] {
            assert_eq!(evaluate(text), expected, "{text}");
        }
        assert_eq!(evaluate(&format!("{}true{}", "(".repeat(10_000), ")".repeat(10_000))), None);
    }
}
