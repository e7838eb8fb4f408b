//! What is told about mistakes, and where.

use super::*;

#[test]
fn mistakes_in_the_file_have_their_line_and_column() {
    for (toml, expected) in [
        (
            "databse = \"postgres://u:canary@h/d\"\n",
            "LIM-C002 limosa.toml:1:1 [databse|7] limosa knows no key `databse`; did you mean `database`?",
        ),
        ("url = \"x\"", "LIM-C002 limosa.toml:1:1 [url|3] limosa knows no key `url`; did you mean `database`?"),
        (
            "[environments.dev]\n  locatons = \"x\"",
            "LIM-C002 limosa.toml:2:3 [  locatons|8] limosa knows no key `locatons`; \
             `limosa config explain` lists all keys",
        ),
        (
            "[enviroments.dev]\nrole = \"x\"",
            "LIM-C002 limosa.toml:1:2 [[enviroments|11] limosa knows no key `enviroments`; did you mean [environments]?",
        ),
        (
            "[ledger]\nshema = \"x\"",
            "LIM-C002 limosa.toml:2:1 [shema|5] limosa knows no key `ledger.shema`; did you mean `schema`?",
        ),
        (
            "[ledger]\nproject = \"x\"",
            "LIM-C002 limosa.toml:2:1 [project|7] limosa knows no key `ledger.project`; \
             `project` stands above the first [table] of the file or of the environment",
        ),
        (
            "[audit]\nx = 1",
            "LIM-C002 limosa.toml:2:1 [x|1] limosa knows no key `audit.x`; [audit] has the keys anchor_file, hmac_key",
        ),
        (
            "schema = \"x\"",
            "LIM-C002 limosa.toml:1:1 [schema|6] limosa knows no key `schema`; did you mean `schema` in the table [ledger]?",
        ),
        (
            "yes = true",
            "LIM-C003 limosa.toml:1:1 [yes|3] `yes` cannot stand in the configuration file; give it as --yes or LIMOSA_YES",
        ),
        (
            "[environments.dev]\nenvironment = \"x\"",
            "LIM-C003 limosa.toml:2:1 [environment|11] `environment` cannot stand in an environment; \
             write it at the top of the file",
        ),
        (
            "# é\nlock_timeout = \"5 apples\" # canary",
            "LIM-C004 limosa.toml:2:16 [lock_timeout = \"5 apples\"|10] `lock_timeout` is not a time: \"5 apples\"; \
             write a number with its unit: 500ms, 3s, 2m, 1h, or off",
        ),
        (
            "lock_timeout = 3",
            "LIM-C004 limosa.toml:1:16 [lock_timeout = 3|1] `lock_timeout` is a number without a unit; \
             write \"3s\" or \"3ms\"",
        ),
        (
            "database = [\"canary\"]",
            "LIM-C004 limosa.toml:1:12 [database = ***|3] `database` must be a text, not a list; write database = \"...\"",
        ),
        (
            "pattern = \"{name}.sql\"",
            "LIM-C004 limosa.toml:1:11 [pattern = \"{name}.sql\"|12] `pattern` names no files: it has no {version}, so that \
             nothing tells the order; write it of {version}, {name} and {direction}, such as \
             V{version}.{name}.{direction}.sql or {version}_{name}/{direction}.sql",
        ),
        (
            "format = \"pattern\"",
            "LIM-C004 limosa.toml:1:10 [format = \"pattern\"|9] `format` is pattern, and no pattern is given; say how the files \
             are named: pattern = \"V{version}.{name}.{direction}.sql\"",
        ),
        (
            "single_transaction = \"true\"",
            "LIM-C004 limosa.toml:1:22 [single_transaction = \"true\"|6] `single_transaction` must be true or false, \
             not a text; write single_transaction = true or single_transaction = false, without quotes",
        ),
        (
            "out_of_order = \"alow\"",
            "LIM-C004 limosa.toml:1:16 [out_of_order = \"alow\"|6] `out_of_order` cannot be \"alow\"; \
             it may be refuse, warn, allow; did you mean allow?",
        ),
        (
            "lock_retries = -1",
            "LIM-C004 limosa.toml:1:16 [lock_retries = -1|2] `lock_retries` must be a whole number from 0 to 1000; \
             write a whole number, such as lock_retries = 10",
        ),
        (
            "ledger = \"x\"",
            "LIM-C004 limosa.toml:1:10 [ledger = ***|3] `ledger` must be a table of keys; \
             write [ledger] and below it its keys",
        ),
        (
            "environments = 1",
            "LIM-C004 limosa.toml:1:16 [environments = ***|3] `environments` must be a table of environments; \
             write [environments.NAME] and below it the keys of that environment",
        ),
        (
            "[placeholders]\n\"a b\" = \"canary\"",
            "LIM-C013 limosa.toml:2:1 [\"a b\"|5] a placeholder has a name that is none; \
             a name begins with a letter or _ and has letters, digits, _, . and - behind it",
        ),
        (
            "[placeholders]\na = [\"canary\"]",
            "LIM-C004 limosa.toml:2:5 [a = ***|3] the placeholder `a` must be a text, not a list; write a = \"...\"",
        ),
        (
            "environments = { a = { database = \"postgres://u:canary@h/d\", lease = 5 } }",
            "LIM-C004 limosa.toml:1:70 `lease` is a number without a unit; write \"5s\" or \"5ms\"",
        ),
        ("database == \"canary\"", "LIM-C001 limosa.toml:1:11 [database =|1] the configuration file is not TOML: "),
        ("lock_timeout = 3s", "LIM-C001 limosa.toml:1:16 the configuration file is not TOML: "),
        ("database = \"canary\nrole = \"x\"\n", "LIM-C001 limosa.toml:1:19 the configuration file is not TOML: "),
        (
            "environment = \"prod\"\n[environments.production]",
            "LIM-C008 limosa.toml:1:15 [environment = \"prod\"|6] \
            there is no environment prod; the environments are production",
        ),
    ] {
        let problems = case().toml(toml).load().expect_err(toml);
        let text = told(&problems[0]);
        assert!(text.starts_with(expected), "{toml}\n found    {text}\n expected {expected}");
        assert!(!format!("{problems:?}").contains("canary"), "{problems:?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let toml = "databse = \"x\"\nlock_timeout = 3\n[environments.dev]\nrol = \"x\"\n";
    let problems = case()
        .toml(toml)
        .variable("LIMOSA_LOCK_RETRIES", "many")
        .variable("LIMOSA_DATABASE", "env:NOWHERE")
        .flag("lock_wait", "soon")
        .flag("environment", "prod")
        .load()
        .unwrap_err();
    let mut codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
    codes.sort_unstable();
    let expected = ["LIM-C002", "LIM-C002", "LIM-C004", "LIM-C004", "LIM-C004", "LIM-C008", "LIM-C010"];
    assert_eq!(codes, expected, "{problems:#?}");
}

#[test]
fn mistakes_outside_of_the_file_name_their_place() {
    for (given, expected) in [
        (
            case().variable("LIMOSA_LOCK_TIMEOUT", "5 apples"),
            "LIM-C004 `lock_timeout` is not a time: \"5 apples\" (variable LIMOSA_LOCK_TIMEOUT); write a number",
        ),
        (
            case().flag("lock_retries", "x"),
            "LIM-C004 `lock_retries` must be a whole number from 0 to 1000 (flag --lock-retries)",
        ),
        (case().flag("role", ""), "LIM-C004 `role` is empty (flag --role)"),
        (
            case().flag("role", "a").flag("role", "b"),
            "LIM-C004 `role` is given more than once (flag --role); give it once",
        ),
        (
            case().flag("placeholders", "canary"),
            "LIM-C013 --placeholder is not given as NAME=VALUE; write --placeholder name=value",
        ),
        (case().flag("placeholders", "1a=x"), "LIM-C013 a placeholder has a name that is none (flag --placeholder)"),
        (
            case().flag("environment", "x"),
            "LIM-C008 there is no environment x (flag --environment); there is no limosa.toml here; \
             write one with a section [environments.x]",
        ),
        (
            case().toml("role = \"r\"").variable("LIMOSA_ENVIRONMENT", "x"),
            "LIM-C008 there is no environment x (variable LIMOSA_ENVIRONMENT); the configuration file has no environments",
        ),
        (
            case().toml("[environments.staging]\n[environments.production]").flag("environment", "stagin"),
            "LIM-C008 there is no environment stagin (flag --environment); did you mean staging? \
             The environments are production, staging",
        ),
        (
            case().flag("config", "other.toml"),
            "LIM-C005 the configuration file other.toml cannot be read: no such file; \
             it was named by flag --config; name a file that exists",
        ),
        (
            case().flag("env_file", ".env"),
            "LIM-C006 the env file .env (flag --env-file) cannot be read: no such file; make the file",
        ),
        (
            case().toml("env_file = \".env\""),
            "LIM-C006 limosa.toml:1:12 [env_file = \".env\"|6] the env file .env cannot be read: no such file",
        ),
        (
            case().file("/home/me/shop/.env", "A=1\nLIMOSA_CONFIG=x").flag("env_file", ".env"),
            "LIM-C003 .env:2:1 LIMOSA_CONFIG cannot stand in an env file: it says what to read before",
        ),
        (
            case().file("/home/me/shop/.env", "A=1\ncanary").flag("env_file", ".env"),
            "LIM-C007 .env:2:1 a line of the env file is not NAME=VALUE",
        ),
    ] {
        let text = told(&given.error());
        assert!(text.starts_with(expected), "found    {text}\nexpected {expected}");
        assert!(!text.contains("canary"));
    }
}

#[test]
fn variables_that_look_like_ours_are_a_warning() {
    for (name, help) in [
        ("LIMOSA_DATABSE", Some("did you mean LIMOSA_DATABASE?")),
        ("LIMOSA_ENVIROMENT", Some("did you mean LIMOSA_ENVIRONMENT?")),
        ("LIMOSA_PROTECTED", Some("`protected` can stand in the configuration file only")),
        ("LIMOSA_PLACEHOLDERS_OWNER", Some("write LIMOSA_PLACEHOLDER_OWNER")),
        ("LIMOSA_PORT", None),
        ("LIMOSA_SERVICE_HOST", None),
        ("LIMOSA_TEST_SERVERS", None),
        ("OTHER_DATABSE", None),
    ] {
        let loaded = case().variable(name, "canary").loaded();
        let told: Vec<_> = loaded.notices.iter().map(|notice| (notice.code, notice.help.as_deref())).collect();
        assert_eq!(told, help.map(|help| ("LIM-C014", Some(help))).into_iter().collect::<Vec<_>>(), "{name}");
        assert!(!format!("{:?}", loaded.notices).contains("canary"));
    }
}

#[test]
fn secret_placeholders_must_name_something() {
    let toml = "secret_placeholders = [\"pasword\", \"other\"]\n[placeholders]\npassword = \"canary\"\n\
        [environments.x.placeholders]\nother = \"1\"\n";
    assert_eq!(
        told(&case().toml(toml).error()),
        "LIM-C017 limosa.toml:1:23 [secret_placeholders = [\"pasword\", \"other\"]|20] `secret_placeholders` names \
         pasword, which nobody gives; did you mean password? Its value would not be a secret"
    );
    let loaded = case().toml("secret_placeholders = \"elsewhere\"").loaded();
    assert_eq!(loaded.notices.iter().map(|notice| notice.code).collect::<Vec<_>>(), ["LIM-C017"]);
}
