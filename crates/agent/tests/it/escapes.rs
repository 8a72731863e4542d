//! What hostile programs try: it is contained, it ends, and the next job starts clean.

use content::image::{ImageConfig, ImageFile, LayerSource, build_image};
use content::{ImageLimits, Kind};
use testkit::{Need, docker_available, skip};

use crate::stage::{Running, Stage};

/// After whatever came before, a plain job runs as if nothing had been.
async fn next_is_clean(stage: &Stage) {
    let script =
        "b=/bin/busybox; set -- /proc/[0-9]*; echo $# processes; $b ls -A /tmp /scratch /outputs /dev/shm; echo end";
    let (job, _) = stage.order(&stage.script(script), 60).await;
    let record = stage.completed(job).await;
    assert_eq!(record.exit_code, Some(0), "{record:?}");
    assert_eq!(stage.log(&record), "1 processes\n/dev/shm:\n\n/outputs:\n\n/scratch:\n\n/tmp:\nend\n");
    stage.cleaned_up(job).await;
}

async fn stage() -> Option<(Stage, Running)> {
    if !docker_available().await {
        return None;
    }
    let stage = Box::pin(Stage::new()).await;
    let agent = stage.agent().await;
    Some((stage, agent))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_multiplies_or_will_not_end_is_ended() {
    let Some((stage, _agent)) = Box::pin(stage()).await else { skip!(Need::Docker, "no engine answers") };
    let endless = [
        ("a fork bomb", "(while :; do /bin/busybox sleep 600 & done) 2>/dev/null; while :; do :; done", 8),
        ("deaf to SIGTERM", "trap '' TERM INT HUP QUIT; echo deaf; while :; do :; done", 3),
        (
            "filling shared memory",
            "/bin/busybox dd if=/dev/zero of=/dev/shm/a bs=1M 2>/dev/null; while :; do :; done",
            3,
        ),
    ];
    for (name, script, seconds) in endless {
        let (job, _) = stage.order(&stage.script(script), seconds).await;
        let record = stage.completed(job).await;
        let reason = record.reason.clone().unwrap_or_default();
        assert!(reason.contains("bought time is over") || reason.contains("memory"), "{name}: {record:?}");
        stage.cleaned_up(job).await;
        next_is_clean(&stage).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_never_stops_talking_is_kept_to_its_share() {
    let Some((stage, _agent)) = Box::pin(stage()).await else { skip!(Need::Docker, "no engine answers") };
    let (job, _) = stage.order(&stage.script("exec /bin/busybox yes 'a line that is said for ever'"), 3).await;
    let record = stage.completed(job).await;
    let log = stage.log(&record);
    assert!(log.len() > 1000 && log.len() <= 16 << 20, "{} bytes are kept", log.len());
    stage.cleaned_up(job).await;
    next_is_clean(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_finds_no_way_to_the_machine() {
    let Some((stage, _agent)) = Box::pin(stage()).await else { skip!(Need::Docker, "no engine answers") };
    let script = r#"b=/bin/busybox
        $b mknod /tmp/disk b 8 0 2>/dev/null || echo no devices
        $b test -e /dev/mem || echo no memory of the machine
        $b sh -c 'echo c > /proc/sysrq-trigger' 2>/dev/null || echo no sysrq
        $b sh -c 'echo 1 > /proc/sys/kernel/panic' 2>/dev/null || echo no settings of the kernel
        $b sh -c 'echo 1 > /sys/kernel/uevent_helper' 2>/dev/null || echo no helper
        $b head -c 1 /proc/kcore 2>/dev/null | $b wc -c
        $b unshare -U true 2>/dev/null || echo no namespaces
        $b chroot / true 2>/dev/null || echo no new root
        $b nice -n -5 true 2>/dev/null || echo no better rank
        for away in 169.254.169.254 172.17.0.1; do $b wget -q -O - http://$away/ 2>&1 | $b grep -o 'etwork.*'; done
        $b ln -s /etc/shadow /outputs/link && echo a link"#;
    let (job, _) = stage.order(&stage.script(script), 60).await;
    let record = stage.completed(job).await;
    let expected = "no devices\nno memory of the machine\nno sysrq\nno settings of the kernel\nno helper\n0\nno namespaces\n\
                    no new root\nno better rank\network is unreachable\network is unreachable\na link\n";
    assert_eq!(stage.log(&record), expected, "{record:?}");
    let store = &stage.gateway.store;
    let result = content::parse_cid(record.result.as_ref().unwrap()).unwrap();
    let link = content::resolve(store, &result, "link").unwrap();
    assert_eq!(content::stat(store, &link).unwrap().kind, Kind::Symlink, "what it points to is not read");
    stage.cleaned_up(job).await;
    next_is_clean(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_makes_root_makes_nobody_root() {
    let Some((stage, _agent)) = Box::pin(stage()).await else { skip!(Need::Docker, "no engine answers") };
    let file = |path: &str, mode| ImageFile { source: "/bin/busybox".into(), path: path.into(), mode };
    let files = vec![file("bin/busybox", 0o755), file("suid/busybox", 0o6755)];
    let config = ImageConfig { entrypoint: ["/bin/busybox", "sh", "-c"].map(Into::into).into(), ..Default::default() };
    let image =
        build_image(&stage.gateway.store, &[LayerSource::Files(files)], &config, &ImageLimits::default()).unwrap();
    let mut spec = stage.script(
        "for what in 'id -u' 'id -g'; do /suid/busybox $what; done; /suid/busybox touch /file 2>/dev/null || echo no",
    );
    spec.image = image.root.to_string();
    let (job, _) = stage.order(&spec, 60).await;
    let record = stage.completed(job).await;
    assert_eq!(stage.log(&record), "65534\n65534\nno\n", "{record:?}");
    stage.cleaned_up(job).await;
}
