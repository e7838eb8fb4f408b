//! `cargo xtask tidy`: the shape of the workspace, checked.

mod arrows;
mod files;
mod links;
mod manifests;

use anyhow::Result;

use crate::cargo::Workspace;

/// Prints what is wrong and returns the exit code.
pub(crate) fn run(workspace: &Workspace) -> Result<u8> {
    let problems = problems(workspace)?;
    for problem in &problems {
        eprintln!("{problem}");
    }
    if problems.is_empty() {
        println!("tidy: arrows, names, sizes, lints and links are as they should be");
    }
    Ok(u8::from(!problems.is_empty()))
}

/// Everything that is wrong, one line each.
fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let mut problems = arrows::problems(&workspace.metadata);
    problems.extend(manifests::problems(workspace)?);
    problems.extend(files::problems(workspace)?);
    problems.extend(links::problems(workspace)?);
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_tidy() {
        let workspace = Workspace::find().unwrap();
        let problems = problems(&workspace).unwrap();
        assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    }
}
