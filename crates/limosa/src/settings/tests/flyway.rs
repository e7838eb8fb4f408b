//! `flyway.conf` and `flyway.toml`.

use std::path::PathBuf;
use std::time::Duration;

use limosa_core::OutOfOrder;
use limosa_formats::{Layout, LayoutChoice};

use super::{Case, case};
use limosa_sql::Diagnostic;

fn conf(text: &str) -> Case {
    case().file("/home/me/shop/flyway.conf", text)
}

fn said(problems: &[Diagnostic]) -> String {
    let one = |problem: &Diagnostic| {
        format!("{} {}: {}\n", problem.code, problem.message, problem.help.as_deref().unwrap_or(""))
    };
    problems.iter().map(one).collect()
}

#[test]
fn the_table_of_flyway_stands_in_the_default_schema() {
    for (text, expected) in [
        ("flyway.table=schema_version\n", Some("schema_version")),
        ("flyway.defaultSchema=ops\n", Some("ops.flyway_schema_history")),
        ("flyway.schemas=ops,b\nflyway.table=ran\n", Some("ops.ran")),
        ("flyway.table=\n", None),
        ("flyway.outOfOrder=true\n", None),
    ] {
        assert_eq!(conf(text).loaded().settings.tool_table.as_deref(), expected, "{text}");
    }
    let toml = "[flyway]\ntable = \"ran\"\n[environments.live]\nurl = \"jdbc:sqlite:a.db\"\nschemas = [\"ops\"]\n";
    for (environment, expected) in [("", "ran"), ("live", "ops.ran")] {
        let file = case().file("/home/me/shop/flyway.toml", toml);
        let file = if environment.is_empty() { file } else { file.variable("LIMOSA_ENVIRONMENT", environment) };
        assert_eq!(file.loaded().settings.tool_table.as_deref(), Some(expected), "{environment}");
    }
}

#[test]
fn a_configuration_is_read_as_ours() {
    let loaded = conf(
        "# as Flyway has it\n\
         flyway.url=jdbc:postgresql://db:5433/shop?currentSchema=ignored\n\
         flyway.user=app\nflyway.password=${DB_PASSWORD}\n\
         flyway.schemas=event_store,read_model,command_model\nflyway.defaultSchema=command_model\n\
         flyway.createSchemas=true\n\
         flyway.locations=filesystem:sql/a, classpath:db/migration\n\
         flyway.placeholders.application_user=cqrs_user\nflyway.placeholders.token=${env.TOKEN}\n\
         flyway.outOfOrder=true\nflyway.group=true\nflyway.lockRetryCount=7\nflyway.connectRetries=3\n\
         flyway.installedBy=ci\nflyway.placeholderReplacement=false\nflyway.sqlMigrationSuffixes=.sql,.ddl\n\
         flyway.validateOnMigrate=false\nflyway.cleanDisabled=true\nflyway.table=flyway_schema_history\n\
         flyway.baselineOnMigrate=false\nflyway.cleanOnValidationError=false\n",
    )
    .variable("DB_PASSWORD", "p@ss")
    .variable("TOKEN", "t")
    .loaded();
    let settings = &loaded.settings;
    let address = "postgres://app:p%40ss@db:5433/shop?options=-csearch_path%3D%22command_model%22,%22%24user%22,public";
    assert_eq!(settings.database.as_ref().unwrap().expose(), address);
    assert_eq!(settings.create_schemas, ["event_store", "read_model", "command_model"]);
    assert!(settings.clean_disabled && settings.baseline_on_migrate.is_none());
    assert_eq!(settings.tool_table.as_deref(), Some("command_model.flyway_schema_history"));
    assert_eq!(settings.directories, [PathBuf::from("sql/a"), PathBuf::from("src/main/resources/db/migration")]);
    assert_eq!(settings.placeholders["application_user"].value.expose(), "cqrs_user");
    let token = &settings.placeholders["token"];
    assert_eq!((token.value.expose(), token.secret), ("t", true));
    assert_eq!(settings.out_of_order, OutOfOrder::Allow);
    assert!(settings.single_transaction && !settings.replace_placeholders && !settings.verify_applied);
    assert_eq!(settings.lock_wait, Duration::from_secs(7));
    assert_eq!(settings.wait_for_database, Some(Duration::from_secs(30)));
    assert_eq!(settings.actor.as_deref(), Some("ci"));
    assert!(
        matches!(settings.layout(), LayoutChoice::Given(Layout::Flyway(naming)) if naming.suffixes == [".sql", ".ddl"])
    );
    assert!(loaded.notices.is_empty(), "{:?}", loaded.notices);
    assert_eq!(loaded.provenance.of("dir").unwrap().origin.to_string(), "flyway.conf:8");
}

