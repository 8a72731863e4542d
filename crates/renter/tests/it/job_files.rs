//! A job is found by the beginning of its name, when only one begins so.

use std::fs;

use alloy_primitives::B256;
use renter::{JobFile, JobFiles, RenterError};
use wire::TermsJson;

fn file(first: u8, second: u8) -> JobFile {
    let mut job_id = B256::repeat_byte(0x11);
    (job_id[0], job_id[1]) = (first, second);
    let terms = TermsJson {
        renter: Default::default(),
        controller: Default::default(),
        resource_id: B256::ZERO,
        price_per_hour: 1,
        min_charge: 0,
        max_duration: 1,
        not_before: 0,
        cancel_fee_bps: 0,
        spec_digest: B256::ZERO,
        flags: 0,
        salt: 0,
        extra: B256::ZERO,
    };
    JobFile {
        job_id,
        chain_id: 1,
        terms,
        spec: String::new(),
        session_key: Some(format!("key of {first:x}{second:x}")),
        created_in: None,
        from_block: 0,
    }
}

#[test]
fn the_session_key_is_found_by_a_prefix() {
    let dir = testkit::temp_dir();
    let jobs = JobFiles::open(&dir.path().join("new/folder")).unwrap();
    for job in [file(0xab, 0xc1), file(0xab, 0xd2), file(0x0a, 0x00)] {
        jobs.save(&job).unwrap();
    }
    for (prefix, key) in [("0xabc", "key of abc1"), ("ABD", "key of abd2"), ("0x0", "key of a0"), ("0a", "key of a0")] {
        assert_eq!(jobs.find(prefix).unwrap().session_key.as_deref(), Some(key), "{prefix}");
    }
    for prefix in ["0xab", "ab", "", "0x"] {
        let err = jobs.find(prefix).unwrap_err();
        assert!(matches!(&err, RenterError::BadJob(why) if why.contains("give more digits")), "{prefix}: {err}");
    }
    for prefix in ["0xff", "abc2", "zz"] {
        let err = jobs.find(prefix).unwrap_err();
        assert!(matches!(&err, RenterError::UnknownJob(name) if name == prefix), "{prefix}: {err}");
    }
}

#[test]
fn one_file_that_cannot_be_read_hides_no_other() {
    let dir = testkit::temp_dir();
    let jobs = JobFiles::open(dir.path()).unwrap();
    for job in [file(0xab, 0xc1), file(0xcd, 0x01)] {
        jobs.save(&job).unwrap();
    }
    let path = |job: &JobFile| dir.path().join(format!("{}.json", job.job_id));
    let (broken, other) = (file(0xee, 0x01), file(0xee, 0x02));
    fs::write(path(&broken), "{").unwrap();
    fs::create_dir(dir.path().join("folder.json")).unwrap();
    assert_eq!(jobs.list().unwrap().len(), 2);
    assert_eq!(jobs.find("ab").unwrap().session_key.as_deref(), Some("key of abc1"));
    let err = jobs.find("ee").unwrap_err().to_string();
    assert!(err.contains(&broken.job_id.to_string()), "{err}");

    fs::copy(path(&file(0xab, 0xc1)), path(&other)).unwrap();
    let err = jobs.find("ee02").unwrap_err();
    assert!(matches!(&err, RenterError::BadJob(why) if why.contains("another job")), "{err}");
}
