//! A proxy between a program and a host that says back what it hears.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// A host of the owner's that says what it heard, and how it is called.
const MIRROR: &str = "mirror.example.org";

/// Says back what it hears, once, and hangs up.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut heard = vec![0; 1 << 16];
                let count = stream.read(&mut heard).await.unwrap_or_default();
                let said = String::from_utf8_lossy(&heard[..count]).into_owned();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", said.len());
                drop(stream.write_all(format!("{head}{said}").as_bytes()).await);
            });
        }
    });
    address
}

async fn proxy(allowed: &[&str], bytes: u64) -> SocketAddr {
    let mirrors = Mirrors::from([(MIRROR.to_owned(), echo().await)]);
    let allowed = allowed.iter().map(|text| text.parse().unwrap()).collect();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Arc::new(Proxy::new(allowed, mirrors, bytes)).serve(listener));
    address
}

/// What comes back until the line is cut.
async fn say(proxy: SocketAddr, words: &[&str]) -> String {
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    let mut heard = String::new();
    for (turn, word) in words.iter().enumerate() {
        stream.write_all(word.as_bytes()).await.unwrap();
        let mut piece = vec![0; 1 << 16];
        if turn + 1 < words.len() {
            let count = stream.read(&mut piece).await.unwrap();
            heard.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
    }
    drop(stream.read_to_string(&mut heard).await);
    heard
}

fn connect(to: &str) -> String {
    format!("CONNECT {to} HTTP/1.1\r\nhost: {to}\r\n\r\n")
}

fn get(address: &str, host: &str) -> String {
    format!("GET {address} HTTP/1.1\r\nhost: {host}\r\nproxy-authorization: Basic x\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn a_listed_host_is_reached_and_no_other() {
    let proxy = proxy(&["mirror.example.org:443", "*.below.org"], 1 << 20).await;
    let heard = say(proxy, &[&connect("mirror.example.org:443"), "hello"]).await;
    assert!(heard.starts_with("HTTP/1.1 200") && heard.ends_with("hello"), "{heard}");
    let refused = [
        ("mirror.example.org:22", "not in the job's list"),
        ("other.example.org:443", "not in the job's list"),
        ("127.0.0.1:443", "not in the job's list"),
        ("169.254.169.254:80", "not in the job's list"),
        ("[::1]:443", "not in the job's list"),
        ("[fd00:ec2::254]:80", "not in the job's list"),
    ];
    for (to, reason) in refused {
        let heard = say(proxy, &[&connect(to).replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")]).await;
        assert!(heard.starts_with("HTTP/1.1 403") && heard.contains(reason), "{to}: {heard}");
    }
    let dot = say(proxy, &[&connect("MIRROR.example.org.:443"), "hello"]).await;
    assert!(dot.ends_with("hello"), "the same name: {dot}");
}

#[tokio::test]
async fn plain_requests_go_where_their_address_says() {
    let proxy = proxy(&["mirror.example.org"], 1 << 20).await;
    let heard = say(proxy, &[&get("http://mirror.example.org/a?b=c", "bank.example.com")]).await;
    assert!(heard.contains("GET /a?b=c HTTP/1.1"), "{heard}");
    assert!(heard.contains("host: mirror.example.org") && !heard.contains("bank"), "{heard}");
    assert!(!heard.contains("proxy-authorization"), "what is said to the proxy stays there: {heard}");
    let heard = say(proxy, &[&get("/", "mirror.example.org")]).await;
    assert!(heard.starts_with("HTTP/1.1 400"), "{heard}");
    let heard = say(proxy, &[&get("http://169.254.169.254/latest/meta-data", "mirror.example.org")]).await;
    assert!(heard.starts_with("HTTP/1.1 403"), "{heard}");
}

#[tokio::test]
async fn the_allowance_ends_a_connection_and_then_all() {
    let proxy = proxy(&["mirror.example.org:443"], 1000).await;
    let much = "x".repeat(4000);
    let heard = say(proxy, &[&connect("mirror.example.org:443"), &much]).await;
    assert!(!heard.contains(&much), "4000 bytes there and back are more than 1000");
    let heard =
        say(proxy, &[&connect("mirror.example.org:443").replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")]).await;
    assert!(heard.contains("allowance is used up"), "{heard}");
}

#[test]
fn a_name_that_leads_home_is_not_dialled() {
    let addresses = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
    let home = addresses(&["127.0.0.1:80", "10.0.0.1:80", "[::ffff:192.168.0.1]:80", "[fe80::1]:80"]);
    assert_eq!(public("a.org", home.clone()), Err(Refusal::NotPublic("a.org".into())));
    let mixed = [home, addresses(&["1.1.1.1:80"])].concat();
    assert_eq!(public("a.org", mixed), Ok(addresses(&["1.1.1.1:80"])));
}