#[test]
fn what_init_sql_sets_is_given_with_the_login() {
    let url = "flyway.url=jdbc:postgresql://db/x\n";
    let init = "flyway.initSql=SET ROLE owner; SET lock_timeout = '5s'; SET statement_timeout = 0; SET TIME ZONE 'Asia/Tokyo'; SET a.b = '${env:X}'\n";
    // What a variable holds stays as it is, and is no reference.
    let settings = conf(&format!("{url}{init}")).variable("X", "${env:Y}").loaded().settings;
    assert_eq!(settings.role.as_deref(), Some("owner"));
    assert_eq!((settings.lock_timeout, settings.statement_timeout), (Duration::from_secs(5), Duration::ZERO));
    let begins = "postgres://db/x?options=-ctimezone%3DAsia%2FTokyo%20-ca.b%3D%24%7Benv%3AY%7D";
    assert_eq!(settings.database.unwrap().expose(), begins);
    // Whatever gives the address.
    let other =
        conf(&format!("{url}flyway.initSql=SET work_mem = '64 MB'\n")).variable("LIMOSA_DATABASE", "host=/s dbname=y");
    assert_eq!(other.loaded().settings.database.unwrap().expose(), "host=/s dbname=y options='-cwork_mem=64\\\\ MB'");
    let tab = conf(&format!("{url}flyway.initSql=SET a.b = 'x\ty\\z'\n")).loaded().settings.database.unwrap();
    assert_eq!(tab.expose(), "postgres://db/x?options=-ca.b%3Dx%5C%09y%5C%5Cz");
    let two = "flyway.initSql=SET work_mem = '64MB'; SET a.b = 1\n";
    let pairs = conf(two).variable("LIMOSA_DATABASE", "host=/s dbname=y").loaded().settings;
    assert_eq!(pairs.database.unwrap().expose(), "host=/s dbname=y options='-cwork_mem=64MB -ca.b=1'");
    let pairs = conf(two).variable("LIMOSA_DATABASE", "host=/s dbname=y options='-cc.d=1'");
    assert!(said(&pairs.load().unwrap_err()).contains("the address has options of its own"));
    // Flyway puts the default schema ahead of the search path that it finds.
    let path = conf(&format!("{url}flyway.defaultSchema=app\nflyway.initSql=SET search_path TO a, \"B\"\n")).loaded();
    let address = path.settings.database.unwrap();
    assert!(address.expose().ends_with("%20-csearch_path%3D%22app%22,a,%22B%22"), "{}", address.expose());
    for (text, wanted) in [
        (
            format!("{url}flyway.initSql=SET a.b = 1; SELECT f()\n"),
            "LIM-C021 of flyway.initSql this cannot be had here: its statement 2, SELECT ...",
        ),
        (format!("{url}flyway.initSql=SET lock_timeout = soon\n"), "LIM-C004 `lock_timeout`"),
        (
            "flyway.url=jdbc:sqlite:x.db\nflyway.initSql=SET a.b = 1\n".to_owned(),
            "LIM-C021 of flyway.initSql this cannot be had here: its statement 1, SET ...: it may set what holds for the session: PRAGMA foreign_keys",
        ),
    ] {
        let text_of = said(&conf(&text).load().unwrap_err());
        assert!(text_of.contains(wanted), "{text}: {text_of}");
    }
}

