//! The registry as engines see it: row by row, through skopeo, and through Docker itself.

use std::process::{Command, Stdio};

use content::image::Image;
use content::registry::router;
use content::{RegistryConfig, hex, sha256};
use reqwest::{Client, Method, Response};
use url::Url;

use crate::archives::{PLAIN, entry, file, import, layers, legacy, oci, tar};
use crate::fixture::{Store, serve, skip, store};

struct Registry {
    url: Url,
    store: Store,
    image: Image,
}

async fn registry(archive: &[u8]) -> Registry {
    let store = store();
    let image = import(&store, archive).unwrap();
    store.pin("me", &image.root).unwrap();
    let url = serve(router(store.store.clone(), RegistryConfig::default())).await;
    Registry { url, store, image }
}

impl Registry {
    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let path = path
            .replace("NAME", &self.image.root.to_string())
            .replace("MANIFEST", &self.image.manifest_digest)
            .replace("CONFIG", &self.image.config_digest)
            .replace("LAYER", &self.image.layers[0].digest);
        let mut request =
            Client::new().request(Method::from_bytes(method.as_bytes()).unwrap(), self.url.join(&path).unwrap());
        for (name, value) in headers {
            request = request.header(*name, value.replace("LAYER", &self.image.layers[0].digest));
        }
        request.send().await.unwrap()
    }

    async fn check(&self, method: &str, path: &str, headers: &[(&str, &str)], status: u16, expected: &[(&str, &str)]) {
        let answer = self.ask(method, path, headers).await;
        assert_eq!(answer.status().as_u16(), status, "{method} {path} {headers:?}");
        for (name, begins) in expected {
            let found = answer.headers().get(*name).map(|value| value.to_str().unwrap()).unwrap_or_default();
            assert!(found.starts_with(begins), "{method} {path} {headers:?}: {name} is {found:?}, not {begins:?}");
        }
    }
}

const MANIFEST_TYPE: (&str, &str) = ("content-type", "application/vnd.oci.image.manifest.v1+json");
const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn it_answers_by_the_specification() {
    let registry = registry(&legacy(&layers())).await;
    let size = registry.image.layers[0].size.to_string();
    let all = ("content-length", size.as_str());
    let ranges = ("accept-ranges", "bytes");
    let digest = ("docker-content-digest", "sha256:");
    registry.check("GET", "/v2/", &[], 200, &[JSON, ("docker-distribution-api-version", "registry/2.0")]).await;
    registry.check("GET", "/v2/NAME/manifests/MANIFEST", &[], 200, &[MANIFEST_TYPE, digest]).await;
    registry.check("HEAD", "/v2/NAME/manifests/MANIFEST", &[], 200, &[MANIFEST_TYPE, digest]).await;
    registry.check("GET", "/v2/NAME/manifests/latest", &[], 200, &[MANIFEST_TYPE]).await;
    registry.check("GET", "/v2/NAME/manifests/other", &[], 404, &[JSON]).await;
    registry.check("GET", "/v2/NAME/manifests/CONFIG", &[], 404, &[JSON]).await;
    registry.check("GET", "/v2/NAME/tags/list", &[], 200, &[JSON]).await;
    let config = ("content-type", "application/vnd.oci.image.config.v1+json");
    registry.check("GET", "/v2/NAME/blobs/CONFIG", &[], 200, &[config]).await;
    let layer = ("content-type", "application/vnd.oci.image.layer.v1.tar");
    registry.check("GET", "/v2/NAME/blobs/LAYER", &[], 200, &[layer, all, ranges, digest]).await;
    registry.check("HEAD", "/v2/NAME/blobs/LAYER", &[], 200, &[layer, all, ranges, digest]).await;
    let part = format!("bytes 5-9/{size}");
    registry
        .check("GET", "/v2/NAME/blobs/LAYER", &[("range", "bytes=5-9")], 206, &[("content-range", part.as_str())])
        .await;
    registry.check("GET", "/v2/NAME/blobs/LAYER", &[("range", "bytes=99999999-")], 416, &[JSON]).await;
    registry.check("GET", "/v2/NAME/blobs/LAYER", &[("if-none-match", "\"LAYER\"")], 304, &[]).await;
    registry.check("GET", &format!("/v2/NAME/blobs/sha256:{}", hex(&[0; 32])), &[], 404, &[JSON]).await;
    registry.check("GET", "/v2/NAME/blobs/../../oci-layout", &[], 404, &[]).await;
    registry.check("PUT", "/v2/NAME/manifests/latest", &[], 405, &[JSON]).await;
    registry.check("POST", "/v2/NAME/blobs/uploads/", &[], 404, &[JSON]).await;
    registry.check("DELETE", "/v2/NAME/manifests/MANIFEST", &[], 405, &[JSON]).await;
    registry.check("GET", "/v2/hello/manifests/latest", &[], 400, &[JSON]).await;
    registry.check("GET", "/v2/", &[("host", "evil.example:80")], 403, &[JSON]).await;
    registry.check("GET", "/v2/", &[("host", "192.168.1.4")], 403, &[JSON]).await;
    registry.check("GET", "/v2/", &[("host", "[::1]:5000")], 200, &[]).await;

    let whole = registry.ask("GET", "/v2/NAME/blobs/LAYER", &[]).await.bytes().await.unwrap();
    assert_eq!(format!("sha256:{}", hex(&sha256(&whole))), registry.image.layers[0].digest);
    let part = registry.ask("GET", "/v2/NAME/blobs/LAYER", &[("range", "bytes=1000000-1000099")]).await;
    assert_eq!(part.bytes().await.unwrap(), whole.slice(1_000_000..1_000_100));
}

