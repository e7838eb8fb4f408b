//! Values of headers and configuration keys: what users write, what it means.

use limosa_core::TransactionWish;

/// Milliseconds of a duration: `500ms`, `3s`, `2min`, `1h`; `0` and `off` are 0.
pub(crate) fn duration(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    if text == "0" || text == "off" {
        return Some(0);
    }
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim_start() {
        "ms" => 1,
        "s" => 1000,
        "min" | "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    // Servers keep time-outs in 32 bits.
    number.checked_mul(unit).filter(|&milliseconds| milliseconds <= i32::MAX as u64)
}

/// `auto`, `always` or `none`.
pub(crate) fn transaction(text: &str) -> Option<TransactionWish> {
    match text.to_ascii_lowercase().as_str() {
        "auto" => Some(TransactionWish::Auto),
        "always" => Some(TransactionWish::Always),
        "none" => Some(TransactionWish::None),
        _ => None,
    }
}

/// True for a name without blanks: of an environment, a tag, an extension.
pub(crate) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_alphanumeric() || "-_./:".contains(character))
}

/// The known word that `word` is probably meant to be.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    // A slip of the finger in a long word, a single one in a short word.
    let limit = if word.chars().count() < 6 { 1 } else { 2 };
    known
        .map(|candidate| (strsim::osa_distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|&(distance, _)| distance <= limit)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        for (text, expected) in [
            ("3s", Some(3000)),
            ("500ms", Some(500)),
            ("500 ms", Some(500)),
            ("2min", Some(120_000)),
            ("1h", Some(3_600_000)),
            ("0", Some(0)),
            ("OFF", Some(0)),
            ("0s", Some(0)),
            ("5", None),
            ("", None),
            ("s", None),
            ("-1s", None),
            ("1.5s", None),
            ("3m", Some(180_000)),
            ("99999999999999999999s", None),
            ("600h", None),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
    }

    #[test]
    fn slips_of_the_finger_are_recognised() {
        let known = ["Lock-timeout", "Tags", "Phase"];
        for (word, expected) in [
            ("lock-timout", Some("Lock-timeout")),
            ("Lokc-timeout", Some("Lock-timeout")),
            ("tag", Some("Tags")),
            ("note", None),
            ("usage", None),
            ("warning", None),
        ] {
            assert_eq!(nearest(word, known.into_iter()), expected, "{word}");
        }
    }
}