#[test]
fn versions_may_begin_with_nothing() {
    for text in ["flyway.sqlMigrationPrefix=\n", "flyway.sqlMigrationPrefix =  \n"] {
        let settings = conf(text).loaded().settings;
        assert!(
            matches!(settings.layout(), LayoutChoice::Given(Layout::Flyway(naming)) if naming.versioned.is_empty())
        );
    }
    let toml = case().toml("format = \"flyway\"\n[flyway]\nsql_migration_prefix = \"\"\n").loaded();
    assert_eq!(toml.settings.flyway.versioned, "");
    let undo = said(&conf("flyway.undoSqlMigrationPrefix=").load().unwrap_err());
    assert!(undo.contains("is empty"), "{undo}");
}

#[test]
fn tables_and_environments() {
    let toml = "id = \"1\"\n[flyway]\nlocations = [\"filesystem:m\"]\nenvironment = \"prod\"\n[flyway.placeholders]\na = \"1\"\n\
        [environments.default]\nurl = \"jdbc:sqlite:d.db\"\n[environments.prod]\nurl = \"jdbc:mysql://db/shop\"\nuser = \"root\"\n\
        [environments.prod.flyway.placeholders]\na = \"2\"\n";
    let with = || case().file("/home/me/shop/flyway.toml", toml);
    let prod = with().loaded();
    assert_eq!(prod.settings.database.unwrap().expose(), "mysql://root@db/shop");
    assert_eq!(prod.settings.placeholders["a"].value.expose(), "2");
    assert_eq!(prod.environments, ["default", "prod"]);
    let other = case().file("/home/me/shop/flyway.toml", &toml.replace("environment = \"prod\"\n", "")).loaded();
    assert_eq!(other.settings.database.unwrap().expose(), "sqlite:d.db");
    assert_eq!(other.settings.placeholders["a"].value.expose(), "1");
    // limosa's own file counts where both stand.
    let both = with().toml("dir = \"own\"\n").loaded();
    assert_eq!(both.settings.directories, [PathBuf::from("own")]);
}

#[test]
fn schemas_that_are_not_to_be_made_are_looked_for_all_the_same() {
    for order in
        ["flyway.schemas=app,x\nflyway.createSchemas=false\n", "flyway.createSchemas=false\nflyway.schemas=app,x\n"]
    {
        let settings = conf(&format!("flyway.url=jdbc:postgresql://db/shop\n{order}")).loaded().settings;
        assert_eq!(
            settings.database.unwrap().expose(),
            "postgres://db/shop?options=-csearch_path%3D%22app%22,%22%24user%22,public"
        );
        assert!(settings.create_schemas.is_empty(), "{order}");
    }
    let settings =
        conf("flyway.target=latest\nflyway.url=jdbc:postgresql://db/shop\nflyway.schemas=app\n").loaded().settings;
    assert_eq!(settings.create_schemas, ["app"]);
}

#[test]
fn the_default_schema_holds_for_an_address_that_is_given_elsewhere() {
    let file = "flyway.url=jdbc:postgresql://db/shop\nflyway.defaultSchema=app\n";
    let without_address = "flyway.schemas=app,x\nflyway.createSchemas=false\n";
    for (given, expected) in [
        ("postgres://here/copy", "postgres://here/copy?options=-csearch_path%3D%22app%22,%22%24user%22,public"),
        (
            "postgres://here/copy?sslmode=require",
            "postgres://here/copy?sslmode=require&options=-csearch_path%3D%22app%22,%22%24user%22,public",
        ),
        (
            "postgres://here/copy?options=-cwork_mem%3D8MB&sslmode=require",
            "postgres://here/copy?options=-cwork_mem%3D8MB%20-csearch_path%3D%22app%22,%22%24user%22,public&sslmode=require",
        ),
        ("host=here dbname=copy", "host=here dbname=copy options='-csearch_path=\"app\",\"$user\",public'"),
        // It says so itself.
        ("postgres://here/copy?options=-csearch_path%3Dmine", "postgres://here/copy?options=-csearch_path%3Dmine"),
        ("mysql://here", "mysql://here/app"),
        ("sqlite:copy.db", "sqlite:copy.db"),
    ] {
        for text in [file, without_address] {
            let loaded = conf(text).variable("LIMOSA_DATABASE", given).loaded();
            assert_eq!(loaded.settings.database.unwrap().expose(), expected);
            assert!(loaded.notices.is_empty(), "{:?}", loaded.notices);
        }
    }
    let past = conf(file)
        .variable("LIMOSA_DATABASE", "postgres://pool/copy")
        .variable("LIMOSA_DIRECT_URL", "postgres://here/copy");
    assert_eq!(
        past.loaded().settings.direct_url.unwrap().expose(),
        "postgres://here/copy?options=-csearch_path%3D%22app%22,%22%24user%22,public"
    );
}

