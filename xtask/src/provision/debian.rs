//! Packages of Debian and its children, installed without starting any service.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{find_program, output_of};

/// Asked by package scripts before they start a service; 101 forbids it (`invoke-rc.d(8)`).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Read when a PostgreSQL server package creates its first cluster (`pg_createcluster(1)`).
const CLUSTER: &str = "/etc/postgresql-common/createcluster.conf";

/// True if this process may install packages.
pub(crate) fn is_root() -> bool {
    output_of(Path::new("id"), &["-u"]).is_some_and(|text| text.trim() == "0")
}

/// Installs packages, or says in half a sentence why not.
pub(crate) fn apt_install(packages: &[&str]) -> Result<(), String> {
    if find_program("apt-get").is_none() {
        return Err("this machine has no apt-get".to_owned());
    }
    if !is_root() {
        return Err("only root may install packages".to_owned());
    }
    eprintln!("installing {} ...", packages.join(" "));
    let _no_services = ServicePolicy::forbid().map_err(|error| format!("{POLICY}: {error}"))?;
    apt(packages)?;
    for package in packages {
        leave_off_at_boot(package);
    }
    Ok(())
}

/// Installs a PostgreSQL server of one major version, without its usual first cluster.
pub(super) fn install_postgres(major: u32) -> Result<(), String> {
    apt_install(&["postgresql-common"])?;
    let old = fs::read_to_string(CLUSTER).map_err(|error| format!("{CLUSTER}: {error}"))?;
    let write = |text: &str| fs::write(CLUSTER, text).map_err(|error| format!("{CLUSTER}: {error}"));
    write(&format!("{old}\ncreate_main_cluster = false\n"))?;
    let server = format!("postgresql-{major}");
    let result = apt_install(&[&server, &format!("postgresql-client-{major}")]);
    write(&old)?;
    result
}

/// Installs MariaDB's programs. The package `mariadb-server` would bring a service, a data folder and a user besides;
/// this one is only the programs.
pub(super) fn install_mariadb() -> Result<(), String> {
    let server = offered(&["mariadb-server-core".to_owned(), "mariadb-server-core-10.6".to_owned()]);
    apt_install(&[&server.ok_or("the package lists offer no mariadb-server-core")?, "mariadb-client"])
}

/// The first of these major versions that the package lists offer.
pub(super) fn offered_postgres(majors: &[u32]) -> Option<u32> {
    let names: Vec<String> = majors.iter().map(|major| format!("postgresql-{major}")).collect();
    let found = offered(&names)?;
    majors.iter().copied().find(|major| found == format!("postgresql-{major}"))
}

/// The first of these packages that the package lists offer.
fn offered(names: &[String]) -> Option<String> {
    let find = || {
        let knows = |name: &&String| {
            output_of(Path::new("apt-cache"), &["show", "--no-all-versions", name])
                .is_some_and(|text| text.contains("Package:"))
        };
        names.iter().find(knows).cloned()
    };
    find_program("apt-cache")?;
    find().or_else(|| {
        // A new machine may have no package lists at all.
        if !is_root() || !run_apt(&["update"]) {
            return None;
        }
        find()
    })
}

fn apt(packages: &[&str]) -> Result<(), String> {
    let install = || {
        let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
        arguments.extend(packages);
        run_apt(&arguments)
    };
    if install() || (run_apt(&["update"]) && install()) {
        return Ok(());
    }
    Err(format!("apt-get install {} failed", packages.join(" ")))
}

/// Its talk is shown only when it fails.
fn run_apt(arguments: &[&str]) -> bool {
    let output = Command::new("apt-get")
        .args(["--quiet=2", "--option=Dpkg::Use-Pty=0"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            eprint!("{}", String::from_utf8_lossy(&output.stderr));
            false
        }
        Err(error) => {
            eprintln!("cannot run apt-get: {error}");
            false
        }
    }
}

/// Where systemd exists, a package that this program brought must not start at the next boot.
fn leave_off_at_boot(package: &str) {
    if package == "pgbouncer" && find_program("systemctl").is_some() {
        let _ =
            Command::new("systemctl").args(["disable", package]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// Forbids package scripts to start services while it lives, unless the machine forbids it already.
struct ServicePolicy {
    written: bool,
}

impl ServicePolicy {
    fn forbid() -> std::io::Result<Self> {
        if Path::new(POLICY).exists() {
            return Ok(Self { written: false });
        }
        fs::write(POLICY, "#!/bin/sh\nexit 101\n")?;
        fs::set_permissions(POLICY, Permissions::from_mode(0o755))?;
        Ok(Self { written: true })
    }
}

impl Drop for ServicePolicy {
    fn drop(&mut self) {
        if self.written {
            let _ = fs::remove_file(POLICY);
        }
    }
}
