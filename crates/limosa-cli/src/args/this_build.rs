//! What `--version` says beside the number: of which build this binary is.

/// The engines that this binary speaks.
fn features() -> String {
    let all = [
        ("mysql", cfg!(feature = "mysql")),
        ("postgres", cfg!(feature = "postgres")),
        ("sqlite", cfg!(feature = "sqlite")),
    ];
    let built: Vec<&str> = all.into_iter().filter(|(_, built)| *built).map(|(name, _)| name).collect();
    if built.is_empty() { "none".to_owned() } else { built.join(", ") }
}

/// The long version: number, features, target, profile, and the commit where it is known.
pub(crate) fn version() -> String {
    let mut text = format!(
        "{}\nfeatures: {}\ntarget:   {}\nprofile:  {}",
        env!("CARGO_PKG_VERSION"),
        features(),
        env!("LIMOSA_BUILD_TARGET"),
        env!("LIMOSA_BUILD_PROFILE")
    );
    let commit = env!("LIMOSA_BUILD_COMMIT");
    if !commit.is_empty() {
        text.push_str("\ncommit:   ");
        text.push_str(commit);
    }
    text
}