#[test]
fn what_stands_outside_of_environments_holds_in_them() {
    let toml = "[flyway]\ndefaultSchema = \"app\"\nenvironment = \"prod\"\n[environments.default]\nurl = \"jdbc:postgresql://here/shop\"\n\
        password = \"mine\"\n[environments.prod]\nurl = \"jdbc:postgresql://db/shop\"\nuser = \"root\"\n";
    let loaded = case().file("/home/me/shop/flyway.toml", toml).loaded();
    let address = "postgres://root@db/shop?options=-csearch_path%3D%22app%22,%22%24user%22,public";
    assert_eq!(loaded.settings.database.unwrap().expose(), address, "and nothing of another environment");
    assert!(loaded.notices.is_empty(), "{:?}", loaded.notices);
    // One that has no address of its own has that of the file, with its own user.
    let text = "flyway.url=jdbc:postgresql://db/shop\nflyway.environment=prod\nflyway.environments.prod.user=root\n";
    let loaded = conf(text).loaded();
    assert_eq!(loaded.settings.database.unwrap().expose(), "postgres://root@db/shop");
}

#[test]
fn placeholders_may_be_written_otherwise() {
    use limosa_formats::{Layout, LayoutChoice};
    let conf_text = "flyway.placeholderPrefix=#[\nflyway.placeholderSuffix=]\nflyway.placeholderSeparator=.\n\
        flyway.scriptPlaceholderPrefix=Q_\nflyway.scriptPlaceholderSuffix=_Q\n";
    let toml_text = "[flyway]\nplaceholderPrefix = \"#[\"\nplaceholderSuffix = \"]\"\nplaceholderSeparator = \".\"\n\
        scriptPlaceholderPrefix = \"Q_\"\nscriptPlaceholderSuffix = \"_Q\"\n";
    let of_toml = case().file("/home/me/shop/flyway.toml", toml_text);
    let of_variables = case()
        .variable("LIMOSA_FLYWAY_PLACEHOLDER_PREFIX", "#[")
        .variable("LIMOSA_FLYWAY_PLACEHOLDER_SUFFIX", "]")
        .variable("LIMOSA_FLYWAY_PLACEHOLDER_SEPARATOR", ".")
        .variable("LIMOSA_FLYWAY_SCRIPT_PLACEHOLDER_PREFIX", "Q_")
        .variable("LIMOSA_FLYWAY_SCRIPT_PLACEHOLDER_SUFFIX", "_Q");
    for case in [conf(conf_text), of_toml, of_variables] {
        let settings = case.loaded().settings;
        let marks = *settings.flyway.placeholders;
        assert_eq!((marks.written("a"), marks.built_in("user")), ("#[a]".to_owned(), "flyway.user".to_owned()));
        assert_eq!(*settings.flyway.command_marks, ["Q_", "_Q"]);
        assert!(matches!(settings.layout(), LayoutChoice::Given(Layout::Flyway(naming)) if naming == settings.flyway));
    }
}

