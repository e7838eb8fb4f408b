//! Flyway: CRC-32 over the lines without their ends, as a signed number of 32 bits; a byte-order mark is left out. So neither line
//! endings nor empty lines make a difference (Flyway, `ChecksumCalculator.java`, `BomFilter.java`).
//!
//! A repeatable's is over the text with the values of its placeholders put in; over the text as it is counts as well.

use limosa_core::{Agreement, ForeignRow};

use super::text;
use super::values::{NotPutIn, PutIn};

fn checksum(bytes: &[u8]) -> String {
    let mut hasher = crc32fast::Hasher::new();
    text::unmarked(bytes).split(|byte| matches!(byte, b'\r' | b'\n')).for_each(|line| hasher.update(line));
    hasher.finalize().cast_signed().to_string()
}

/// The text where each byte was a character of ISO 8859-1, which `flyway.encoding` may say.
fn from_latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

pub(super) fn record(bytes: &[u8], _row: &ForeignRow) -> Option<String> {
    Some(checksum(bytes))
}

pub(super) fn agrees(bytes: &[u8], _row: &ForeignRow, recorded: &str) -> Agreement {
    if checksum(bytes) == recorded || checksum(from_latin(bytes).as_bytes()) == recorded {
        return Agreement::Same;
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => Agreement::Different,
        Err(_) => Agreement::Unknowable("its encoding is not UTF-8, so its checksum cannot be told"),
    }
}

pub(super) fn record_with_values(bytes: &[u8], values: &PutIn<'_>) -> Result<String, NotPutIn> {
    let read = std::str::from_utf8(bytes).map_err(|_| NotPutIn::NoText)?;
    Ok(checksum(values.put_in(read)?.as_bytes()))
}

pub(super) fn agrees_with_values(bytes: &[u8], row: &ForeignRow, recorded: &str, values: &PutIn<'_>) -> Agreement {
    let alone = agrees(bytes, row, recorded);
    if alone != Agreement::Different {
        return alone;
    }
    let made = record_with_values(bytes, values);
    let latin = || values.put_in(&from_latin(bytes)).map(|text| checksum(text.as_bytes()));
    match made {
        Ok(made) if made == recorded => Agreement::Same,
        Ok(_) if latin().is_ok_and(|made| made == recorded) => Agreement::Same,
        Ok(_) => Agreement::Different,
        Err(NotPutIn::NoValue(_)) => Agreement::Unknowable(
            "its checksum is of the text with values put in, and a placeholder in it has none here",
        ),
        // Flyway has never taken such a text.
        Err(NotPutIn::Unclosed | NotPutIn::NoText) => Agreement::Different,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_endings_empty_lines_and_a_mark_make_no_difference() {
        // By Python's zlib over the lines without their ends.
        for (text, expected) in [
            (&b"create table a (n int);\n"[..], "1112043886"),
            (b"create table a (n int);", "1112043886"),
            (b"\xEF\xBB\xBFcreate table a\r (n int);\r\n\r\n", "1112043886"),
            (b"a\nb\n", "-1635563411"),
            (b"", "0"),
            ("\u{feff}select '\u{f6}';\r\n".as_bytes(), "675721805"),
            (b"select '\xF6';\n", "675721805"),
        ] {
            assert_eq!(agrees(text, &ForeignRow::default(), expected), Agreement::Same, "{text:?}");
        }
        assert_eq!(agrees(b"a\nc\n", &ForeignRow::default(), "-1635563411"), Agreement::Different);
        assert!(matches!(agrees(b"\xF6", &ForeignRow::default(), "1"), Agreement::Unknowable(_)));
    }

    #[test]
    fn a_repeatables_is_of_the_text_with_values() {
        let given = [("p".to_owned(), "1".to_owned()), ("lines".to_owned(), "a\r\nb".to_owned())].into();
        let values = PutIn::new(limosa_sql::PlaceholderMarks::default(), &given);
        let row = ForeignRow::default();
        // By Flyway 12.4 on SQLite.
        let text = b"create view if not exists v as select '${p}' as x;\n";
        assert_eq!(record_with_values(text, &values).as_deref(), Ok("-655432706"));
        assert_eq!(agrees_with_values(text, &row, "-655432706", &values), Agreement::Same);
        assert_eq!(agrees_with_values(text, &row, "-580937822", &values), Agreement::Same);
        assert_eq!(agrees_with_values(text, &row, "1", &values), Agreement::Different);
        // Ends of lines in values are none of the text either.
        let of = |text: &[u8]| record_with_values(text, &values).expect("a checksum");
        assert_eq!(of(b"\xEF\xBB\xBF-- ${lines}\r\n${P}"), of(b"-- ab1"));
        assert!(matches!(agrees_with_values(b"${q}", &row, "1", &values), Agreement::Unknowable(_)));
        assert_eq!(agrees_with_values(b"${p", &row, "1", &values), Agreement::Different);
        assert_eq!(record_with_values(b"\xF6", &values), Err(NotPutIn::NoText));
    }

    #[test]
    fn flyway_itself_has_recorded_these() {
        // By Flyway 12.4 on SQLite, of files R__0.sql and so on.
        let given = [("p", "1"), ("name", "Me"), ("empty", ""), ("lines", "a\\nb")];
        let built_in =
            [("flyway:user", ""), ("flyway:environment", "default"), ("flyway:table", "flyway_schema_history")];
        let given =
            given.into_iter().chain(built_in).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        for (number, (text, expected)) in [
            ("select '${p}';\n", "-2122587249"),
            ("-- ${P} ${flyway:USER}\nselect 1;\n", "-786338388"),
            ("-- $${p}\nselect 1;\n", "1558098937"),
            ("-- $$${p}\nselect 1;\n", "-261782976"),
            ("-- ${lines} ${empty}|\r\nselect 1;\r\n", "2124686231"),
            ("\u{feff}-- ${flyway:filename} ${flyway:environment} ${flyway:table}\nselect 1;", "552220513"),
            ("-- $\u{e4}${p}\u{e4} ${Name} ${NAME}\nselect 1;\n", "-1895113722"),
        ]
        .into_iter()
        .enumerate()
        {
            let values = PutIn::new(limosa_sql::PlaceholderMarks::default(), &given);
            let values = values.with("flyway:filename", format!("R__{number}.sql"));
            assert_eq!(record_with_values(text.as_bytes(), &values).as_deref(), Ok(expected), "{text}");
        }
    }
}