#[tokio::test]
async fn only_what_is_pinned_and_in_order_is_handed_out() {
    let registry = registry(&legacy(&layers())).await;
    registry.check("GET", "/v2/NAME/manifests/MANIFEST", &[], 200, &[]).await;
    registry.store.unpin("me", &registry.image.root).unwrap();
    for path in ["/v2/NAME/manifests/MANIFEST", "/v2/NAME/blobs/LAYER", "/v2/NAME/tags/list"] {
        registry.check("GET", path, &[], 404, &[JSON]).await;
    }
    // An image whose layer is not what its name says.
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("layout");
    content::export(&registry.store, &registry.image.root, &folder, &content::ExportLimits::default()).unwrap();
    let blob = folder.join("blobs/sha256").join(&registry.image.layers[1].digest["sha256:".len()..]);
    let mut bytes = std::fs::read(&blob).unwrap();
    bytes[600] ^= 1;
    std::fs::write(&blob, bytes).unwrap();
    let forged = content::add_tree(&registry.store, &folder, &content::ImportConfig::default()).unwrap().cid;
    registry.store.pin("me", &forged).unwrap();
    registry.check("GET", &format!("/v2/{forged}/manifests/latest"), &[], 400, &[JSON]).await;
    let folder = content::add_bytes(&registry.store, b"no image", &content::ImportConfig::default()).unwrap().cid;
    registry.store.pin("me", &folder).unwrap();
    registry.check("GET", &format!("/v2/{folder}/manifests/latest"), &[], 400, &[JSON]).await;
}

async fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = tokio::process::Command::new(program);
    let out = command.args(arguments).stdin(Stdio::null()).output().await.unwrap();
    if !out.status.success() {
        eprintln!("{program} {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    }
    out.status.success().then(|| String::from_utf8(out.stdout).unwrap().trim().to_owned())
}

fn has(program: &str, argument: &str) -> bool {
    let status = Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[tokio::test]
async fn docker_pulls_by_digest_what_it_would_have_loaded() {
    if !has("docker", "info") {
        skip("docker pull: no Docker daemon answers");
        return;
    }
    let layers =
        [tar(&[entry(tar::EntryType::Directory, "etc/", "", b""), file("etc/pulled", b"through the registry")])];
    let registry = registry(&oci(&layers, &layers, PLAIN, |_| {})).await;
    let host = format!("127.0.0.1:{}", registry.url.port().unwrap());
    let name = format!("{host}/{}@{}", registry.image.root, registry.image.manifest_digest);
    run("docker", &["pull", "-q", &name]).await.unwrap();
    let id = run("docker", &["image", "inspect", "--format", "{{.Id}}", &name]).await.unwrap();
    let platform = run("docker", &["image", "inspect", "--format", "{{.RootFS.Layers}}", &name]).await.unwrap();
    run("docker", &["image", "rm", &name]).await.unwrap();
    // What `docker load` gives it as its ID, see the tests of images; stores of containerd use the manifest's.
    let expected = [&registry.image.config_digest, &registry.image.manifest_digest];
    assert!(expected.iter().any(|digest| **digest == id), "{id}");
    assert_eq!(platform, format!("[{}]", registry.image.layers[0].diff_id));
    let wrong = format!("{host}/{}@sha256:{}", registry.image.root, hex(&[0; 32]));
    assert!(run("docker", &["pull", "-q", &wrong]).await.is_none());
}

#[tokio::test]
async fn skopeo_reads_it() {
    if !has("skopeo", "--version") {
        skip("skopeo is not installed");
        return;
    }
    let registry = registry(&legacy(&layers())).await;
    let host = format!("127.0.0.1:{}", registry.url.port().unwrap());
    let name = format!("docker://{host}/{}", registry.image.root);
    let text = run("skopeo", &["inspect", "--tls-verify=false", &name]).await.unwrap();
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["Digest"], registry.image.manifest_digest.as_str());
    assert_eq!(found["RepoTags"], serde_json::json!(["latest"]));
    let dir = tempfile::tempdir().unwrap();
    let target = format!("oci:{}:copy", dir.path().join("copy").display());
    let policy = ["copy", "-q", "--insecure-policy", "--src-tls-verify=false", &name, &target];
    run("skopeo", &policy).await.unwrap();
    let other = store();
    let copied = content::image::import_image(&other, &dir.path().join("copy"), &content::ImageLimits::default());
    assert_eq!(copied.unwrap(), registry.image, "the same image, and so the same CID");
}
