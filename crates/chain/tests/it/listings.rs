//! What a resource was listed as, read back from the log.

use alloy::primitives::B256;
use chain::{Chain, ChainConfig, Listing, Market};
use market::{Hardware, Mebibytes, PerHour, ResourceId};
use serde_json::Value;
use testkit::TestMarket;

use crate::node::Node;

fn listing(number: u8) -> Listing {
    let hardware = Hardware {
        model: format!("Model {number}"),
        gpus: 2,
        vram: Mebibytes(40_960),
        cpus: 8,
        memory: Mebibytes(65_536),
        disk: Mebibytes(1 << 33),
        simulated: number == 2,
    };
    Listing { key: B256::repeat_byte(number), price: PerHour(3600), hardware, details: "in a cellar".into() }
}

async fn through(t: &TestMarket, node: &Node) -> Market {
    let chain = Chain::connect(ChainConfig::new(node.rpc.parse().unwrap())).await.unwrap();
    Market::open(chain, t.market.address()).await.unwrap()
}

/// Two resources among empty blocks.
async fn listed(t: &TestMarket) -> Vec<(ResourceId, Listing)> {
    let mut listed = Vec::new();
    for number in 1..=2 {
        let listing = listing(number);
        listed.push((t.owner.register_resource(&listing).await.unwrap(), listing));
        t.dev.mine(50).await.unwrap();
    }
    listed
}

#[tokio::test]
async fn a_listing_is_read_as_it_was_made_and_only_once() {
    let t = TestMarket::start().await.unwrap();
    let node = Node::start(&t, |_, _| None).await;
    let market = through(&t, &node).await;
    let listed = listed(&t).await;
    let last = listed[1].0;
    for (resource, expected) in listed {
        assert_eq!(market.listing(resource, t.deployment.block).await.unwrap(), Some(expected.clone()));
        let asked = node.asked();
        t.owner.update_pricing(resource, PerHour(7200)).await.unwrap();
        assert_eq!(market.clone().listing(resource, 0).await.unwrap(), Some(expected));
        assert_eq!(node.asked(), asked, "it is remembered");
    }
    let nowhere = ResourceId([7; 32]);
    assert_eq!(market.listing(nowhere, 0).await.unwrap(), None);
    let late = t.chain.head().await.unwrap().number + 1;
    let fresh = through(&t, &node).await;
    let known = market.listing(last, late).await.unwrap();
    assert!(known.is_some(), "it was found before");
    assert_eq!(fresh.listing(last, late).await.unwrap(), None, "it was listed before");
}

#[tokio::test]
async fn where_the_node_refuses_long_ranges_it_is_asked_for_short_ones() {
    let t = TestMarket::start().await.unwrap();
    let limited = |method: &str, params: &Value| {
        let number = |name: &str| {
            let text = params[0][name].as_str()?.trim_start_matches("0x");
            u64::from_str_radix(text, 16).ok()
        };
        let fits = || Some(number("toBlock")? - number("fromBlock")? < 30);
        (method == "eth_getLogs" && fits() != Some(true)).then(|| "ranges have at most 30 blocks".to_owned())
    };
    let node = Node::start(&t, limited).await;
    let market = through(&t, &node).await;
    for (resource, expected) in listed(&t).await {
        assert_eq!(market.listing(resource, t.deployment.block).await.unwrap(), Some(expected));
    }
    assert_eq!(market.listing(ResourceId([7; 32]), 0).await.unwrap(), None);

    let closed = Node::start(&t, |method, _| (method == "eth_getLogs").then(|| "no logs here".to_owned())).await;
    let market = through(&t, &closed).await;
    let error = market.listing(ResourceId([7; 32]), 0).await.unwrap_err();
    assert!(error.to_string().contains("no logs here"), "{error}");
}
