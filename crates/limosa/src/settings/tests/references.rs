//! References to secrets.

use super::*;

fn secret(case: &Case) -> Result<String, String> {
    match case.load() {
        Ok(loaded) => Ok(loaded.settings.hmac_key.unwrap().expose().to_owned()),
        Err(problems) => Err(problems.iter().map(told).collect::<Vec<_>>().join("\n")),
    }
}

fn key(reference: &str) -> Case {
    case().toml(&format!("[audit]\nhmac_key = '''{reference}'''\n"))
}

#[test]
fn where_secrets_come_from() {
    let program = |answer| key("cmd:vault read 'a b'").program("vault", answer);
    for (given, expected) in [
        (key("plain"), Ok("plain")),
        (key("text:env:X"), Ok("env:X")),
        (key("env:X").variable("X", "value"), Ok("value")),
        (key("env:X"), Err("the variable X is not set; set X")),
        (key("env:X").variable("X", ""), Err("the variable X is empty")),
        (key("env:X").file("/home/me/shop/.env", "X=from file").flag("env_file", ".env"), Ok("from file")),
        (
            key("env:X").file("/home/me/shop/.env", "X=from file").flag("env_file", ".env").variable("X", "process"),
            Ok("process"),
        ),
        (key("file:/run/key").file("/run/key", "value\n"), Ok("value")),
        (key("file:/run/key").file("/run/key", "two\r\nlines\r\n"), Ok("two\r\nlines")),
        (key("file:/run/key").file("/run/key", "\n"), Err("the file /run/key is empty")),
        (key("file:/run/key"), Err("the file /run/key cannot be read: no such file")),
        (program(Ok("canary\n")), Ok("canary")),
        (program(Ok("")), Err("the program vault wrote nothing")),
        (program(Err(ProgramFailure::Ended(Some(2)))), Err("the program vault ended with code 2; run vault by hand")),
        (program(Err(ProgramFailure::TooSlow)), Err("did not end within 30 seconds")),
        (key("cmd:nothing"), Err("the program nothing could not be started: no such program")),
        (key("cmd: "), Err("the command is empty")),
        (key("cmd:x \"y"), Err("the command has an open quote")),
    ] {
        match (secret(&given), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(found), Err(expected)) => {
                assert!(found.contains(expected), "found {found}\nexpected {expected}");
                assert!(found.contains("limosa.toml:2:12 [hmac_key = ***|3] `audit.hmac_key`: "), "{found}");
            }
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }
    let given = program(Ok("x"));
    secret(&given).unwrap();
    assert_eq!(*given.outside.ran.lock().unwrap(), [["vault", "read", "a b"]]);
}

#[test]
fn a_file_that_all_can_read_is_a_warning() {
    let mut given = key("file:key").file("/home/me/shop/conf/x", "").file("key", "value");
    given.outside.readable_by_all.insert(PathBuf::from("key"));
    let loaded = given.loaded();
    let notices: Vec<_> = loaded.notices.iter().map(told).collect();
    assert_eq!(notices.len(), 1);
    assert!(notices[0].starts_with("LIM-C012 limosa.toml:2:12"), "{notices:?}");
    assert!(notices[0].ends_with("chmod 600 key"), "{notices:?}");
}

