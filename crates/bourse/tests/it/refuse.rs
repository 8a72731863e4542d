//! Bad jobs are refused with the field that is wrong, before anything is published or paid.

use std::io::Write;

use crate::world::World;

const IMAGE: &str = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_a_job_file_is_named() {
    let world = World::start().await;
    let before = world.balances().await;
    let good = format!(r#"{{"version":1,"image":"{IMAGE}","resources":{{"cpus":1,"memoryMib":64,"diskMib":64}}}}"#);
    let with = |field: &str| good.replace("\"version\":1", &format!("\"version\":1,{field}"));
    let cases = [
        (with(r#""colour":"red""#), "unknown field `colour`"),
        (with(r#""maxDurationSeconds":-5"#), "-5"),
        (with(r#""maxDurationSeconds":0"#), "--max-duration"),
        (good.replace("\"cpus\":1", "\"cpus\":-1"), "-1"),
        (with(r#""inputs":[{"cid":"bafy","path":"../x"}]"#), "inputs[0]"),
        (with(&format!(r#""inputs":[{{"cid":"{IMAGE}","path":"../x"}}]"#)), "inputs[0].path"),
        (with(r#""env":{"LD_PRELOAD":"/x"}"#), "env.LD_PRELOAD"),
        (with(r#""network":"host""#), "network"),
        (good.replace("\"version\":1", "\"version\":2"), "version"),
        ("{".into(), "cannot be read"),
    ];
    for (text, expected) in cases {
        std::fs::write(world.path("job.json"), &text).unwrap();
        let ended = world.verb(&["run", "-y", "--spec", "job.json"]).await;
        assert_eq!(ended.code, 4, "{text}\n{}", ended.text);
        assert!(ended.text.contains(expected), "{text}\n{}", ended.text);
    }
    let file = std::fs::File::create(world.path("job.json")).unwrap();
    file.set_len(1 << 30).unwrap();
    let ended = world.verb(&["run", "-y", "--spec", "job.json"]).await.with_code(4);
    assert!(ended.text.contains("1073741824 bytes"), "{}", ended.text);
    assert_eq!(world.balances().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_cannot_start_is_found_before_anybody_is_asked() {
    let world = World::without_agent(&[]).await;
    std::fs::create_dir_all(world.path("full/thing")).unwrap();
    let program = std::env::current_exe().unwrap();
    let cases: [(&[&str], &str); 6] = [
        (&[program.to_str().unwrap()], "linked dynamically"),
        (&["./nofile"], "no such file"),
        (&["bafkreifzzz"], "looks like a CID, but is none"),
        (&[IMAGE, "--input", "x=missing"], "the input \"missing\""),
        (&[IMAGE, "--output", "full"], "full is not empty"),
        (&[IMAGE, "--expect-output", "missing"], "no folder to compare with"),
    ];
    for (args, expected) in cases {
        for dry in ["--dry-run", "-y"] {
            let ended = world.verb(&[&["run", dry], args].concat()).await.with_code(4);
            assert!(ended.text.contains(expected), "{}", ended.text);
        }
    }
    let usage = world.verb(&["run", "--bogus"]).await.with_code(2);
    assert!(usage.answer["error"].as_str().unwrap().contains("--bogus"), "{}", usage.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_image_archives_are_refused_before_money_moves() {
    let world = World::start().await;
    let before = world.balances().await;
    for (name, archive) in [("traversal", traversal()), ("bomb", bomb())] {
        std::fs::write(world.path("image.tar"), archive).unwrap();
        let ended = world.verb(&["run", "image.tar", "-y"]).await;
        assert!(matches!(ended.code, 1 | 4), "{name}: {}", ended.text);
        assert!(ended.text.contains("image"), "{name}: {}", ended.text);
    }
    assert_eq!(world.balances().await, before);
    assert!(!world.path("renter/jobs").read_dir().unwrap().any(|_| true), "no job was written down");
}

/// A `docker save` archive of one layer.
fn archive(layer: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut put = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).unwrap();
    };
    let config = br#"{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:0000000000000000000000000000000000000000000000000000000000000000"]}}"#;
    put("config.json", config);
    put("layer.tar", layer);
    put("manifest.json", br#"[{"Config":"config.json","RepoTags":null,"Layers":["layer.tar"]}]"#);
    tar.into_inner().unwrap()
}

fn traversal() -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..9].copy_from_slice(b"../escape");
    header.set_size(0);
    header.set_mode(0o644);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    let mut layer = header.as_bytes().to_vec();
    layer.resize(layer.len() + 1024, 0);
    archive(&layer)
}

/// Two GiB of zeros in two MiB.
fn bomb() -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let size: u64 = 2 << 30;
    let mut header = tar::Header::new_gnu();
    header.set_path("zeros").unwrap();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    gzip.write_all(header.as_bytes()).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..(size >> 20) {
        gzip.write_all(&zeros).unwrap();
    }
    archive(&gzip.finish().unwrap())
}
