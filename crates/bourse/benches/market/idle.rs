//! What a market costs while nothing happens: memory and processor time of the whole process tree.

use std::{fs, time::Duration};

use crate::{Outcome, bench};

const SETTLE: Duration = Duration::from_secs(5);
const WATCH: Duration = Duration::from_secs(30);
/// The kernel counts processor time in hundredths of a second on every Linux that Debian ships.
const TICKS_PER_S: f64 = 100.0;

pub(crate) fn measure(root: u32) -> Outcome<()> {
    std::thread::sleep(SETTLE);
    let before = usage(root)?;
    std::thread::sleep(WATCH);
    let after = usage(root)?;
    bench("up.idle_rss_mib", after.rss_kib as f64 / 1024.0, "MiB");
    bench("up.idle_cpu_pct", (after.ticks - before.ticks) as f64 / TICKS_PER_S / WATCH.as_secs_f64() * 100.0, "%");
    Ok(())
}

struct Usage {
    ticks: u64,
    rss_kib: u64,
}

fn usage(root: u32) -> Outcome<Usage> {
    let mut total = Usage { ticks: 0, rss_kib: 0 };
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name in parentheses may hold spaces; fields are counted after it. utime and stime are 14 and 15.
        let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        for index in [11, 12] {
            total.ticks += fields.get(index).ok_or("short stat")?.parse::<u64>()?;
        }
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
        total.rss_kib += rss.trim().trim_end_matches(" kB").trim().parse::<u64>()?;
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let children = fs::read_to_string(task?.path().join("children")).unwrap_or_default();
            open.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
    }
    Ok(total)
}
