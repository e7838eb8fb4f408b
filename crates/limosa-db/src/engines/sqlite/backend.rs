//! Which process holds a session, and whether it still lives.
//!
//! SQLite has no server that knows its sessions; the process is what lives and dies. Host name, process id and start time
//! name it (the start time guards against a process id used again), and its namespace of process ids tells containers
//! apart that share a host name. Source: proc_pid_stat(5), pid_namespaces(7).

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

const PROC: &str = "/proc";

/// Names this process: `host name:process id:start time:namespace`, the start time in clock ticks since the machine's start.
///
/// None where the system has no `/proc`.
pub fn this_process(environment: &BTreeMap<String, String>) -> Option<String> {
    let proc = Path::new(PROC);
    let host = host_name(proc).or_else(|| environment.get("HOSTNAME").cloned())?;
    let start = start_time(&fs::read_to_string(proc.join("self/stat")).ok()?)?;
    Some(format!("{host}:{}:{start}:{}", std::process::id(), namespace(proc)?))
}

/// Whether the process that [`this_process`] named has ended.
///
/// `Some(true)` where it ran on this machine and is no more, `Some(false)` where it lives, None where this cannot be known
/// from here: another host or container, no `/proc`, or one that hides the processes of others.
pub fn backend_is_gone(backend: &str) -> Option<bool> {
    is_gone(Path::new(PROC), backend)
}

fn is_gone(proc: &Path, backend: &str) -> Option<bool> {
    let mut parts = backend.rsplitn(4, ':');
    let (their_namespace, start, id, host) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (id, start): (u32, u64) = (id.parse().ok()?, start.parse().ok()?);
    if host_name(proc)? != host || namespace(proc)? != their_namespace {
        return None;
    }
    match fs::read_to_string(proc.join(id.to_string()).join("stat")) {
        Ok(stat) => Some(is_dead(&stat)? || start_time(&stat)? != start),
        Err(error) if error.kind() == ErrorKind::NotFound && !hides_processes(proc) => Some(true),
        Err(_) => None,
    }
}

fn host_name(proc: &Path) -> Option<String> {
    let name = fs::read_to_string(proc.join("sys/kernel/hostname")).ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The number of the namespace of process ids: `pid:[4026531836]` gives `4026531836`.
fn namespace(proc: &Path) -> Option<String> {
    let link = fs::read_link(proc.join("self/ns/pid")).ok()?;
    let link = link.to_str()?;
    Some(link.strip_prefix("pid:[")?.strip_suffix(']')?.to_owned())
}

/// Fields behind the command's name, which stands in parentheses and may itself hold blanks and parentheses.
fn fields(stat: &str) -> Option<std::str::SplitWhitespace<'_>> {
    stat.rsplit_once(')').map(|(_, behind)| behind.split_whitespace())
}

/// Field 22 of the whole line, the twentieth behind the name.
fn start_time(stat: &str) -> Option<u64> {
    fields(stat)?.nth(19)?.parse().ok()
}

/// Zombies hold no files any more.
fn is_dead(stat: &str) -> Option<bool> {
    Some(matches!(fields(stat)?.next()?, "Z" | "X" | "x"))
}

/// With the mount option `hidepid` the processes of other users seem not to exist.
fn hides_processes(proc: &Path) -> bool {
    let Ok(mounts) = fs::read_to_string(proc.join("self/mounts")) else { return true };
    mounts
        .lines()
        .filter(|line| line.split(' ').nth(2) == Some("proc"))
        .filter_map(|line| line.split(' ').nth(3))
        .flat_map(|options| options.split(','))
        .filter_map(|option| option.strip_prefix("hidepid="))
        .any(|value| !matches!(value, "0" | "off"))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::process::Command;

    fn of_process(id: u32) -> String {
        let proc = Path::new(PROC);
        let stat = fs::read_to_string(proc.join(id.to_string()).join("stat")).unwrap();
        format!("{}:{id}:{}:{}", host_name(proc).unwrap(), start_time(&stat).unwrap(), namespace(proc).unwrap())
    }

    #[test]
    fn this_process_lives_and_its_double_does_not() {
        let own = this_process(&BTreeMap::new()).unwrap();
        assert_eq!(own, of_process(std::process::id()));
        assert_eq!(backend_is_gone(&own), Some(false));
        let mut parts: Vec<&str> = own.split(':').collect();
        parts[2] = "1";
        assert_eq!(backend_is_gone(&parts.join(":")), Some(true), "the process id was used again");
    }

    #[test]
    fn a_child_lives_then_is_a_zombie_then_is_gone() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let name = of_process(child.id());
        assert_eq!(backend_is_gone(&name), Some(false));
        child.kill().unwrap();
        while backend_is_gone(&name) != Some(true) {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert_eq!(backend_is_gone(&name), Some(true));
    }

    #[test]
    fn what_cannot_be_known() {
        let own = this_process(&BTreeMap::new()).unwrap();
        let parts: Vec<&str> = own.split(':').collect();
        for other in [
            format!("elsewhere:{}:{}:{}", parts[1], parts[2], parts[3]),
            format!("{}:{}:{}:1", parts[0], parts[1], parts[2]),
            format!("{}:{}:{}", parts[0], parts[1], parts[2]),
            "150018:1".to_owned(),
            String::new(),
        ] {
            assert_eq!(backend_is_gone(&other), None, "{other}");
        }
        assert_eq!(is_gone(Path::new("/nonexistent"), &own), None);
    }

    #[test]
    fn a_command_name_may_hold_anything() {
        let stat = "7 (a) b (c) Z 1 7 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 8421 0 0";
        assert_eq!((start_time(stat), is_dead(stat)), (Some(8421), Some(true)));
    }
}
