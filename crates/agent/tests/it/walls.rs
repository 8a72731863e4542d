//! What a program sees of its walls, from inside.

use std::net::SocketAddr;

use agent::NetworkPolicy;
use axum::{Router, routing::get};
use market::Outcome;
use testkit::{Need, docker_available, skip};
use wire::Network;

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_program_can_do_nothing_that_it_was_not_granted() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let script = r#"b=/bin/busybox
        $b grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status
        $b id -u
        $b touch /file 2>/dev/null || echo root is read-only
        $b touch /inputs/file 2>/dev/null || echo inputs are read-only
        $b cp $b /tmp/b && /tmp/b true 2>/dev/null || echo tmp runs nothing
        $b mount -t tmpfs none /tmp 2>/dev/null || echo no mounting
        $b ls /sys/class/net
        $b test -e /var/run/docker.sock || echo no socket
        $b grep -E ' /(outputs|scratch) ' /proc/mounts | $b grep -c nosuid,nodev
        echo $LD_PRELOAD.
        ulimit -c"#;
    let (job, _) = stage.order(&stage.script(script), 60).await;
    let record = stage.completed(job).await;
    let zero = "0000000000000000";
    let expected = format!(
        "CapBnd:\t{zero}\nCapEff:\t{zero}\nNoNewPrivs:\t1\nSeccomp:\t2\n65534\nroot is read-only\n\
         inputs are read-only\ntmp runs nothing\nno mounting\nlo\nno socket\n2\n.\n0\n"
    );
    let mut seen: Vec<String> = stage.log(&record).lines().map(str::to_owned).collect();
    seen[..4].sort_unstable();
    assert_eq!(seen.join("\n") + "\n", expected, "{record:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_reaches_the_hosts_that_it_listed_and_no_others() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let mirror = crate::gateway::serve(Router::new().route("/file", get(async || "from the mirror\n"))).await;
    let mirror: SocketAddr = format!("127.0.0.1:{}", mirror.port().unwrap()).parse().unwrap();
    let mut stage = Stage::new().await;
    stage.config.network = NetworkPolicy::Listed;
    stage.config.mirrors = [("mirror.example.org".to_owned(), mirror)].into();
    let _agent = stage.agent().await;
    let script = r#"b=/bin/busybox
        $b ls /sys/class/net
        $b wget -q -O - http://mirror.example.org/file
        for away in other.example.org 169.254.169.254 127.0.0.1; do
            $b wget -q -O - http://$away/file 2>&1 | $b grep -o 'HTTP/1.1 403'
        done
        http_proxy= $b wget -q -O - http://1.1.1.1/ 2>&1 | $b grep -o unreachable
        $b cat /proc/1/comm"#;
    let mut spec = stage.script(script);
    spec.network = Network::Allow(vec!["mirror.example.org".into()]);
    let (job, _) = stage.order(&spec, 60).await;
    let record = stage.completed(job).await;
    let expected = "lo\nfrom the mirror\nHTTP/1.1 403\nHTTP/1.1 403\nHTTP/1.1 403\nunreachable\nbusybox\n";
    assert_eq!(stage.log(&record), expected, "{record:?}");
    stage.cleaned_up(job).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_fills_its_disk_hurts_only_itself() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let script = "/bin/busybox dd if=/dev/zero of=/scratch/big bs=1M count=64 2>/dev/null && echo too much; exit 7";
    let (job, terms) = stage.order(&stage.script(script), 60).await;
    let record = stage.completed(job).await;
    let ending = stage.ending(job).await;
    assert_eq!(ending.outcome, Outcome::Failed);
    assert_eq!(stage.log(&record), "", "64 MiB did not fit into 16");
    stage.money_adds_up(&terms, &ending).await;
    stage.cleaned_up(job).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_takes_too_much_memory_fails() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    // `tail` of a line without an end keeps all of it.
    let (job, terms) = stage.order(&stage.script("exec /bin/busybox tail -n 1 /dev/zero"), 60).await;
    let record = stage.completed(job).await;
    assert!(record.reason.as_ref().unwrap().contains("memory"), "{record:?}");
    let ending = stage.ending(job).await;
    assert_eq!(ending.outcome, Outcome::Failed);
    stage.money_adds_up(&terms, &ending).await;
}
