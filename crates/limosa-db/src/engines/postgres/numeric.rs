//! A `numeric` as text. PostgreSQL 18, `numeric_send` and `get_str_from_var` in `src/backend/utils/adt/numeric.c`: four words (how many
//! digits, the weight of the first, the sign, how many decimals are shown), then digits to the base of 10000.

use tokio_postgres::types::{FromSql, Type};

/// As the server writes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Numeric(pub(super) String);

const NEGATIVE: u16 = 0x4000;

impl<'a> FromSql<'a> for Numeric {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        written(raw).map(Numeric).ok_or_else(|| "the server sent a numeric that is too short".into())
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::NUMERIC
    }
}

fn written(raw: &[u8]) -> Option<String> {
    let word = |at: usize| Some(u16::from_be_bytes(raw.get(2 * at..2 * at + 2)?.try_into().ok()?));
    let (count, weight, sign, decimals) =
        (usize::from(word(0)?), word(1)?.cast_signed(), word(2)?, usize::from(word(3)?));
    match sign {
        0xC000 => return Some("NaN".to_owned()),
        0xD000 => return Some("Infinity".to_owned()),
        0xF000 => return Some("-Infinity".to_owned()),
        _ => {}
    }
    let digits = (0..count).map(|at| word(4 + at)).collect::<Option<Vec<u16>>>()?;
    // Those that are not sent are 0.
    let digit = |place: i32| usize::try_from(place).ok().and_then(|at| digits.get(at)).copied().unwrap_or(0);
    let whole: String = (0..=i32::from(weight)).map(|place| format!("{:04}", digit(place))).collect();
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let behind: String =
        (0..decimals.div_ceil(4) as i32).map(|place| format!("{:04}", digit(i32::from(weight) + 1 + place))).collect();
    let behind = behind.get(..decimals)?;
    let minus = if sign == NEGATIVE { "-" } else { "" };
    Some(if behind.is_empty() { format!("{minus}{whole}") } else { format!("{minus}{whole}.{behind}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_decimals() {
        for (words, expected) in [
            (&[0, 0, 0, 0][..], Some("0")),
            (&[0, 0, 0, 2], Some("0.00")),
            (&[1, 0, 0, 1, 15], Some("15.0")),
            (&[2, 0, 0x4000, 2, 1, 5000], Some("-1.50")),
            (&[1, 1, 0, 0, 12], Some("120000")),
            (&[1, 0xFFFF, 0, 3, 50], Some("0.005")),
            (&[1, 0xFFFE, 0, 6, 1200], Some("0.000012")),
            (&[3, 1, 0, 1, 1234, 5678, 9000], Some("12345678.9")),
            (&[0, 0, 0xC000, 0], Some("NaN")),
            (&[2, 0, 0, 0, 1], None),
            (&[1], None),
        ] {
            let raw: Vec<u8> = words.iter().flat_map(|word: &u16| word.to_be_bytes()).collect();
            assert_eq!(written(&raw).as_deref(), expected, "{words:?}");
        }
    }
}
