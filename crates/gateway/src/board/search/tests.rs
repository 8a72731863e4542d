//! Filters and orders over a board of a handful.

use wire::{
    HardwareJson,
    http::{Money, Presence},
};

use super::*;

const DECIMALS: u8 = 6;

fn entry(id: u8, change: impl FnOnce(&mut GpuJson)) -> Arc<Entry> {
    let mut gpu = GpuJson {
        id: B256::repeat_byte(id),
        source: "bourse".into(),
        provider: "1".into(),
        owner: Default::default(),
        agent: Default::default(),
        hardware: HardwareJson {
            model: "NVIDIA H100 80GB".into(),
            gpus: 1,
            vram_mib: 81_920,
            cpus: 8,
            memory_mib: 65_536,
            disk_mib: 1,
            simulated: false,
        },
        location: Some("eu-west".into()),
        price_per_hour: Money { amount: "2500000".into(), token: Default::default() },
        available: true,
        busy: false,
        status: Presence::Online,
        seen_at: None,
        uptime_bps: Some(9_900),
        listed_at: crate::board::book::time(u64::from(id)),
    };
    change(&mut gpu);
    let json = format!("{:?}", gpu.id);
    Arc::new(Entry { price: PerHour(gpu.price_per_hour.amount.parse().unwrap()), provider: 1, gpu, json })
}

fn board(entries: impl IntoIterator<Item = Arc<Entry>>) -> Shown {
    Shown::new(entries.into_iter().collect(), 1)
}

fn search(query: &str) -> Result<Search, GatewayError> {
    let uri = format!("/gpus?{query}").parse().unwrap();
    let axum::extract::Query(query) = axum::extract::Query::<GpuQuery>::try_from_uri(&uri).unwrap();
    Search::read(&query, DECIMALS)
}

fn found(shown: &Shown, query: &str) -> Vec<u8> {
    search(query).unwrap().found(shown).iter().map(|entry| entry.gpu.id[0]).collect()
}

#[test]
fn each_filter_takes_what_it_says() {
    let shown = board([
        entry(1, |_| ()),
        entry(2, |gpu| gpu.hardware.model = "NVIDIA A100".into()),
        entry(3, |gpu| gpu.hardware.gpus = 8),
        entry(4, |gpu| gpu.hardware.vram_mib = 24_576),
        entry(5, |gpu| gpu.price_per_hour.amount = "900000".into()),
        entry(6, |gpu| gpu.busy = true),
        entry(7, |gpu| gpu.status = Presence::Offline),
        entry(8, |gpu| gpu.available = false),
        entry(9, |gpu| (gpu.location, gpu.uptime_bps) = (None, None)),
        entry(10, |gpu| (gpu.hardware.simulated, gpu.hardware.cpus, gpu.hardware.memory_mib) = (true, 64, 1 << 20)),
    ]);
    let check = |query: &str, expected: &[u8]| assert_eq!(found(&shown, query), expected, "{query}");
    let all: Vec<u8> = (1..=10).collect();
    check("", &all);
    check("availability=any", &all);
    check("model=h100+nvidia", &[1, 3, 4, 5, 6, 7, 8, 9, 10]);
    check("model=A100", &[2]);
    check("q=eu+a100", &[2]);
    check("q=a100+us", &[]);
    check("min_gpus=2", &[3]);
    check("min_vram=81920", &[1, 2, 3, 5, 6, 7, 8, 9, 10]);
    check("min_cpus=9", &[10]);
    check("min_memory=65537", &[10]);
    check("max_price=0.9", &[5]);
    check("max_price=0.899999", &[]);
    check("location=EU", &[1, 2, 3, 4, 5, 6, 7, 8, 10]);
    check("min_uptime=99", &[1, 2, 3, 4, 5, 6, 7, 8, 10]);
    check("min_uptime=100", &[]);
    check("simulated=true", &[10]);
    check("simulated=false&min_cpus=9", &[]);
    check("source=bourse", &all);
    check("source=elsewhere", &[]);
    check("availability=listed", &[1, 2, 3, 4, 5, 6, 7, 9, 10]);
    check("availability=now", &[1, 2, 3, 4, 5, 9, 10]);
}

#[test]
fn orders_are_by_value_and_then_by_id() {
    let shown =
        board((1..=4).map(|id| entry(id, |gpu| gpu.price_per_hour.amount = [5, 7, 5, 1][id as usize - 1].to_string())));
    assert_eq!(found(&shown, "sort=price"), [4, 1, 3, 2]);
    assert_eq!(found(&shown, "sort=-price"), [2, 1, 3, 4]);
    assert_eq!(found(&shown, "sort=-listed"), [4, 3, 2, 1]);
    assert_eq!(found(&shown, "sort=price&limit=1"), [4, 1], "one more than the page, to know that there is one");
}

#[test]
fn pages_neither_skip_nor_repeat_what_stays_while_others_come_and_go() {
    let priced = |id: u8, price: u32| entry(id, |gpu| gpu.price_per_hour.amount = price.to_string());
    for sort in ["", "sort=price&", "sort=-price&"] {
        let mut entries: Vec<_> = (10..40).map(|id| priced(id, u32::from(id % 7))).collect();
        let (mut seen, mut query, mut round) = (Vec::new(), format!("{sort}limit=4"), 0u8);
        loop {
            let page = search(&query).unwrap().page(&board(entries.clone()));
            let text = String::from_utf8(page.to_vec()).unwrap();
            let ids = text.split("0x").skip(1).map(|rest| u8::from_str_radix(&rest[..2], 16).unwrap());
            seen.extend(ids.filter(|id| (10..40).contains(id)));
            let Some((_, rest)) = text.split_once(r#""nextCursor":""#) else { break };
            query = format!("{sort}limit=4&cursor={}", rest.trim_end_matches(r#""}"#));
            // Strangers come at both ends, and what was the last entry of the page goes.
            round += 1;
            entries.retain(|entry| seen.last() != Some(&entry.gpu.id[0]));
            entries.push(priced(100 + round, 0));
            entries.insert(0, priced(round, 9));
            entries.sort_by_key(|entry| entry.gpu.id);
        }
        seen.sort_unstable();
        assert_eq!(seen, (10..40).collect::<Vec<u8>>(), "{sort}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_field() {
    let other_order = search("sort=price&limit=1").unwrap().order.cursor(&entry(1, |_| ()));
    let check = |query: &str, words: &str| {
        let error = search(query).unwrap_err().to_string();
        assert!(error.contains(words), "{query}: {error}");
    };
    check("max_price=2", "max_price");
    check("sort=colour", "sort: ");
    check("availability=soon", "availability: ");
    check("limit=0", "limit: ");
    check("limit=201", "limit: ");
    check("min_uptime=101", "min_uptime: ");
    check("cursor=77", "cursor: ");
    check(&format!("cursor={other_order}"), "another order");
    check(&format!("model={}", "x".repeat(129)), "model: ");
}
