//! The real machine: files and programs.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;

use super::*;

const LIMIT: Duration = Duration::from_secs(30);

fn run(program: &str, arguments: &[&str]) -> Result<String, ProgramFailure> {
    let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
    Machine.run(program, &arguments, LIMIT).map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn programs_are_run_without_a_shell() {
    assert_eq!(run("printf", &["%s", "$HOME; echo x"]), Ok("$HOME; echo x".to_owned()));
    assert_eq!(run("sh", &["-c", "echo out; echo err >&2"]), Ok("out\n".to_owned()));
    assert_eq!(run("sh", &["-c", "echo out; exit 3"]), Err(ProgramFailure::Ended(Some(3))));
    assert_eq!(run("sh", &["-c", "kill -9 $$"]), Err(ProgramFailure::Ended(None)));
    assert_eq!(run("cat", &[]), Ok(String::new()), "it gets no input");
    assert_eq!(run("sh", &["-c", "yes | head -c 3000000"]), Err(ProgramFailure::TooMuch));
    assert!(matches!(run("no-such-program-here", &[]), Err(ProgramFailure::NotStarted(_))));
}

#[test]
fn a_program_that_does_not_end_is_stopped() {
    let arguments = ["-c".to_owned(), "exec sleep 600".to_owned()];
    assert_eq!(Machine.run("sh", &arguments, Duration::from_millis(50)), Err(ProgramFailure::TooSlow));
    // One that closed its output and goes on.
    let arguments = ["-c".to_owned(), "exec sleep 600 >/dev/null".to_owned()];
    assert_eq!(Machine.run("sh", &arguments, Duration::from_millis(50)), Err(ProgramFailure::TooSlow));
}

#[test]
fn files_with_their_rights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "value\n").unwrap();
    for (mode, open) in [(0o600, false), (0o640, false), (0o644, true)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(Machine.readable_by_all(&path), open, "{mode:o}");
    }
    assert_eq!(Machine.read(&path).unwrap(), b"value\n");
    assert!(Machine.exists(&path) && !Machine.exists(&folder.path().join("other")));
    assert!(Machine.read(&folder.path().join("other")).is_err());
    assert!(Machine.read(Path::new("/dev/zero")).is_err(), "what has no end is refused");
}

#[test]
fn a_real_folder_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join(".git")).unwrap();
    std::fs::create_dir_all(folder.path().join("src")).unwrap();
    std::fs::write(folder.path().join("limosa.toml"), "[audit]\nhmac_key = \"cmd:printf %s value\"\n").unwrap();
    let current_directory = folder.path().join("src");
    let world = World { current_directory, environment: BTreeMap::new(), outside: &Machine };
    let loaded = load(&world, Layer::flags(|_| Vec::new()), Need::Secrets).unwrap();
    assert_eq!(loaded.settings.hmac_key.unwrap().expose(), "value");
    assert_eq!(loaded.settings.config, Some(folder.path().join("limosa.toml")));
}