#[test]
fn what_cannot_be_had_is_named() {
    for (line, wanted) in [
        (
            "flyway.locatons=filesystem:a",
            "LIM-C002 Flyway has no setting flyway.locatons that limosa knows: did you mean flyway.locations?",
        ),
        (
            "flyway.quantum=1",
            "LIM-C002 Flyway has no setting flyway.quantum that limosa knows: docs/coming-from/flyway-settings.md lists what is known",
        ),
        ("flyway.encoding=ISO-8859-1", "LIM-C021 flyway.encoding cannot be had here: limosa reads UTF-8"),
        (
            "flyway.placeholderPrefix=1234567890123456",
            "LIM-C004 of flyway.placeholder_*, the prefix is longer than 15 bytes: write marks such as #[ and ]",
        ),
        ("flyway.callbacks=com.example.Callback", "LIM-C021 flyway.callbacks cannot be had here: limosa runs no Java"),
        (
            "flyway.target=5",
            "LIM-C021 flyway.target cannot be had here: name it in the call: `limosa migrate --to VERSION`",
        ),
        (
            "flyway.dryRunOutput=out.sql",
            "LIM-C021 flyway.dryRunOutput cannot be had here: nothing is run by `limosa plan`",
        ),
        ("flyway.cherryPick=2", "LIM-C021"),
        ("flyway.skipExecutingMigrations=true", "LIM-C021"),
        ("flyway.outOfOrder=perhaps", "LIM-C004 flyway.outOfOrder is neither true nor false"),
        ("flyway.createSchemas=no", "LIM-C004 flyway.createSchemas is neither true nor false"),
        ("flyway.executeInTransaction=false", "V2__b.sql.conf"),
        ("flyway.locations=s3:bucket", "LIM-C021 the location s3:... cannot be read"),
        ("flyway.locations=filesystem:a/*/b", "holds a pattern"),
        ("flyway.url=jdbc:oracle:thin:@x", "limosa does not speak oracle"),
        ("flyway.lockRetryCount=many", "LIM-C004 flyway.lockRetryCount is no number"),
        ("flyway.outputType=json\nflyway.sqlMigrationPrefix=U", "two kinds of migrations have the prefix 'U'"),
    ] {
        let text = said(&conf(line).load().unwrap_err());
        assert!(text.contains(wanted), "{line}: {text}");
        assert!(!line.starts_with("flyway.url") || !text.contains("thin"), "an address may hold a secret: {text}");
    }
    for (line, wanted) in [
        ("flyway.vault.url=x", "give secrets by reference"),
        ("flyway.user=app", "have no effect without flyway.url"),
        (
            "flyway.url=jdbc:postgresql://db/x?gssEncMode=disable",
            "parameters of the driver have no effect here: gssEncMode",
        ),
    ] {
        let loaded = conf(line).loaded();
        let text = said(&loaded.notices);
        assert!(text.contains("LIM-C022") && text.contains(wanted), "{line}: {text}");
    }
}

#[test]
fn an_environment_does_not_hold_in_another_one() {
    let toml = "[flyway]\nlocations = [\"filesystem:m\"]\n\
        [environments.default]\nurl = \"jdbc:postgresql://here/shop\"\nschemas = [\"mine\"]\ndisplayName = \"Mine\"\n\
        [environments.default.flyway]\noutOfOrder = true\n[environments.default.flyway.placeholders]\np = \"default\"\n\
        [environments.prod]\nurl = \"jdbc:postgresql://db/shop\"\nprovisioner = \"none\"\n[environments.bare]\nuser = \"me\"\n";
    let with = |environment: &str| {
        let file = case().file("/home/me/shop/flyway.toml", toml);
        if environment.is_empty() { file } else { file.variable("LIMOSA_ENVIRONMENT", environment) }
    };
    for environment in ["", "default"] {
        let settings = with(environment).loaded().settings;
        assert!(settings.database.unwrap().expose().starts_with("postgres://here/shop?options="));
        assert_eq!((settings.create_schemas, settings.out_of_order), (vec!["mine".to_owned()], OutOfOrder::Allow));
        assert_eq!(settings.placeholders["p"].value.expose(), "default");
    }
    let settings = with("prod").loaded().settings;
    assert_eq!(settings.database.unwrap().expose(), "postgres://db/shop");
    assert!(settings.create_schemas.is_empty() && settings.placeholders.is_empty());
    assert_eq!(settings.out_of_order, OutOfOrder::Refuse);
    assert!(with("bare").loaded().settings.database.is_none(), "and not the address of another environment");
}

