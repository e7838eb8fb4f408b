//! Which build a binary is.

use limosa_testkit::{Folder, Limosa};

fn says(words: &[&str]) -> String {
    let folder = Folder::new();
    Limosa::new(super::LIMOSA).in_folder(folder.path()).args(words).run().unwrap().assert_code(0).stdout
}

#[test]
fn the_short_version_is_a_number_and_the_long_one_says_which_build_it_is() {
    let number = concat!("limosa ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(says(&["-V"]), number);
    let long = says(&["--version"]);
    let (first, facts) = long.split_once('\n').unwrap();
    assert_eq!(format!("{first}\n"), number);
    let names: Vec<&str> = facts.lines().filter_map(|line| Some(line.split_once(':')?.0)).collect();
    assert!(names.starts_with(&["features", "target", "profile"]), "{long}");
    assert!(names.len() == 3 || names[3..] == ["commit"], "{long}");
    assert!(facts.lines().all(|line| !line.ends_with(':') && !line.ends_with(' ')), "{long}");
    for (engine, built) in [
        ("mysql", cfg!(feature = "mysql")),
        ("postgres", cfg!(feature = "postgres")),
        ("sqlite", cfg!(feature = "sqlite")),
    ] {
        assert_eq!(facts.lines().next().unwrap().contains(engine), built, "{long}");
    }
}

#[test]
fn pages_of_the_manual_are_the_same_for_all_builds() {
    assert!(!says(&["man"]).contains("profile:"));
}
