//! Somebody measures a card of his machine, keeps the report, and somebody else checks it.

use std::{path::Path, process::Command};

use gpu::GpuConfig;
use serde_json::Value;
use testkit::{Need, skip, temp_dir};

/// Runs the program: its exit code, its answer, and all that it said.
fn bourse(home: &Path, args: &[&str]) -> (i32, Value, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bourse"));
    let output = command.args(["--json", "--home"]).arg(home).args(args).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_default(), text)
}

#[test]
fn a_card_is_measured_and_its_report_is_checked_by_somebody_else() {
    if gpu::adapters(&GpuConfig { software: true, ..GpuConfig::default() }).is_empty() {
        skip!(Need::Vulkan, "no adapter answers: install mesa-vulkan-drivers and libvulkan1");
    }
    let home = temp_dir();
    let path = home.path().join("proof.json");
    let file = path.to_str().unwrap();
    let (code, report, text) = bourse(home.path(), &["proof", "run", "--software", "--size", "256", "-o", file]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(report["document"]["claim"], "measured");
    let card = report["document"]["device"].as_str().unwrap();
    assert_eq!(card.contains("(software)"), card.contains("llvmpipe"), "a processor that pretends is marked: {card}");
    let oracle = report["document"]["oracle"].as_str().unwrap();
    let (code, answer, text) = bourse(home.path(), &["proof", "verify", file, "--oracle", oracle]);
    assert_eq!((code, &answer["verified"], &answer["claim"]), (0, &true.into(), &"measured".into()), "{text}");

    let market = "0x00000000000000000000000000000000000000aa";
    let (code, answer, _) = bourse(home.path(), &["proof", "verify", file, "--oracle", market]);
    assert_eq!((code, &answer["failedAt"]), (1, &"oracle".into()));
    // A faster card by another number.
    let elapsed = report["document"]["elapsedUs"].as_u64().unwrap();
    let written = std::fs::read_to_string(&path).unwrap();
    let faster = written.replace(&format!("\"elapsedUs\":{elapsed}"), "\"elapsedUs\":1");
    assert_ne!(written, faster);
    std::fs::write(&path, faster).unwrap();
    let (code, answer, _) = bourse(home.path(), &["proof", "verify", file]);
    assert_eq!((code, &answer["failedAt"], &answer["claim"]), (1, &"report".into(), &Value::Null));
    std::fs::write(&path, "{}").unwrap();
    let (code, _, text) = bourse(home.path(), &["proof", "verify", file]);
    assert!(code == 4 && text.contains("no report of a proof"), "{code} {text}");
}

#[test]
fn a_machine_without_such_a_card_says_what_to_do() {
    let home = temp_dir();
    let (code, _, text) = bourse(home.path(), &["proof", "run", "--card", "60"]);
    assert!(code == 4 && text.contains("no card 60") && text.contains("--software"), "{code} {text}");
    let (code, _, text) = bourse(home.path(), &["proof", "run", "--card", "60", "--size", "65"]);
    assert!(code == 4 && text.contains("multiples of 64"), "{code} {text}");
}