#[test]
fn what_flyway_reads_behind_its_file_counts_more() {
    let toml = "[environments.default]\nurl = \"jdbc:sqlite:a.db\"\n[flyway.placeholders]\np = \"file\"\n";
    let user = "[environments.default]\nurl = \"jdbc:sqlite:mine.db\"\n[flyway.placeholders]\nP = \"mine\"\n";
    let with = || case().file("/home/me/shop/flyway.toml", toml).file("/home/me/shop/flyway.user.toml", user);
    let settings = with().loaded().settings;
    assert_eq!(settings.database.unwrap().expose(), "sqlite:mine.db");
    let values: Vec<(&str, &str)> =
        settings.placeholders.iter().map(|(name, one)| (name.as_str(), one.value.expose())).collect();
    assert_eq!(values, [("p", "mine")]);
    let loaded = with()
        .variable("FLYWAY_URL", "jdbc:postgresql://db/shop")
        .variable("FLYWAY_USER", "app")
        .variable("FLYWAY_PASSWORD", "p@ss")
        .variable("FLYWAY_OUT_OF_ORDER", "true")
        .variable("FLYWAY_PLACEHOLDERS_P", "variable")
        .variable("FLYWAY_HOME", "/opt")
        .loaded();
    assert_eq!(loaded.settings.database.unwrap().expose(), "postgres://app:p%40ss@db/shop");
    assert_eq!(loaded.settings.out_of_order, OutOfOrder::Allow);
    assert_eq!(loaded.settings.placeholders["p"].value.expose(), "variable");
    assert_eq!(loaded.provenance.of("database").unwrap().origin.to_string(), "variable FLYWAY_URL");
    // limosa's own address goes before Flyway's.
    let own = with().variable("FLYWAY_URL", "jdbc:sqlite:x.db").variable("LIMOSA_DATABASE", "sqlite:own.db").loaded();
    assert_eq!(own.settings.database.unwrap().expose(), "sqlite:own.db");
}

#[test]
fn variables_are_filled_in_where_flyway_does() {
    let text = "flyway.url=jdbc:postgresql://db/shop\nflyway.schemas=${SCHEMA},${NONE}x\nflyway.locations=filesystem:${FOLDER}/sql\n\
        flyway.placeholders.whole=${SECRET}\nflyway.placeholders.part=x${SECRET}\n";
    let settings =
        conf(text).variable("SCHEMA", "ops").variable("FOLDER", "m").variable("SECRET", "s3").loaded().settings;
    assert_eq!(settings.create_schemas, ["ops", "x"]);
    assert_eq!(settings.directories, [PathBuf::from("m/sql")]);
    for (name, value) in [("whole", "s3"), ("part", "xs3")] {
        let placeholder = &settings.placeholders[name];
        assert_eq!((placeholder.value.expose(), placeholder.secret), (value, true), "{name}");
    }
    let toml = "[flyway.placeholders]\na = \"${env.SECRET}\"\n";
    let settings = case().file("/home/me/shop/flyway.toml", toml).variable("SECRET", "s3").loaded().settings;
    assert_eq!(settings.placeholders["a"].value.expose(), "${env.SECRET}", "as in Flyway");
}

#[test]
fn locations_begin_at_the_current_folder() {
    let file =
        case().file("/home/me/shop/conf/flyway.conf", "flyway.locations=filesystem:sql,filesystem:./sql/sub,sql\n");
    let loaded = file.variable("LIMOSA_CONFIG", "conf/flyway.conf").loaded();
    assert_eq!(loaded.settings.directories, [PathBuf::from("sql"), PathBuf::from("src/main/resources/sql")]);
    assert_eq!(
        said(&loaded.notices),
        "LIM-C022 the location ./sql/sub is left out: sql is read with all folders in it: take it out\n"
    );
}

