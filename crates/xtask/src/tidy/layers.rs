//! The import law: crates import strictly lower layers, and some libraries only in one room.
use cargo_metadata::{DependencyKind, MetadataCommand};

use super::Finding;
use super::tree::File;
use crate::context::Context;
use crate::error::Error;

/// A crate of the workspace and what it depends on.
pub(super) struct Package {
    pub(super) name: String,
    /// Relative to the root.
    pub(super) manifest: String,
    pub(super) dependencies: Vec<Dependency>,
}

/// A dependency as the manifest names it.
pub(super) struct Dependency {
    pub(super) name: String,
    /// Only tests, examples and benches see it.
    pub(super) dev: bool,
}

/// The layers, lowest first. A crate that is added gets its line here first.
const LAYERS: &[(&str, u32)] = &[
    ("market", 0),
    ("wire", 1),
    ("chain", 2),
    ("content", 2),
    ("store", 2),
    ("proof", 2),
    ("indexer", 3),
    ("payments", 3),
    ("exchange", 3),
    ("gpu", 3),
    ("feeds", 3),
    ("oracle", 3),
    ("gateway", 4),
    ("agent", 4),
    ("renter", 4),
    ("bourse", 5),
];
/// Crates beside the layers: nobody may need them to build.
const DEV: [&str; 2] = ["testkit", "xtask"];
/// They trust nothing of each other but what stands in `wire`.
const STRANGERS: [&str; 3] = ["gateway", "agent", "renter"];

/// A library that only some crates may use.
struct Fence {
    library: fn(&str) -> bool,
    allowed: &'static [&'static str],
    /// Whether tests elsewhere may use it.
    free_in_tests: bool,
    reason: &'static str,
}

const FENCES: [Fence; 6] = [
    Fence {
        // Types and ABI encoding are formats, not a way to a chain.
        library: |name| {
            let formats = ["alloy-primitives", "alloy-sol-types"].contains(&name);
            (name == "alloy" || name.starts_with("alloy-")) && !formats
        },
        allowed: &["chain", "testkit"],
        free_in_tests: true,
        reason: "only `chain` speaks with chains, so that nonces and retries live in one place",
    },
    Fence {
        library: |name| name == "bollard",
        allowed: &["agent", "testkit"],
        free_in_tests: false,
        reason: "only `agent` starts containers, so that their confinement lives in one place",
    },
    Fence {
        library: |name| name == "libp2p" || name.starts_with("libp2p-"),
        allowed: &["exchange"],
        free_in_tests: false,
        reason: "only `exchange` speaks with peers, so that what they may do is limited in one place",
    },
    Fence {
        library: |name| name == "clap",
        allowed: &["bourse", "xtask", "corpus-index"],
        free_in_tests: false,
        reason: "only the binary has a command line: libraries take a plain `Config`",
    },
    Fence {
        library: |name| name == "sqlx" || name.starts_with("sea-orm") || name == "sea-query",
        allowed: &["store"],
        free_in_tests: false,
        reason: "only `store` speaks SQL, so that two engines stay one",
    },
    Fence {
        library: |name| name.starts_with("wgpu") || name.starts_with("nvml-wrapper"),
        allowed: &["gpu"],
        free_in_tests: false,
        reason: "only `gpu` speaks with cards, so that what is said of one is said in one place",
    },
];

/// The workspace's crates, as cargo sees them.
pub(super) fn packages(context: &Context) -> Result<Vec<Package>, Error> {
    let mut metadata = MetadataCommand::new();
    let metadata = metadata.current_dir(&context.root).no_deps().exec()?;
    let root = metadata.workspace_root.clone();
    let relative = |path: &cargo_metadata::camino::Utf8Path| path.strip_prefix(&root).unwrap_or(path).to_string();
    let packages = metadata.packages.into_iter().map(|package| Package {
        manifest: relative(&package.manifest_path),
        name: package.name.to_string(),
        dependencies: package
            .dependencies
            .into_iter()
            .map(|it| Dependency { name: it.name, dev: it.kind == DependencyKind::Development })
            .collect(),
    });
    Ok(packages.collect())
}

/// Checks the law and the fences.
pub(super) fn check(packages: &[Package], files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let text = files.iter().find(|file| file.path == package.manifest);
        let text = text.map_or("", |file| &file.text);
        if let Some(advice) = misplaced(package) {
            findings.push(Finding::new(&package.manifest, 1, "layer", advice));
        }
        for dependency in &package.dependencies {
            let line = line_of(text, &dependency.name);
            let known = packages.iter().any(|other| other.name == dependency.name);
            let broken = if known {
                unlawful(&package.name, dependency).map(|advice| ("import-law", advice))
            } else {
                fenced(&package.name, dependency).map(|advice| ("fence", advice))
            };
            if let Some((rule, advice)) = broken {
                findings.push(Finding::new(&package.manifest, line, rule, advice));
            }
        }
    }
    findings
}

fn layer(name: &str) -> Option<u32> {
    LAYERS.iter().find(|(krate, _)| *krate == name).map(|(_, layer)| *layer)
}