#[test]
fn addresses_are_put_together() {
    for (given, expected, from) in [
        (
            case().variable("LIMOSA_DATABASE", "postgres://app:${env:PW}@db/x").variable("PW", "p@s/s w%"),
            "postgres://app:p%40s%2Fs%20w%25@db/x",
            "variable LIMOSA_DATABASE, by env:PW",
        ),
        (
            case()
                .flag("database", "postgres://${env:U}:${cmd:vault read -token=t}@db/x")
                .variable("U", "me")
                .program("vault", Ok("pw\n")),
            "postgres://me:pw@db/x",
            "flag --database, by env:U, cmd:vault ***",
        ),
        (
            case().flag("database", "host=db password=${env:PW}").variable("PW", "a b'c"),
            "host=db password=a\\ b\\'c",
            "flag --database, by env:PW",
        ),
        (
            case().flag("database", "env:WHOLE").variable("WHOLE", " postgres://u:${env:PW}@db/x\n"),
            "postgres://u:${env:PW}@db/x",
            "flag --database, by env:WHOLE",
        ),
        (case().flag("database", "postgres://u:$${x}@db/y"), "postgres://u:$${x}@db/y", "flag --database"),
        // Another tool's variable is no reference of ours.
        (
            case().variable("DATABASE_URL", "postgres://u:${env:PW}@db/y"),
            "postgres://u:${env:PW}@db/y",
            "variable DATABASE_URL",
        ),
    ] {
        let loaded = given.loaded();
        assert_eq!(loaded.settings.database.as_ref().unwrap().expose(), expected);
        let explained = explain(&loaded.settings, &loaded.provenance);
        let line = explained.iter().find(|line| line.key == "database").unwrap();
        assert_eq!(line.origin.as_deref(), Some(from));
        let shown = if expected.starts_with("host") { "host=db password=***" } else { "postgres://" };
        assert!(line.value.as_ref().unwrap().starts_with(shown), "{line:?}");
    }
    let open = case().flag("database", "postgres://u:${env:PW@db/canary").error();
    assert_eq!(
        told(&open),
        "LIM-C010 `database` (flag --database): a reference in the address is not closed; \
         write ${env:NAME} with its closing brace"
    );
}

#[test]
fn placeholders_by_reference_are_secrets_and_stay_it() {
    let toml = "secret_placeholders = \"listed\"\n\
        [placeholders]\nopen = \"1\"\nlisted = \"2\"\nreferred = \"env:X\"\nreplaced = \"cmd:vault -token=t\"\n";
    let given = case()
        .toml(toml)
        .variable("X", "3")
        .program("vault", Ok("4"))
        .flag("placeholders", "replaced=5")
        .flag("placeholders", "text=env:X");
    let loaded = given.loaded();
    let found: Vec<_> = loaded
        .settings
        .placeholders
        .iter()
        .map(|(name, value)| (name.as_str(), value.value.expose(), value.secret, value.reference.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            ("listed", "2", true, None),
            ("open", "1", false, None),
            ("referred", "3", true, Some("env:X")),
            ("replaced", "5", true, None),
            ("text", "env:X", false, None),
        ]
    );
    assert!(given.outside.ran.lock().unwrap().is_empty(), "a value that lost is not fetched");
    let notices: Vec<_> = loaded.notices.iter().map(told).collect();
    assert_eq!(
        notices,
        ["LIM-C018 `placeholders.text` (flag --placeholder) looks like a reference and is taken as text; \
          references are followed in the configuration file only"]
    );
    let explained = explain(&loaded.settings, &loaded.provenance);
    let lines: Vec<_> = explained
        .iter()
        .filter(|line| line.key.starts_with("placeholders.") || line.key == "secret_placeholders")
        .map(|line| {
            format!("{} {} {}", line.key, line.value.as_deref().unwrap_or("-"), line.origin.as_deref().unwrap_or("-"))
        })
        .collect();
    assert_eq!(
        lines,
        [
            "placeholders.listed *** limosa.toml:4",
            "placeholders.open 1 limosa.toml:3",
            "placeholders.referred *** limosa.toml:5, by env:X",
            "placeholders.replaced *** flag --placeholder",
            "placeholders.text env:X flag --placeholder",
            "secret_placeholders listed,referred,replaced limosa.toml:1",
        ]
    );
}

#[test]
fn without_need_nothing_is_fetched() {
    let toml =
        "database = \"cmd:vault db\"\n[audit]\nhmac_key = \"env:NOWHERE\"\n[placeholders]\nx = \"file:/nowhere\"\n";
    let given = case().toml(toml);
    let loaded = given.load_in(HERE, Need::NoSecrets).unwrap();
    assert_eq!((&loaded.settings.database, &loaded.settings.hmac_key), (&None, &None));
    assert!(loaded.settings.placeholders["x"].secret);
    assert!(given.outside.ran.lock().unwrap().is_empty());
    let explained = explain(&loaded.settings, &loaded.provenance);
    let line = explained.iter().find(|line| line.key == "database").unwrap();
    assert_eq!((line.value.as_deref(), line.origin.as_deref()), (Some("***"), Some("limosa.toml:1, by cmd:vault ***")));
}
