//! Which constants the functions of a program read, in the order in which they do.
//!
//! Constants are strewn over a program like its functions, see [`super::order`](mod@super::order), and have no names by which the linker could be
//! told their order; but each stands in a section of its own, and the object file says where functions refer to it.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result};
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionIndex, SymbolIndex};

/// Sections of constants that are read through the code of these functions, of an object file that the linker is given: each where it is
/// met first, also by way of other constants.
///
/// # Errors
/// It is no object file of ELF's form, for 64 bits.
pub(super) fn of_functions(file: &[u8], functions: &[&str]) -> Result<Vec<String>> {
    let file = ElfFile64::<object::Endianness>::parse(file).context("an object file cannot be read")?;
    let mut homes: HashMap<SymbolIndex, SectionIndex> = HashMap::new();
    let mut code: HashMap<&str, SectionIndex> = HashMap::new();
    for symbol in file.symbols() {
        if let Some(section) = symbol.section_index() {
            homes.insert(symbol.index(), section);
            if let Ok(name) = symbol.name() {
                code.insert(name, section);
            }
        }
    }
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for function in functions.iter().filter_map(|name| code.get(name)) {
        let mut referring = vec![*function];
        while let Some(section) = referring.pop() {
            for (_, relocation) in file.section_by_index(section)?.relocations() {
                let target = match relocation.target() {
                    RelocationTarget::Symbol(symbol) => homes.get(&symbol).copied(),
                    RelocationTarget::Section(section) => Some(section),
                    _ => None,
                };
                let Some(target) = target.filter(|target| seen.insert(*target)) else { continue };
                let name = file.section_by_index(target)?.name().context("a section has no name")?;
                if !name.starts_with(".text") {
                    found.extend(is_read_only(name).then(|| name.to_owned()));
                    referring.push(target);
                }
            }
        }
    }
    Ok(found)
}

/// Those that begin with `.data` are written to when the program is loaded, all of them.
fn is_read_only(name: &str) -> bool {
    name.starts_with(".rodata.")
}

/// A script for the linker that puts these sections before all other constants, for its option `-T`.
///
/// Its form is that of GNU ld's manual, "SECTIONS Command" and "INSERT".
pub(super) fn script(sections: &[String]) -> String {
    let patterns: Vec<String> = sections.iter().map(|name| format!("*({})", pattern(name))).collect();
    format!("SECTIONS {{\n.rodata.used : {{\n{}\n}}\n}} INSERT BEFORE .rodata;\n", patterns.join("\n"))
}

/// A name as a pattern: signs that mean something else there stand for any one.
fn pattern(name: &str) -> String {
    name.chars().map(|sign| if sign.is_ascii_alphanumeric() || "._".contains(sign) { sign } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_script_names_sections_in_their_order() {
        let sections = ["..Lanon.b.2", "._ZN3$LT$a".to_owned().as_str()].map(|name| format!(".rodata{name}"));
        assert_eq!(
            script(&sections),
            "SECTIONS {\n.rodata.used : {\n*(.rodata..Lanon.b.2)\n*(.rodata._ZN3?LT?a)\n}\n} INSERT BEFORE .rodata;\n"
        );
    }

    /// What is read: tables of constants, and what those point to; not what is written to, and not what other functions read.
    #[test]
    fn constants_of_functions_are_found_through_the_code() {
        let folder = limosa_testkit::Folder::new();
        let source = "static const int deep[] = {1, 2, 3};\n\
            static const int flat[] = {7, 8, 9};\n\
            static const int other[] = {4, 5, 6};\n\
            const int *const table[] = {deep, 0};\n\
            int changes[] = {1, 2};\n\
            int used(int at) { return flat[at] + table[at][at] + changes[at]; }\n\
            int unused(int at) { return other[at]; }\n";
        let folder = folder.file("constants.c", source);
        let compiled = Command::new("cc")
            .args([
                "-c",
                "-O0",
                "-fno-pic",
                "-ffunction-sections",
                "-fdata-sections",
                "-o",
                "constants.o",
                "constants.c",
            ])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .status();
        assert!(compiled.unwrap().success());
        let object = std::fs::read(folder.join("constants.o")).unwrap();
        let all = of_functions(&object, &["nobody", "used", "unused"]).unwrap();
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        assert_eq!(all.last().unwrap(), ".rodata.other");
        assert_eq!(sorted(all), [".rodata.deep", ".rodata.flat", ".rodata.other", ".rodata.table"]);
        let used = of_functions(&object, &["used"]).unwrap();
        assert_eq!(sorted(used), [".rodata.deep", ".rodata.flat", ".rodata.table"]);
        assert!(of_functions(b"no object file", &[]).is_err());
    }
}
