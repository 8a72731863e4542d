//! The kernel against the reference, bit for bit, on every adapter of this machine; on one without a card that is Mesa's
//! software driver.

use gpu::{Adapter, Device, GpuConfig, GpuError, adapters};
use proof::{Audit, AuditConfig, Challenge, Key, Layers, Openings, Shape, Verdict, examine};
use testkit::{Need, skip};

/// Adapters, processors that pretend included.
fn all() -> Vec<Adapter> {
    adapters(&GpuConfig { software: true, ..GpuConfig::default() })
}

fn open(adapter: &Adapter) -> Device {
    Device::open(adapter, &GpuConfig::default()).unwrap()
}

#[test]
fn a_card_comes_to_the_same_root_as_the_reference() {
    let adapters = all();
    if adapters.is_empty() {
        skip!(Need::Vulkan, "no adapter answers: install mesa-vulkan-drivers and libvulkan1");
    }
    for device in adapters.iter().map(open) {
        for (size, rounds) in [(64, 1), (64, 8), (128, 3), (192, 2), (320, 2), (512, 2)] {
            let (key, shape) = (Key::new([u8::try_from(rounds).unwrap(); 32]), Shape::new(size, rounds).unwrap());
            let computed = device.compute(&key, shape).unwrap();
            let reference = Layers::compute(&key, shape);
            assert_eq!(computed.tree().root(), reference.tree().root(), "{} {size} × {rounds}", device.name());
        }
    }
}

#[test]
fn what_a_card_opens_is_accepted() {
    let adapters = all();
    if adapters.is_empty() {
        skip!(Need::Vulkan, "no adapter answers: install mesa-vulkan-drivers and libvulkan1");
    }
    let challenge = Challenge {
        chain_id: 1,
        market: [7; 20].into(),
        nonce: [1; 32].into(),
        agent: [2; 20].into(),
        card: [3; 32].into(),
        group: [0; 32].into(),
        size: 256,
        rounds: 3,
        deadline_ms: 1000,
        at: 0,
    };
    for device in adapters.iter().map(open) {
        let shape = challenge.shape().unwrap();
        let mut computed = device.compute(&challenge.key(), shape).unwrap();
        let tree = computed.tree();
        let audit = Audit::new([9; 32].into(), AuditConfig { columns: 16, vectors: 32 });
        let plan = audit.plan(shape, challenge.digest(), tree.root()).unwrap();
        let openings = Openings::collect(shape, &plan, &tree, &mut computed).unwrap();
        let mut verdict = Verdict::default();
        examine(&challenge, tree.root(), &audit, &openings, &mut verdict).unwrap();
        assert_eq!(verdict.refused_at(), None, "{}: {:#?}", device.name(), verdict.lines);
    }
}

#[test]
fn a_matrix_that_does_not_fit_is_refused_before_anything_is_computed() {
    let adapters = all();
    let Some(adapter) = adapters.iter().find(|it| it.record.kind == gpu::Kind::Software) else {
        skip!(Need::Vulkan, "no software adapter answers: install mesa-vulkan-drivers and libvulkan1");
    };
    // Mesa's driver binds 128 MiB at most; this is a gigabyte.
    let error = open(adapter).compute(&Key::new([0; 32]), Shape::new(16_384, 8).unwrap()).unwrap_err();
    assert!(matches!(error, GpuError::TooLarge { needed: 0x4000_0000, .. }), "{error}");
}

#[test]
fn processors_count_only_where_they_are_asked_for() {
    let real = adapters(&GpuConfig::default());
    assert!(real.iter().all(|it| it.record.kind != gpu::Kind::Software), "{real:?}");
}
