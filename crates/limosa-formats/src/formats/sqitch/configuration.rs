//! `sqitch.conf`: sections, keys and values as git writes them (`[core]`, `engine = pg`; `[engine "pg"]`).

use std::collections::BTreeMap;

/// What of it decides where things stand, and what scripts hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Configuration {
    /// `core.engine`.
    pub(super) engine: Option<String>,
    /// The engines that have a section of their own.
    pub(super) engines: Vec<String>,
    /// `core.target`.
    pub(super) target: Option<String>,
    /// Variables of psql's, with the section that gives them (`core`, `engine pg`, `target live`, `deploy`, `revert`, `verify`).
    pub(super) variables: Vec<(String, String, String)>,
    /// `core.plan_file`, its name without folders.
    pub(super) plan: Option<String>,
    /// `core.deploy_dir`, `revert_dir` and `verify_dir`, the last folder of each.
    pub(super) folders: [Option<String>; 3],
    /// `deploy.verify` says that scripts in `verify` are left out.
    pub(super) verifies_not: bool,
    /// `core.extension`.
    pub(super) extension: Option<String>,
    /// `registry` below `[engine "NAME"]`, `[core "NAME"]` as it was before, and `[target "NAME"]`, by the head of the section.
    pub(super) registries: Vec<(String, String)>,
    /// `target` of `core` and of engines, by the head of the section.
    pub(super) targets: Vec<(String, String)>,
}

impl Configuration {
    /// Reads the file. The error: the line that is none.
    pub(super) fn read(text: &str) -> Result<Configuration, u64> {
        let mut configuration = Configuration::default();
        let mut section = String::new();
        for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(head) = line.strip_prefix('[') {
                section = head.split(']').next().unwrap_or(head).trim().to_owned();
                let engine = section.strip_prefix("engine").map(|name| name.trim().trim_matches('"').to_owned());
                configuration.engines.extend(engine.filter(|engine| !engine.is_empty()));
                continue;
            }
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            if let Some(of) = giver_of_variables(&section) {
                let name = key.trim().to_owned();
                configuration.variables.retain(|(giver, known, _)| *giver != of || *known != name);
                configuration.variables.push((of, name, value_of(value)));
                continue;
            }
            if !key.trim().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
                return Err(number);
            }
            if section.eq_ignore_ascii_case("core") {
                configuration.take(&key.trim().to_ascii_lowercase(), value_of(value));
            } else if let Some(head) = head_of(&section) {
                configuration.take_below(head, &key.trim().to_ascii_lowercase(), value_of(value));
            } else if section.eq_ignore_ascii_case("deploy") && key.trim().eq_ignore_ascii_case("verify") {
                let value = value_of(value).to_ascii_lowercase();
                configuration.verifies_not = ["false", "no", "off", "0"].contains(&value.as_str());
            }
        }
        Ok(configuration)
    }

    /// The values that variables have in deploy scripts, and those of `revert` and `verify` that are not the same there. What is nearer to
    /// the command counts: `core`, then the engine, then the target that it deploys to by itself, then `deploy`.
    pub(super) fn variables_for(&self, engine: &str) -> (BTreeMap<String, String>, Vec<String>) {
        let engine_head = format!("engine {engine}");
        let target = self.target_of(&engine_head);
        let mut values = BTreeMap::new();
        for giver in ["core", &engine_head, target.as_deref().unwrap_or_default(), "deploy"] {
            let of = self.variables.iter().filter(|(known, ..)| known == giver);
            values.extend(of.map(|(_, name, value)| (name.clone(), value.clone())));
        }
        let mut other = Vec::new();
        for (_, name, value) in self.variables.iter().filter(|(giver, ..)| giver == "revert" || giver == "verify") {
            match values.get(name) {
                Some(known) if known != value => other.push(name.clone()),
                _ => drop(values.insert(name.clone(), value.clone())),
            }
        }
        other.dedup();
        (values, other)
    }

    /// The head of the section of the target that it deploys to by itself.
    fn target_of(&self, engine_head: &str) -> Option<String> {
        let target = self.targets.iter().find(|(known, _)| known == engine_head).map(|(_, target)| target);
        target.or(self.target.as_ref()).map(|target| format!("target {target}"))
    }

    fn take_below(&mut self, head: String, key: &str, value: String) {
        let kept = match key {
            "registry" => &mut self.registries,
            "target" => &mut self.targets,
            _ => return,
        };
        // The last one counts, as with git.
        kept.retain(|(known, _)| *known != head);
        kept.extend((!value.is_empty()).then_some((head, value)));
    }

    /// The registry of an engine of Sqitch's: that of the target which it deploys to by itself, else that of the engine.
    pub(super) fn registry(&self, engine: &str) -> Option<&str> {
        let of = |head: &str| self.registries.iter().find(|(known, _)| known == head).map(|(_, name)| name.as_str());
        let engine_head = format!("engine {engine}");
        self.target_of(&engine_head)
            .and_then(|target| of(&target))
            .or_else(|| of(&engine_head))
            .or_else(|| of(&format!("core {engine}")))
    }

    fn take(&mut self, key: &str, value: String) {
        let last = |path: &str| path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().map(str::to_owned);
        match key {
            "engine" => self.engine = Some(value),
            "target" => self.target = Some(value).filter(|target| !target.is_empty()),
            "plan_file" => self.plan = last(&value),
            "deploy_dir" => self.folders[0] = last(&value),
            "revert_dir" => self.folders[1] = last(&value),
            "verify_dir" => self.folders[2] = last(&value),
            "extension" => self.extension = Some(value),
            _ => {}
        }
    }
}