/// A crate under `crates/` has a layer or is for development, and its folder has its name.
fn misplaced(package: &Package) -> Option<String> {
    let folder = package.manifest.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
    let name = package.name.as_str();
    if folder != name {
        return Some(format!("the folder is `{folder}`, the crate `{name}`: give both one name"));
    }
    let placed = layer(name).is_some() || DEV.contains(&name);
    (!placed).then(|| format!("`{name}` has no layer: decide what it may import"))
}

/// Why one crate of the workspace may not import another.
fn unlawful(from: &str, dependency: &Dependency) -> Option<String> {
    let to = dependency.name.as_str();
    if STRANGERS.contains(&from) && STRANGERS.contains(&to) {
        return Some(format!("`{from}` and `{to}` meet only in `wire`: neither trusts the other"));
    }
    if to == "testkit" && (dependency.dev || DEV.contains(&from)) {
        return None;
    }
    if DEV.contains(&to) {
        return Some(format!("`{to}` is for development: nothing that is shipped may need it"));
    }
    // Examples import what they like: nothing imports them.
    let own = layer(from)?;
    match layer(to) {
        Some(other) if other < own => None,
        _ => Some(format!("`{from}` (layer {own}) may import only lower layers, and `{to}` is none")),
    }
}

/// Why a crate may not use a library.
fn fenced(from: &str, dependency: &Dependency) -> Option<String> {
    let fence = FENCES.iter().find(|fence| (fence.library)(&dependency.name))?;
    let free = fence.allowed.contains(&from) || (fence.free_in_tests && dependency.dev);
    (!free).then(|| format!("`{}` does not belong here: {}", dependency.name, fence.reason))
}

/// Where a manifest names a dependency.
fn line_of(manifest: &str, dependency: &str) -> usize {
    let names =
        |line: &str| line.trim_start().strip_prefix(dependency).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    manifest.lines().position(names).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{file, shown};

    fn package(name: &str, normal: &[&str], dev: &[&str]) -> Package {
        let dependency = |dev| move |name: &&str| Dependency { name: (*name).into(), dev };
        Package {
            name: name.into(),
            manifest: format!("crates/{name}/Cargo.toml"),
            dependencies: normal.iter().map(dependency(false)).chain(dev.iter().map(dependency(true))).collect(),
        }
    }

    /// Checks one crate in a workspace with all the others.
    fn check_one(name: &str, normal: &[&str], dev: &[&str], expected: &[&str]) {
        let everybody = LAYERS.iter().map(|(name, _)| *name).chain(DEV);
        let mut packages = vec![package(name, normal, dev)];
        packages.extend(everybody.filter(|it| *it != name).map(|it| package(it, &[], &[])));
        let rules: Vec<_> = check(&packages, &[]).into_iter().map(|it| it.rule).collect();
        assert_eq!(rules, expected, "{name}: {normal:?}, in tests {dev:?}");
    }

    #[test]
    fn imports_go_strictly_down() {
        check_one("bourse", &["gateway", "agent", "renter", "market"], &["testkit"], &[]);
        check_one("chain", &["wire", "market"], &["testkit"], &[]);
        check_one("testkit", &["chain", "agent"], &[], &[]);
        check_one("wire", &["chain"], &[], &["import-law"]);
        check_one("chain", &["content"], &[], &["import-law"]);
        check_one("market", &[], &["chain"], &["import-law"]);
        check_one("gateway", &["agent"], &[], &["import-law"]);
        check_one("renter", &[], &["gateway"], &["import-law"]);
        check_one("chain", &["testkit"], &[], &["import-law"]);
        check_one("bourse", &["xtask"], &[], &["import-law"]);
    }

    #[test]
    fn libraries_stay_behind_their_fences() {
        check_one("chain", &["alloy"], &[], &[]);
        check_one("wire", &["alloy-primitives", "alloy-sol-types"], &["alloy"], &[]);
        check_one("renter", &["alloy"], &[], &["fence"]);
        check_one("gateway", &["alloy-provider"], &[], &["fence"]);
        check_one("gateway", &["bollard"], &[], &["fence"]);
        check_one("gateway", &[], &["bollard"], &["fence"]);
        check_one("agent", &["bollard", "clap"], &[], &["fence"]);
        check_one("indexer", &["sqlx", "sea-orm-migration"], &[], &["fence", "fence"]);
        check_one("gpu", &["wgpu", "nvml-wrapper", "proof"], &[], &[]);
        check_one("agent", &["nvml-wrapper"], &["wgpu"], &["fence", "fence"]);
    }

    #[test]
    fn a_new_crate_needs_a_layer_and_its_folders_name() {
        check_one("drawer", &[], &[], &["layer"]);
        let mut renamed = package("chain", &[], &[]);
        renamed.manifest = "crates/evm/Cargo.toml".into();
        assert!(shown(&check(&[renamed], &[]))[0].contains("give both one name"));
    }

    #[test]
    fn the_line_is_the_manifests() {
        let manifest = "[dependencies]\nalloy-primitives.workspace = true\nalloy = \"2\"\n";
        let packages = [package("renter", &["alloy"], &[])];
        let found = check(&packages, &[file("crates/renter/Cargo.toml", manifest)]);
        assert_eq!(found[0].line, 3);
    }
}
