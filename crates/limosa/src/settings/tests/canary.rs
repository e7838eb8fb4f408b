//! No secret is ever shown, whatever is wrong.

use proptest::prelude::*;

use super::*;

const CANARY: &str = "cAnArY7cAnArY7";

/// Where the secret is shown, for the message of a failure.
fn around(shown: &str) -> String {
    let at = shown.find(CANARY).unwrap_or(0);
    let characters = |range: std::ops::Range<usize>| String::from_utf8_lossy(&shown.as_bytes()[range]).into_owned();
    characters(at.saturating_sub(200)..(at + 60).min(shown.len()))
}

/// Everything that could reach an output.
fn outputs(case: &Case) -> String {
    let mut text = String::new();
    for need in [Need::Secrets, Need::NoSecrets] {
        match case.load_in(HERE, need) {
            Ok(loaded) => {
                let explained = explain(&loaded.settings, &loaded.provenance);
                text += &format!("{loaded:?}{:#?}{explained:?}", loaded.notices);
                text += &serde_json::to_string(&explained).unwrap();
                text += &serde_json::to_string(&loaded.notices).unwrap();
            }
            Err(problems) => {
                text += &format!("{problems:?}");
                text += &serde_json::to_string(&problems).unwrap();
            }
        }
    }
    text + &layers_of(case)
}

fn layers_of(case: &Case) -> String {
    let mut text = format!("{:?}", Layer::process(&case.variables));
    for file in case.outside.files.values() {
        let file = String::from_utf8_lossy(file);
        text +=
            &format!("{:?}{:?}", Layer::of_file("limosa.toml", &file, Path::new("")), Layer::env_file(".env", &file));
    }
    let environment = case.variables.clone();
    text + &format!("{:?}", World { current_directory: PathBuf::new(), environment, outside: &case.outside })
}

fn password() -> impl Strategy<Value = String> {
    ("[a-zA-Z0-9@:/?#%&=. -]{0,4}", "[a-zA-Z0-9@:/?#%&=. -]{0,4}")
        .prop_map(|(before, after)| format!("{before}{CANARY}{after}"))
}

/// A file with the secret at every place where one may stand.
fn file(password: &str) -> String {
    format!(
        "database = \"postgres://app:{password}@db.example/shop\"\n\
         direct_url = \"postgres://app:{password}@direct.example/shop?sslmode=require\"\n\
         secret_placeholders = [\"listed\"]\n\
         lock_timeout = \"3s\"\n\
         env_file = \".env\"\n\
         [audit]\n\
         hmac_key = \"{password}\"\n\
         [placeholders]\n\
         listed = \"{password}\"\n\
         referred = \"env:SECRET\"\n\
         dsn = \"postgres://app:{password}@db.example/shop\"\n\
         [environments.staging]\n\
         database = \"postgres://${{env:SECRET}}@staging.example/shop\"\n\
         [environments.staging.placeholders]\n\
         fetched = \"cmd:vault --token {password}\"\n"
    )
}

fn given(toml: &str, password: &str) -> Case {
    case()
        .toml(toml)
        .file(
            "/home/me/shop/.env",
            &format!("LIMOSA_AUDIT_HMAC_KEY='{password}'\nLIMOSA_DIRECT_URL=postgres://u:{password}@h/d\n"),
        )
        .program("vault", Ok(password))
        .variable("SECRET", password)
        .variable("OTHER_SECRET", password)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn not_when_all_is_well(password in password(), environment in any::<bool>(), rival in any::<bool>()) {
        let mut given = given(&file(&password), &password);
        if environment {
            given = given.flag("environment", "staging");
        }
        if rival {
            given = given.variable("DATABASE_URL", &format!("postgres://app:{password}@other.example/shop"));
        }
        let shown = outputs(&given);
        prop_assert!(!shown.contains(CANARY), "{}", around(&shown));
    }

    /// Letters are changed, removed and added anywhere in the file, but not inside of the secrets.
    #[test]
    fn not_when_the_file_is_damaged(edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, "[=\\[\\]\"'{}#,.\n a-z0-9\\\\]"), 1..4)) {
        // Without the one that is a secret only because a list says so: a damaged list says something else.
        let mut text = file(CANARY).replace(&format!("listed = \"{CANARY}\"\n"), "").replace("\"listed\"", "\"referred\"");
        for (index, action, letter) in edits {
            let places: Vec<usize> = (0..text.len())
                .filter(|at| !text.match_indices(CANARY).any(|(start, _)| (start + 1..start + CANARY.len()).contains(at)))
                .filter(|at| !text[*at..].starts_with(CANARY) || action == 2)
                // Host, user and names are open: what stands there is not a secret. An @ must stay where it is.
                .filter(|at| !text[*at..].starts_with(['@', ':', '/', '$']))
                .collect();
            let at = *index.get(&places);
            match action {
                0 => { text.remove(at); }
                1 => text.replace_range(at..=at, &letter),
                _ => text.insert_str(at, &letter),
            }
        }
        let shown = outputs(&given(&text, CANARY));
        prop_assert!(!shown.contains(CANARY), "{}\n{}", text, around(&shown));
    }
}

#[test]
fn not_in_the_forms_that_people_write_wrongly() {
    for toml in [
        format!("databse = \"postgres://u:{CANARY}@h/d\""),
        format!("database = postgres://u:{CANARY}@h/d"),
        format!("database = \"postgres://u:{CANARY}@h/d"),
        format!("database = '''\npostgres://u:{CANARY}@h/d\n"),
        format!("database = {{ password = \"{CANARY}\" }}"),
        format!("[database]\npassword = \"{CANARY}\""),
        format!("environments = {{ a = {{ databse = \"{CANARY}\", rol = 1 }} }}"),
        format!("dir = [ # {CANARY}\n 1 ]"),
        format!("[audit]\nhmac_key = [\"{CANARY}\"]"),
        format!("[audit]\nkey = \"{CANARY}\""),
        format!("[placeholders]\na = [\"{CANARY}\"]"),
        format!("[placeholders]\n\"x y\" = \"{CANARY}\""),
        format!("database = \"x\"\ndatabase = \"{CANARY}\""),
    ] {
        let shown = outputs(&case().toml(&toml));
        assert!(!shown.contains(CANARY), "{toml}\n{}", around(&shown));
        assert!(shown.contains("LIM-C"), "{toml}");
    }
    for (name, value) in [
        ("LIMOSA_DATABASE", format!("postgres://u:${{env:{CANARY}")),
        ("LIMOSA_DATABASE", format!("postgres://u:{CANARY}")),
        ("LIMOSA_DATABASE", CANARY.to_owned()),
        ("LIMOSA_DATABASE", format!("cmd:vault {CANARY} \"")),
        ("LIMOSA_AUDIT_HMAC_KEY", format!("cmd:nothing {CANARY}")),
        ("LIMOSA_PLACEHOLDER_1", CANARY.to_owned()),
    ] {
        let shown = outputs(&case().variable(name, &value));
        assert!(!shown.contains(CANARY), "{name}={value}\n{}", around(&shown));
    }
}
