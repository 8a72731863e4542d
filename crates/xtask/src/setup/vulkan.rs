//! A Vulkan driver that computes on the processor: the kernel of the proof of GPU is tested on it where there is no card.
use std::path::Path;

use super::{apt, say};
use crate::context::{Context, is_root};
use crate::error::Error;

/// Where drivers leave their descriptions, and where the loader looks for them.
const DRIVERS: [&str; 2] = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
/// Mesa's software driver, as its description is named.
const SOFTWARE: &str = "lvp_icd";
const PACKAGES: [&str; 2] = ["mesa-vulkan-drivers", "libvulkan1"];

/// Makes sure that the software driver and the loader are there.
pub(super) fn ensure(context: &Context) -> Result<(), Error> {
    if DRIVERS.iter().any(|folder| has_software(Path::new(folder))) {
        return Ok(());
    }
    if !is_root() {
        return Err(Error::Missing {
            what: "a Vulkan driver for tests".into(),
            remedy: format!("run `sudo apt-get install --no-install-recommends {}`", PACKAGES.join(" ")),
        });
    }
    say(&format!("apt-get install {}", PACKAGES.join(" ")), "the kernel of the proof of GPU is tested on a processor");
    apt::install(context, &PACKAGES)
}

fn has_software(folder: &Path) -> bool {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.map(|file| file.file_name()).any(|name| name.to_string_lossy().starts_with(SOFTWARE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_software_driver_counts() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_software(&folder.path().join("none")));
        std::fs::write(folder.path().join("radeon_icd.x86_64.json"), "{}").unwrap();
        assert!(!has_software(folder.path()));
        std::fs::write(folder.path().join("lvp_icd.x86_64.json"), "{}").unwrap();
        assert!(has_software(folder.path()));
    }
}
