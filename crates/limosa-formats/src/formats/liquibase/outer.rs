//! What stands around a script: the changelogs that include it, and what they say where they do.
//!
//! Liquibase 4.33, `DatabaseChangeLog.include`, `ChangeSet.buildFullContext`, `buildFullLabels`.

use super::properties::Seen;

/// A changelog, by what its root says, or an `include` or `includeAll`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Outer {
    /// It is the root of a changelog.
    pub(super) is_root: bool,
    pub(super) contexts: Option<String>,
    pub(super) labels: Option<String>,
    /// What changes below it are known by, instead of the path of their file.
    pub(super) logical_path: Option<String>,
}

impl Outer {
    /// The same with values put in.
    pub(super) fn expanded(&self, seen: &Seen<'_>) -> Outer {
        let expanded = |text: &Option<String>| text.as_deref().map(|text| seen.expanded(text));
        Outer {
            is_root: self.is_root,
            contexts: expanded(&self.contexts),
            labels: expanded(&self.labels),
            logical_path: expanded(&self.logical_path),
        }
    }
}

/// What all around a script, the nearest first, says that its changes are known by. Liquibase 4.31 to 4.33: roots go before includes.
pub(super) fn logical_path(around: &[Outer]) -> Option<&str> {
    let of =
        |is_root: bool| around.iter().filter(move |it| it.is_root == is_root).find_map(|it| it.logical_path.as_deref());
    of(true).or_else(|| of(false))
}

/// The same as Liquibase 5 has it: the include of the script goes first, and those further out do not count.
pub(super) fn logical_path_of_5(around: &[Outer]) -> Option<&str> {
    let of_include = around.first().filter(|it| !it.is_root).and_then(|it| it.logical_path.as_deref());
    of_include.or_else(|| around.iter().filter(|it| it.is_root).find_map(|it| it.logical_path.as_deref()))
}

/// The contexts that must hold around a script, those that stand further out first.
pub(super) fn contexts(around: &[Outer]) -> Option<String> {
    let mut contexts: Vec<&str> = around.iter().rev().filter_map(|it| it.contexts.as_deref()).collect();
    match contexts.len() {
        0 => None,
        1 => contexts.pop().map(str::to_owned),
        _ => Some(contexts.iter().map(|one| format!("({one})")).collect::<Vec<_>>().join(" and ")),
    }
}

/// The contexts of a change as `databasechangelog` has them: those around it, the nearest first, and its own.
pub(super) fn recorded_contexts(around: &[Outer], own: Option<&str>) -> Option<String> {
    let all = around.iter().filter_map(|it| it.contexts.as_deref()).chain(own);
    let written = all.filter(|text| !text.trim().is_empty()).map(|text| match text.contains([',', ' ']) {
        true => format!("({text})"),
        false => text.to_owned(),
    });
    Some(written.collect::<Vec<_>>().join(" AND ")).filter(|text| !text.is_empty())
}

/// The same for labels: small letters, each once for the place where it is written.
pub(super) fn recorded_labels(around: &[Outer], own: Option<&str>) -> Option<String> {
    let all = around.iter().filter_map(|it| it.labels.as_deref()).chain(own);
    let mut written = Vec::new();
    for text in all.map(str::trim).filter(|text| !text.is_empty()) {
        let mut labels: Vec<String> = Vec::new();
        for label in text.trim_end_matches(',').split(',').map(|label| label.trim().to_lowercase()) {
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        written.push(labels.join(","));
    }
    Some(written.join(",")).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(contexts: Option<&str>, logical_path: Option<&str>) -> Outer {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Outer { is_root: true, contexts: owned(contexts), labels: None, logical_path: owned(logical_path) }
    }

    fn include(contexts: &str, labels: &str, logical_path: Option<&str>) -> Outer {
        let owned = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Outer {
            is_root: false,
            contexts: owned(contexts),
            labels: owned(labels),
            logical_path: logical_path.map(str::to_owned),
        }
    }

    /// As Liquibase 4.33.0 has written them.
    #[test]
    fn rows_have_what_liquibase_writes() {
        let a = [include("Test, prod", "Inc, b", None), root(Some("Root or test"), None)];
        let c = [
            include("A or test", "low", None),
            root(Some("MID or test"), None),
            include("test", "", None),
            root(Some("Root or test"), None),
        ];
        for (around, contexts, labels, expected) in [
            (
                &a[..],
                Some("Test  or  X"),
                Some("Zed, alpha,  B"),
                (Some("(Test, prod) AND (Root or test) AND (Test  or  X)"), Some("inc,b,zed,alpha,b")),
            ),
            (&a, None, None, (Some("(Test, prod) AND (Root or test)"), Some("inc,b"))),
            (
                &a,
                Some("test,Prod"),
                Some("b,a,b"),
                (Some("(Test, prod) AND (Root or test) AND (test,Prod)"), Some("inc,b,b,a")),
            ),
            (&a, Some("@test"), Some("a b"), (Some("(Test, prod) AND (Root or test) AND @test"), Some("inc,b,a b"))),
            (
                &a,
                Some("  test  "),
                Some("  a  "),
                (Some("(Test, prod) AND (Root or test) AND (  test  )"), Some("inc,b,a")),
            ),
            (
                &c,
                Some("Z or test"),
                Some("own"),
                (Some("(A or test) AND (MID or test) AND test AND (Root or test) AND (Z or test)"), Some("low,own")),
            ),
            (&[], Some("Test  or  X"), Some("X"), (Some("(Test  or  X)"), Some("x"))),
            (&[], Some("test"), Some(" , x"), (Some("test"), Some(",x"))),
            (&[], None, None, (None, None)),
        ] {
            let found = (recorded_contexts(around, contexts), recorded_labels(around, labels));
            assert_eq!((found.0.as_deref(), found.1.as_deref()), expected);
        }
        assert_eq!(contexts(&c).as_deref(), Some("(Root or test) and (test) and (MID or test) and (A or test)"));
    }

    /// As Liquibase 4.33.0 has written them, and as 5.0.4 reads them.
    #[test]
    fn logical_paths_go_before_each_other() {
        for (around, expected, of_5) in [
            (&[include("", "", Some("i")), root(None, None)][..], Some("i"), Some("i")),
            (&[include("", "", None), root(None, Some("r"))], Some("r"), Some("r")),
            (&[include("", "", Some("i")), root(None, Some("r"))], Some("r"), Some("i")),
            (&[include("", "", None), root(None, None), include("", "", Some("i")), root(None, None)], Some("i"), None),
            (
                &[include("", "", Some("j")), root(None, Some("m")), include("", "", Some("i")), root(None, Some("r"))],
                Some("m"),
                Some("j"),
            ),
            (&[], None, None),
        ] {
            assert_eq!((logical_path(around), logical_path_of_5(around)), (expected, of_5), "{around:?}");
        }
    }
}