#[test]
fn a_database_of_mysql_is_the_default_schema() {
    let text = "flyway.url=jdbc:mariadb://db/app1\nflyway.schemas=shop,more\n";
    let settings = conf(text).loaded().settings;
    assert_eq!(settings.database.unwrap().expose(), "mysql://db/shop");
    assert_eq!(settings.create_schemas, ["shop", "more"]);
    let loaded = conf(text).variable("LIMOSA_DATABASE", "mysql://here/copy").loaded();
    assert_eq!(loaded.settings.database.unwrap().expose(), "mysql://here/copy");
    let wanted = "LIM-C022 flyway.defaultSchema or flyway.schemas has no effect: the address names the database copy: \
        where shop is meant, name it in the address\n";
    assert_eq!(said(&loaded.notices), wanted);
}

#[test]
fn what_is_counted_of_a_database_without_a_ledger() {
    for (text, expected) in [
        ("flyway.baselineOnMigrate=true\nflyway.baselineVersion=2.1\n", Some("2.1")),
        ("flyway.baselineVersion=2\nflyway.baselineOnMigrate=true\n", Some("2")),
        ("flyway.baselineOnMigrate=true\n", Some("1")),
        ("flyway.baselineOnMigrate=false\nflyway.baselineVersion=2\n", None),
        ("flyway.baselineVersion=2\n", None),
    ] {
        let loaded = conf(text).loaded();
        assert_eq!(loaded.settings.baseline_on_migrate.as_deref(), expected, "{text}");
        assert!(loaded.notices.is_empty(), "{:?}", loaded.notices);
    }
}

#[test]
fn what_a_variable_holds_is_no_reference() {
    let text = "flyway.url=jdbc:postgresql://db/shop\nflyway.schemas=${BRANCH}\n";
    for (file, variable, value) in [
        (text, "BRANCH", "${env:DB_PASSWORD}"),
        (text, "FLYWAY_SCHEMAS", "${env:DB_PASSWORD}"),
        (text, "FLYWAY_DEFAULT_SCHEMA", "x${env:DB_PASSWORD}"),
        (text, "FLYWAY_URL", "jdbc:postgresql://db/${cmd:id}"),
        (text, "FLYWAY_URL", "cmd:id"),
        ("flyway.url=jdbc:postgresql://db/shop\nflyway.defaultSchema=${BRANCH}\n", "BRANCH", "${file:/etc/passwd}"),
    ] {
        let problems = conf(file).variable("DB_PASSWORD", "hidden").variable(variable, value).load().unwrap_err();
        let text = said(&problems);
        assert!(text.contains("LIM-C004") && text.contains("no reference"), "{variable}={value}: {text}");
        assert!(!text.contains("hidden") && !text.contains("passwd"), "{text}");
    }
}

#[test]
fn a_file_of_ones_own_that_cannot_be_read_is_named() {
    let toml = "[environments.default]\nurl = \"jdbc:sqlite:a.db\"\n";
    let case = || case().file("/home/me/shop/flyway.toml", toml);
    let problems = case().file("/home/me/shop/flyway.user.toml", "[flyway\n").load().unwrap_err();
    assert!(problems[0].labels[0].file.ends_with("flyway.user.toml"), "{problems:?}");
    let problems = case().file("/home/me/shop/flyway.user.toml", "[flyway]\nlocatons = []\n").load().unwrap_err();
    assert!(said(&problems).contains("did you mean flyway.locations?"), "{problems:?}");
    assert!(problems[0].labels[0].file.ends_with("flyway.user.toml"), "{problems:?}");
}

