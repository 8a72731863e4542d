//! What this machine is: cards by their driver, everything else by the operating system.
//!
//! Nothing here is linked at build time: the driver's library is opened when the agent runs. A machine without a
//! card is offered for what it is. A simulated card is marked in its name and in every record.

mod gauge;

use std::path::Path;

use alloy_primitives::{B256, keccak256};
use market::{Hardware, Mebibytes};

pub(crate) use gauge::Gauge;
pub(crate) use gpu::Nvidia as Cards;

use crate::limits::OPEN_FILES_MAX;
use crate::{AgentError, Offered, Simulated, disk};

/// Memory that stays with the host, whatever is offered.
const HOST_MEMORY: Mebibytes = Mebibytes(512);
/// Where systems keep a name of the machine that survives restarts.
const MACHINE_ID: &str = "/etc/machine-id";
/// The contract's fields for sizes are this large.
const MIB_MAX: u64 = u32::MAX as u64;

/// This machine as a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) hardware: Hardware,
    /// The same machine has the same key, so that listing it twice gives one record.
    pub(crate) key: B256,
    /// Real cards by UUID.
    pub(crate) gpus: Vec<String>,
    /// The version of the cards' driver; nothing where there is none.
    pub(crate) driver: String,
}

/// Looks at the machine and takes what the owner offers of it.
pub(crate) fn machine(
    state_dir: &Path,
    offered: &Offered,
    simulate: Option<Simulated>,
    cards: &Cards,
) -> Result<Machine, AgentError> {
    let processor = processor().unwrap_or_default();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = u16::try_from(threads).unwrap_or(u16::MAX);
    let memory = Mebibytes(memory().unwrap_or_default().0.saturating_sub(HOST_MEMORY.0).clamp(1, MIB_MAX));
    let disk = disk::free(state_dir).unwrap_or(Mebibytes(0));
    let disk = Mebibytes(disk.0.saturating_sub(crate::limits::DISK_SPARE.0));

    let real = if simulate.is_none() { cards.list() } else { Vec::new() };
    let (model, gpus, vram) = match (simulate, real.first()) {
        (Some(card), _) => (card.model().to_owned(), 1, card.vram()),
        // One price is one kind: the first card's, and those like it.
        (None, Some(first)) => {
            let same = real.iter().filter(|card| card.model == first.model).count();
            (first.model.clone(), u16::try_from(same).unwrap_or(u16::MAX), first.vram)
        }
        (None, None) if processor.is_empty() => ("CPU only".into(), 0, Mebibytes(0)),
        (None, None) => (processor, 0, Mebibytes(0)),
    };
    let same = real.iter().filter(|card| card.model == model);
    let gpus_by_id: Vec<String> = same.map(|card| card.uuid.clone()).collect();
    let hardware = Hardware {
        model,
        gpus,
        vram,
        cpus: offered.cpus.map_or(threads, |cpus| cpus.min(threads)),
        memory: offered.memory.map_or(memory, |limit| limit.min(memory)),
        disk: offered.disk.map_or(disk, |limit| limit.min(disk)),
        simulated: simulate.is_some(),
    };
    let key = key(&machine_id(state_dir)?, &gpus_by_id, simulate);
    Ok(Machine { hardware, key, gpus: gpus_by_id, driver: cards.driver() })
}

/// The processor's name, as the system knows it.
fn processor() -> Option<String> {
    let kind = sysinfo::RefreshKind::nothing().with_cpu(sysinfo::CpuRefreshKind::nothing());
    let system = sysinfo::System::new_with_specifics(kind).ok()?;
    system.cpus().first().map(|cpu| cpu.brand().trim().to_owned())
}

/// Main memory; in a container, its limit where that is lower.
pub(crate) fn memory() -> Option<Mebibytes> {
    let kind = sysinfo::RefreshKind::nothing().with_memory(sysinfo::MemoryRefreshKind::nothing().with_ram());
    let system = sysinfo::System::new_with_specifics(kind).ok()?;
    let all = system.total_memory();
    let limit = system.cgroup_limits().map_or(all, |limits| limits.total_memory);
    Some(Mebibytes(all.min(limit) >> 20))
}

/// Files that one process of a job may have open: our limit, or this machine's where that is lower, for no container
/// can be given more than the engine itself has.
pub(crate) fn open_files() -> i64 {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    // `Max open files            1024                 524288               files`
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let hard = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<i64>().ok());
    hard.map_or(OPEN_FILES_MAX, |hard| hard.min(OPEN_FILES_MAX))
}

fn key(machine: &str, gpus: &[String], simulate: Option<Simulated>) -> B256 {
    let mut text = format!("bourse resource v1\n{machine}\n");
    for uuid in gpus {
        text.push_str(uuid);
        text.push('\n');
    }
    text.push_str(simulate.map_or("", Simulated::name));
    keccak256(text)
}

/// The system's own name of the machine, or one that is made once and kept.
fn machine_id(state_dir: &Path) -> Result<String, AgentError> {
    if let Ok(id) = std::fs::read_to_string(MACHINE_ID)
        && !id.trim().is_empty()
    {
        return Ok(id.trim().to_owned());
    }
    let path = state_dir.join("machine-id.json");
    if let Some(id) = disk::load(&path)? {
        return Ok(id);
    }
    let id = chain::Wallet::random().address().to_string();
    disk::save(&path, &id)?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_machine_has_one_key_and_a_simulated_card_another() {
        let dir = tempfile::tempdir().unwrap();
        let probe = |simulate| machine(dir.path(), &Offered::default(), simulate, &Cards::open()).unwrap();
        assert_eq!(probe(None).key, probe(None).key);
        assert_ne!(probe(None).key, probe(Some(Simulated::H100)).key);
        assert_ne!(key("m", &["a".into()], None), key("m", &["b".into()], None));
    }

    #[test]
    fn what_is_offered_is_never_more_than_there_is() {
        let dir = tempfile::tempdir().unwrap();
        let offered = Offered { cpus: Some(u16::MAX), memory: Some(Mebibytes(64)), disk: Some(Mebibytes(32)) };
        let found = machine(dir.path(), &offered, Some(Simulated::Mi300x), &Cards::open()).unwrap().hardware;
        assert!(found.cpus >= 1 && found.cpus < u16::MAX);
        assert_eq!((found.memory, found.disk, found.gpus), (Mebibytes(64), Mebibytes(32), 1));
        assert!(found.simulated && found.model.ends_with("(simulated)"), "{found:?}");
        assert_eq!(found.vram, Mebibytes(192 << 10));
    }
}