/// `engine sqlite` of `engine "sqlite"`; None for a section without a name.
fn head_of(section: &str) -> Option<String> {
    let (kind, name) = section.split_once(char::is_whitespace)?;
    let kind = kind.to_ascii_lowercase();
    ["engine", "target", "core"].contains(&kind.as_str()).then(|| format!("{kind} {}", name.trim().trim_matches('"')))
}

/// Who gives the variables of a section: `deploy` of `[deploy "variables"]` or `[deploy.variables]`, `engine pg` of `[engine "pg.variables"]`;
/// None for a section of other things.
fn giver_of_variables(section: &str) -> Option<String> {
    let (head, name) = section.split_once(char::is_whitespace).unwrap_or((section, ""));
    let name = name.trim().trim_matches('"');
    if name.is_empty() {
        return head.strip_suffix(".variables").map(str::to_ascii_lowercase);
    }
    match name.strip_suffix("variables")? {
        "" => Some(head.to_ascii_lowercase()),
        of => Some(format!("{} {}", head.to_ascii_lowercase(), of.strip_suffix('.')?)),
    }
}

/// A value without its quotes, and without the comment behind it.
fn value_of(written: &str) -> String {
    let written = written.trim();
    match written.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
        Some((quoted, _)) => quoted.to_owned(),
        None => written.split([';', '#']).next().unwrap_or_default().trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_count_are_found() {
        let text = "[core]\n\tengine = pg\n\t# plan_file = no.plan\n\tplan_file = \"db/my.plan\" ; why\n\tdeploy_dir = sql/up/\n\
                    [engine \"pg\"]\n\ttarget = db:pg:x\n[deploy]\n\tverify = true\n[core]\nextension=psql\n";
        let read = Configuration::read(text).unwrap();
        assert_eq!((read.engine.as_deref(), read.plan.as_deref()), (Some("pg"), Some("my.plan")));
        assert_eq!((read.folders[0].as_deref(), read.extension.as_deref()), (Some("up"), Some("psql")));
        assert_eq!(read.engines, ["pg"]);
        let registry =
            |text: &str, engine: &str| Configuration::read(text).unwrap().registry(engine).map(str::to_owned);
        let of_sqlite = registry("[engine \"sqlite\"]\n\tregistry = meta\n", "sqlite");
        assert_eq!(of_sqlite.as_deref(), Some("meta"));
        assert_eq!(registry("[engine \"pg\"]\n\tregistry = meta\n", "sqlite"), None);
        assert_eq!(registry("[core \"mysql\"]\n\tregistry = meta\n", "mysql").as_deref(), Some("meta"));
        let of_target = "[engine \"mysql\"]\ntarget = live\nregistry = no\n[target \"live\"]\nregistry = meta\n";
        assert_eq!(registry(of_target, "mysql").as_deref(), Some("meta"));
        let text = "[core \"variables\"]\na = 1\nb=1\n[engine \"pg.variables\"]\nb = 2\n[deploy.variables]\nc = '3'\n[revert \"variables\"]\nc = 4\nd = 5\n";
        let (values, other) = Configuration::read(text).unwrap().variables_for("pg");
        let values: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!((values.join(" ").as_str(), other), ("a=1 b=2 c='3' d=5", vec!["c".to_owned()]));
        assert!(!read.verifies_not && Configuration::read("[deploy]\nverify = false\n").unwrap().verifies_not);
        assert_eq!(Configuration::read("[core]\n???\n"), Err(2));
    }
}
