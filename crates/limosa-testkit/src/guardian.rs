//! The folder that holds every server of this test process, and the process that cleans it up.
//!
//! Rust runs no destructor of a static, and none at all after `kill -9`. So a shell waits on a pipe
//! whose other end only this process holds: when this process ends, in whatever way, the shell reads
//! end-of-file, stops what has left a pid file in the folder, and removes the folder.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, anyhow, bail};

/// User and group that servers run as when the tests run as root: `nobody` on every Linux.
const NOBODY: u32 = 65534;

/// Waits for end-of-file, then stops the servers and removes the folder `$1`.
///
/// SIGQUIT is PostgreSQL's immediate shutdown; PgBouncer and MariaDB have nothing to lose. A data folder may be a disk
/// of its own. Signals of a terminal
/// are ignored, because a Ctrl-C that ends the test process must leave the guardian to its work.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
pids=
for file in "$1"/*/pgbouncer.pid "$1"/*/server.pid; do
  [ -f "$file" ] && read -r pid <"$file" && kill -KILL "$pid" 2>/dev/null
done
for file in "$1"/*/data/postmaster.pid; do
  [ -f "$file" ] || continue
  read -r pid <"$file" || [ -n "$pid" ] || continue
  kill -QUIT "$pid" 2>/dev/null && pids="$pids $pid"
done
for pid in $pids; do
  tries=0
  while kill -0 "$pid" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -gt 200 ] && kill -KILL "$pid" 2>/dev/null
    [ "$tries" -gt 220 ] && break
    sleep 0.05
  done
done
for folder in "$1"/my*/data; do
  umount -l "$folder" 2>/dev/null
done
rm -rf "$1"
"#;

/// The file in a server's folder that names its process, for servers without such a file of their own.
pub(crate) const PID_FILE: &str = "server.pid";

struct Root {
    path: PathBuf,
    /// True where this process is root and servers must run as somebody else.
    drop_root: bool,
    /// Open as long as this process lives; the guardian waits for its end.
    _lifeline: ChildStdin,
}

static ROOT: Mutex<Option<Root>> = Mutex::new(None);
static NEXT: AtomicU32 = AtomicU32::new(1);

/// A new empty folder for one server, owned by the user that the server will run as.
pub(crate) fn server_folder(kind: &str) -> Result<PathBuf> {
    with_root(|root| {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = root.path.join(format!("{kind}{number}"));
        fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        give(root, &path)?;
        Ok(path)
    })
}

/// True where the tests run as root and the servers as [`NOBODY`].
pub(crate) fn drops_root() -> Result<bool> {
    with_root(|root| Ok(root.drop_root))
}

/// True if a folder exists and belongs to the user who runs the tests.
pub(crate) fn is_ours(folder: &Path) -> bool {
    let own = with_root(|root| Ok(fs::metadata(&root.path)?.uid()));
    fs::metadata(folder).is_ok_and(|facts| own.is_ok_and(|own| own == facts.uid()))
}

/// Makes the user that servers run as the owner of one file or folder.
pub(crate) fn give_to_server(path: &Path) -> Result<()> {
    with_root(|root| give(root, path))
}

/// A command that runs as the servers' user, with nothing of the caller's environment that
/// PostgreSQL would read, outside the terminal's process group.
pub(crate) fn server_command(program: &Path) -> Result<Command> {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .env("HOME", "/")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    if drops_root()? {
        command.uid(NOBODY).gid(NOBODY);
    }
    Ok(command)
}

/// Appends a server's output to a log file that error messages quote.
pub(crate) fn log_to(command: &mut Command, log: &Path) -> Result<()> {
    let file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot open {}", log.display()))?;
    give_to_server(log)?;
    command.stdout(file.try_clone()?).stderr(file);
    Ok(())
}

fn give(root: &Root, path: &Path) -> Result<()> {
    if root.drop_root {
        chown(path, Some(NOBODY), Some(NOBODY))
            .with_context(|| format!("cannot give {} to user {NOBODY}", path.display()))?;
    }
    Ok(())
}

fn with_root<T>(action: impl FnOnce(&Root) -> Result<T>) -> Result<T> {
    let mut slot = ROOT.lock().map_err(|_| anyhow!("the guardian failed to start earlier"))?;
    let root = match slot.take() {
        Some(root) => root,
        None => start()?,
    };
    let answer = action(&root);
    *slot = Some(root);
    answer
}

fn start() -> Result<Root> {
    let path = create_root_folder()?;
    let drop_root = fs::metadata(&path)?.uid() == 0;
    let mut guardian = Command::new("sh")
        .args(["-c", SCRIPT, "limosa-test-guardian"])
        .arg(&path)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("cannot start the shell that stops test servers when the tests end")?;
    let Some(lifeline) = guardian.stdin.take() else {
        bail!("the shell that guards the test servers has no standard input");
    };
    Ok(Root { path, drop_root, _lifeline: lifeline })
}

/// Creates the folder where user 65534 can reach it and a socket path stays below 108 bytes.
fn create_root_folder() -> Result<PathBuf> {
    let mut tried = Vec::new();
    for parent in [std::env::temp_dir(), PathBuf::from("/tmp"), PathBuf::from("/var/tmp")] {
        if parent.as_os_str().len() > 60 || !reachable_by_all(&parent) {
            tried.push(format!("{} is too long or closed to other users", parent.display()));
            continue;
        }
        match new_folder(&parent) {
            Ok(path) => return Ok(path),
            Err(error) => tried.push(format!("{}: {error}", parent.display())),
        }
    }
    bail!("no place for test servers: {}", tried.join("; "))
}

fn new_folder(parent: &Path) -> io::Result<PathBuf> {
    let path = tempfile::Builder::new().prefix("limosa-").rand_bytes(8).tempdir_in(parent)?.keep();
    fs::set_permissions(&path, Permissions::from_mode(0o755))?;
    Ok(path)
}

/// True if any user may walk through every folder of this path.
pub(crate) fn reachable_by_all(path: &Path) -> bool {
    path.ancestors()
        .filter(|folder| !folder.as_os_str().is_empty())
        .all(|folder| fs::metadata(folder).is_ok_and(|facts| facts.mode() & 0o001 != 0))
}