#[test]
fn what_init_sql_sets_elsewhere() {
    let mysql = "flyway.url=jdbc:mariadb://db/x\nflyway.initSql=SET time_zone = '+00:00'; SET lock_wait_timeout = 5\n";
    let settings = conf(mysql).loaded().settings;
    assert_eq!(settings.session_settings, [("time_zone".to_owned(), "'+00:00'".to_owned())]);
    assert_eq!((settings.database.unwrap().expose(), settings.lock_timeout), ("mysql://db/x", Duration::from_secs(5)));
    let other = said(&conf(mysql).variable("LIMOSA_DATABASE", "postgres://db/y").load().unwrap_err());
    assert!(other.contains("LIM-C021 flyway.initSql cannot be had here: it is for MySQL"), "{other}");
    let sqlite = "flyway.url=jdbc:sqlite:x.db\nflyway.initSql=PRAGMA foreign_keys = ON\n";
    assert_eq!(conf(sqlite).loaded().settings.foreign_keys, Some(limosa_sql::ForeignKeys::Enforced));
}

#[test]
fn the_variable_that_names_flyways_files_is_obeyed() {
    let prod = "flyway.url=jdbc:sqlite:prod.db\n";
    let files = || conf("flyway.url=jdbc:sqlite:lm.db\n").file("/home/me/shop/prod.conf", prod);
    let loaded = files().variable("FLYWAY_CONFIG_FILES", "prod.conf").loaded();
    assert_eq!(loaded.settings.database.as_ref().unwrap().expose(), "sqlite:prod.db");
    assert_eq!(said(&loaded.notices), "");
    assert_eq!(loaded.provenance.of("config").unwrap().origin.to_string(), "variable FLYWAY_CONFIG_FILES");
    // Where no file of Flyway's stands in the folder, too, and whatever the file is called.
    let toml =
        "[environments.default]\nurl = \"jdbc:sqlite:toml.db\"\n[flywayDesktop]\ndevelopmentEnvironment = \"x\"\n";
    let alone = case().file("/home/me/shop/conf/prod.toml", toml).variable("FLYWAY_CONFIG_FILES", "conf/prod.toml");
    assert_eq!(alone.loaded().settings.database.unwrap().expose(), "sqlite:toml.db");
    // What names limosa's own file goes before it, and so does a limosa.toml.
    let named = files().variable("FLYWAY_CONFIG_FILES", "prod.conf").variable("LIMOSA_CONFIG", "flyway.conf").loaded();
    assert_eq!(named.settings.database.unwrap().expose(), "sqlite:lm.db");
    let own = case().file("/home/me/shop/limosa.toml", "database = \"sqlite:own.db\"\n");
    let own = own.variable("FLYWAY_CONFIG_FILES", "prod.conf").loaded();
    assert_eq!(own.settings.database.unwrap().expose(), "sqlite:own.db");
    let several = said(&files().variable("FLYWAY_CONFIG_FILES", "flyway.conf,prod.conf").load().unwrap_err());
    assert!(several.contains("LIM-C021 FLYWAY_CONFIG_FILES names several files: flyway.conf,prod.conf"), "{several}");
    let missing = said(&files().variable("FLYWAY_CONFIG_FILES", "nosuch.conf").load().unwrap_err());
    assert!(missing.contains("nosuch.conf cannot be read"), "{missing}");
}

#[test]
fn callbacks_in_places_of_their_own_are_refused() {
    let refused = said(&conf("flyway.callbackLocations=filesystem:cb\n").load().unwrap_err());
    assert!(refused.contains("LIM-C021 flyway.callbackLocations cannot be had here"), "{refused}");
}

#[test]
fn a_file_of_ours_beside_it_counts_in_its_place_and_that_is_said() {
    let both = conf("flyway.locations=filesystem:sql\n").file("/home/me/shop/limosa.toml", "lock_timeout = \"5s\"\n");
    let loaded = both.loaded();
    assert_eq!(loaded.settings.lock_timeout, Duration::from_secs(5));
    let expected = "LIM-C023 flyway.conf is not read: limosa.toml beside it counts in its place: write what should hold of it into \
                    limosa.toml (docs/coming-from/flyway-settings.md), or take limosa.toml away\n";
    assert_eq!(said(&loaded.notices), expected);
    // Whoever names a file knows which one counts.
    let named = conf("").file("/home/me/shop/limosa.toml", "").variable("LIMOSA_CONFIG", "limosa.toml");
    assert_eq!(said(&named.loaded().notices), "");
}
