//! The runner, with a shell in the place of the binary.

use limosa_testkit::{Folder, Limosa, eventually};

fn shell(script: &str) -> Limosa {
    Limosa::new("/bin/sh").args(["-c", script])
}

#[test]
fn code_and_both_streams_are_kept_apart() {
    let output = shell("cat; echo oops >&2; exit 3").stdin("hello").run().unwrap().assert_code(3);
    assert_eq!(output.to_string(), "exit code 3\n----- stdout -----\nhello[no newline]\n----- stderr -----\noops\n");
}

#[test]
#[should_panic(expected = "oops")]
fn another_exit_code_fails_with_all_that_was_written() {
    let _ = shell("echo oops >&2; exit 3").run().unwrap().assert_code(0);
}

#[test]
fn the_environment_holds_nothing_of_the_caller() {
    let output = shell("env").env("LIMOSA_YES", "1").run().unwrap().assert_code(0);
    let mut names: Vec<&str> =
        output.stdout.lines().filter_map(|line| line.split_once('=')).map(|pair| pair.0).collect();
    // The shell adds these itself.
    names.retain(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name));
    names.sort_unstable();
    let expected = ["HOME", "LC_ALL", "LIMOSA_YES", "NO_COLOR", "PATH", "RUST_BACKTRACE", "TZ"];
    assert_eq!(names, expected);
}

#[test]
fn much_output_does_not_stop_it_and_the_folder_is_its_own() {
    let folder = Folder::new().file("big", "x".repeat(1_000_000));
    let output = shell("cat big; cat big >&2").in_folder(folder.path()).run().unwrap();
    assert_eq!((output.stdout.len(), output.stderr.len()), (1_000_000, 1_000_000));
}

#[test]
fn signals_arrive() {
    let running = shell("echo ready; exec sleep 600").spawn().unwrap();
    running.wait_for_text("ready");
    running.kill_hard().unwrap();
    let output = running.wait().unwrap();
    assert_eq!((output.code, output.signal), (None, Some(9)));

    // A shell never traps a signal that was ignored when it began, as SIGINT is for the jobs in the background of a script.
    let script = "trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.01; done";
    let running = Limosa::new("env").args(["--default-signal=INT", "/bin/sh", "-c", script]).spawn().unwrap();
    running.wait_for_text("ready");
    running.interrupt().unwrap();
    assert_eq!(running.wait().unwrap().assert_code(5).stdout, "ready\ninterrupted\n");
}

#[test]
fn a_stopped_command_stands_still_until_it_may_go_on() {
    let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done";
    let mut running = shell(script).spawn().unwrap();
    running.wait_for_text("ready");
    running.stop().unwrap();
    let state = format!("/proc/{}/stat", running.pid());
    if std::path::Path::new(&state).exists() {
        eventually("the process is stopped", || std::fs::read_to_string(&state).unwrap().contains(") T "));
    }
    running.terminate().unwrap();
    assert!(running.is_running().unwrap());
    running.cont().unwrap();
    let _ = running.wait().unwrap().assert_code(7);
}

#[test]
fn dropping_a_running_command_kills_it() {
    let running = shell("sleep 600").spawn().unwrap();
    let pid = running.pid();
    drop(running);
    let alive = shell(&format!("kill -0 {pid}")).run().unwrap();
    assert_ne!(alive.code, Some(0));
}
