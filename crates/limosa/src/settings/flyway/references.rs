//! Variables of the process within Flyway's settings.

use std::collections::BTreeMap;

/// Variables of the process as Flyway writes them, `${NAME}` and `${env.NAME}`, in our form.
pub(super) fn references(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        let Some((name, after)) = behind.split_once('}') else { break };
        out.push_str(before);
        let name = name.strip_prefix("env.").unwrap_or(name);
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        out.push_str(&if is_name { format!("${{env:{name}}}") } else { format!("${{{name}}}") });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A text with the values of the variables that `${NAME}` names in it; nothing for one that is not there, as in Flyway (`ConfigUtils`).
pub(super) fn expanded(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = references(text);
    while let Some((before, behind)) = rest.split_once("${env:") {
        let Some((name, after)) = behind.split_once('}') else { break };
        out.push_str(before);
        out.push_str(variables.get(name).map_or("", String::as_str));
        rest = after.to_owned();
    }
    out.push_str(&rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in() {
        let variables = [("A", "1"), ("B_C", "x")].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        for (text, expected) in [
            ("a${A}b${B_C}", "a1bx"),
            ("${A}${A}", "11"),
            ("${env.A}", "1"),
            ("${MISSING}!", "!"),
            ("${a b}", "${a b}"),
            ("$A {A} ${A", "$A {A} ${A"),
            ("", ""),
        ] {
            assert_eq!(expanded(text, &variables), expected, "{text}");
        }
    }
}
