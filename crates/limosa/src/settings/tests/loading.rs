//! Which files are read.

use super::*;

fn role(given: &Case, folder: &str) -> Option<String> {
    given.load_in(folder, Need::Secrets).unwrap().settings.role
}

#[test]
fn the_file_is_looked_for_up_to_the_root_of_the_repository() {
    let file = |case: Case, path: &str, role: &str| case.file(path, &format!("role = \"{role}\"\n"));
    let both = file(file(case(), "/home/me/limosa.toml", "outside"), "/home/me/shop/limosa.toml", "root");
    let both = both.file("/home/me/shop/.git/HEAD", "");
    assert_eq!(role(&both, "/home/me/shop/src/deep").as_deref(), Some("root"));
    assert_eq!(role(&both, "/home/me/shop").as_deref(), Some("root"));
    let nearer = file(both, "/home/me/shop/src/limosa.toml", "near");
    assert_eq!(role(&nearer, "/home/me/shop/src/deep").as_deref(), Some("near"));

    let beyond = file(case(), "/home/me/limosa.toml", "outside").file("/home/me/shop/.git", "gitdir: elsewhere");
    assert_eq!(role(&beyond, "/home/me/shop/src"), None);
    let no_repository = file(case(), "/home/me/limosa.toml", "outside");
    assert_eq!(role(&no_repository, "/home/me/shop"), None);
    assert_eq!(role(&no_repository, "/home/me").as_deref(), Some("outside"));
}

#[test]
fn paths_begin_at_the_folder_of_their_file() {
    let toml = "dir = [\"migrations\", \"/all\"]\ndatabase = \"sqlite:shop.db\"\nbackup_dir = \"b\"\nenv_file = \".env\"\n\
        [audit]\nhmac_key = \"file:key\"\n";
    let given = case()
        .toml(toml)
        .file("/home/me/shop/.git/HEAD", "")
        .file("/home/me/shop/.env", "LIMOSA_ROLE=r")
        .file("/home/me/shop/key", "k");
    let loaded = given.load_in("/home/me/shop/src", Need::Secrets).unwrap();
    let settings = &loaded.settings;
    assert_eq!(settings.config, Some(PathBuf::from("/home/me/shop/limosa.toml")));
    assert_eq!(settings.directories, [PathBuf::from("/home/me/shop/migrations"), PathBuf::from("/all")]);
    assert_eq!(settings.database.as_ref().unwrap().expose(), "sqlite:/home/me/shop/shop.db");
    assert_eq!(settings.backup_directory, PathBuf::from("/home/me/shop/b"));
    assert_eq!(settings.hmac_key.as_ref().unwrap().expose(), "k");
    assert_eq!(settings.role.as_deref(), Some("r"));
    assert_eq!(origin(&loaded, "role"), "/home/me/shop/.env:1 LIMOSA_ROLE");

    let given = given.flag("dir", "here").flag("database", "sqlite:here.db");
    let settings = given.load_in("/home/me/shop/src", Need::Secrets).unwrap().settings;
    assert_eq!(settings.directories, [PathBuf::from("here")]);
    assert_eq!(settings.database.unwrap().expose(), "sqlite:here.db");

    let named =
        case().file("/home/me/shop/conf/x.toml", "dir = \"m\"").variable("LIMOSA_CONFIG", "conf/x.toml").loaded();
    assert_eq!(named.settings.directories, [PathBuf::from("conf/m")]);
    assert_eq!(origin(&named, "config"), "variable LIMOSA_CONFIG");
    assert_eq!(origin(&named, "dir"), "conf/x.toml:1");
}

#[test]
fn an_env_file_is_read_only_where_asked() {
    let quiet = case().file("/home/me/shop/.env", "LIMOSA_ROLE=r\nPGUSER=u");
    let loaded = quiet.loaded();
    assert_eq!(loaded.settings.role, None);
    assert!(loaded.variables.is_empty());
    let loaded = quiet.variable("LIMOSA_ENV_FILE", ".env").variable("PGHOST", "h").loaded();
    assert_eq!(loaded.settings.role.as_deref(), Some("r"));
    assert_eq!(loaded.variables["PGUSER"], "u");
    assert_eq!(loaded.variables["PGHOST"], "h");
}

#[test]
fn the_env_file_of_the_environment_is_read() {
    let toml = "env_file = \"top.env\"\nenvironment = \"a\"\n\
        [environments.a]\nenv_file = \"a.env\"\n[environments.b]\n[environments.c]\nenv_file = \"c.env\"\n";
    let given = || {
        ["top", "a", "c"].into_iter().fold(case().toml(toml), |case, name| {
            case.file(&format!("/home/me/shop/{name}.env"), &format!("LIMOSA_ROLE={name}"))
        })
    };
    assert_eq!(role(&given(), HERE).as_deref(), Some("a"));
    assert_eq!(role(&given().flag("environment", "b"), HERE).as_deref(), Some("top"));
    assert_eq!(role(&given().flag("environment", "c"), HERE).as_deref(), Some("c"));

    let named = given().file("/home/me/shop/x.env", "LIMOSA_ENVIRONMENT=c").flag("env_file", "x.env").loaded();
    assert_eq!(named.settings.environment.as_deref(), Some("c"));
    assert_eq!(named.notices.iter().map(|notice| notice.code).collect::<Vec<_>>(), ["LIM-C019"]);
}
