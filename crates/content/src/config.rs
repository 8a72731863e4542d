//! Settings, as plain values: whoever composes the program fills them in.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use cid::Cid;

use crate::block::Digest;
use crate::store::BlockStore;

/// How a [`BlockStore`](crate::BlockStore) keeps its blocks.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Most bytes of all segments together. A batch that would pass it is refused whole.
    pub bytes_max: u64,
    /// A segment that has grown past this is sealed and a new one begun.
    pub segment_bytes: u64,
    /// Blocks that were put less than this ago are not garbage, wherever they belong: somebody is about to pin them.
    pub young: Duration,
    /// Whether `get` recomputes the hash. Off, a decayed disk is believed.
    pub verify_reads: bool,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            // Several large images; a provider that wants more says so.
            bytes_max: 256 << 30,
            // Verified in a quarter of a second after a crash, and large enough that a terabyte is 4,000 files.
            segment_bytes: 256 << 20,
            // Between the last batch of a DAG and its pin lie moments.
            young: Duration::from_secs(60),
            verify_reads: true,
        }
    }
}

/// How files become DAGs. The default is the profile `unixfs-v1-2025`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportConfig {
    /// Bytes of a leaf: [`CHUNK_1_MIB`](Self::CHUNK_1_MIB) or [`CHUNK_256_KIB`](Self::CHUNK_256_KIB).
    pub chunk_bytes: usize,
    /// Whether names that begin with a dot are taken along.
    pub include_hidden: bool,
    /// Most files, folders and links of one tree: their names are held in memory.
    pub entries_max: u64,
    /// Deepest folder: deeper ones are loops or attacks.
    pub depth_max: usize,
}

impl ImportConfig {
    /// The chunk of the profile `unixfs-v1-2025`.
    pub const CHUNK_1_MIB: usize = 1 << 20;
    /// The chunk of older imports, four times the number of blocks.
    pub const CHUNK_256_KIB: usize = 256 << 10;
}

impl Default for ImportConfig {
    fn default() -> Self {
        Self { chunk_bytes: Self::CHUNK_1_MIB, include_hidden: true, entries_max: 10_000_000, depth_max: 256 }
    }
}

/// What an export does with a symbolic link that leads out of the exported tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutsideLinks {
    /// Fails.
    Refuse,
    /// Leaves the link away and counts it.
    Skip,
    /// Writes the link as it is; whoever opens it later follows it.
    Keep,
}

/// How much an export may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportLimits {
    /// Most bytes of all files together.
    pub bytes_max: u64,
    /// Most files, folders and links.
    pub entries_max: u64,
    /// Deepest folder.
    pub depth_max: usize,
    /// What becomes of links that lead out of the tree.
    pub outside_links: OutsideLinks,
}

impl Default for ExportLimits {
    fn default() -> Self {
        Self { bytes_max: 1 << 40, entries_max: 10_000_000, depth_max: 256, outside_links: OutsideLinks::Refuse }
    }
}

/// How large an image may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageLimits {
    /// Most bytes of all layers together, uncompressed.
    pub bytes_max: u64,
    /// Most entries of all layers together.
    pub entries_max: u64,
    /// Most layers; overlay file systems end at 128.
    pub layers_max: usize,
    /// Most times that a layer may grow when it is decompressed. Text reaches about 20, zeros 1,000.
    pub ratio_max: u64,
}

impl Default for ImageLimits {
    fn default() -> Self {
        Self { bytes_max: 64 << 30, entries_max: 4_000_000, layers_max: 127, ratio_max: 200 }
    }
}

/// What an image is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanConfig {
    /// Most findings that are given in full; the rest is counted.
    pub findings_max: usize,
    /// Larger files are not searched for secrets. They are read into memory one by one.
    pub text_bytes_max: u64,
    /// Files that are known to be bad, by their SHA-256.
    pub known_bad: HashSet<Digest>,
}

impl Default for ScanConfig {
    fn default() -> Self {
        // Configuration files and scripts are smaller; a list of findings is read by a person.
        Self { findings_max: 1000, text_bytes_max: 1 << 20, known_bad: HashSet::new() }
    }
}

/// Says whether a gateway may hand out what is under a CID.
pub type Serves = Arc<dyn Fn(&Cid) -> bool + Send + Sync>;

/// Serves what is under a pin of `store`, and nothing that merely lies in it.
pub fn serves_pinned(store: &Arc<BlockStore>) -> Serves {
    let store = store.clone();
    Arc::new(move |cid| store.is_kept(cid))
}

/// How slow the other end of a body may be. Only the time that it keeps us waiting counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// A piece that takes longer ends the transfer.
    pub idle: Duration,
    /// So many bytes must have moved for each second of waiting,
    pub bytes_per_s: u64,
    /// once so much time was waited.
    pub grace: Duration,
}

/// Longer than any hiccup of a line; full socket buffers drain within it at [`BODY_BYTES_PER_S`].
pub const BODY_IDLE: Duration = Duration::from_secs(120);
/// A tenth of the slowest line that people still buy: who is slower holds a place on purpose.
pub const BODY_BYTES_PER_S: u64 = 16 << 10;
/// A transfer may begin slowly.
pub const BODY_GRACE: Duration = Duration::from_secs(120);

impl Default for Pace {
    fn default() -> Self {
        Self { idle: BODY_IDLE, bytes_per_s: BODY_BYTES_PER_S, grace: BODY_GRACE }
    }
}

/// How the HTTP gateway answers.
#[derive(Clone)]
pub struct GatewayConfig {
    /// Which roots are handed out; `None` hands out everything in the store.
    pub serves: Option<Serves>,
    /// Whether files and folders are answered as themselves, not only as blocks and archives.
    pub deserialized: bool,
    /// Most answers in preparation at once; above it a client is told to come back.
    pub requests_max: usize,
    /// How slowly an answer may be read.
    pub pace: Pace,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        // An answer in progress holds one of the runtime's 512 blocking threads; half stay free for the rest.
        Self { serves: None, deserialized: true, requests_max: 256, pace: Pace::default() }
    }
}

/// How the registry answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryConfig {
    /// How large an image may be that is handed to an engine.
    pub limits: ImageLimits,
    /// Most answers in preparation at once. An engine asks for three layers at a time.
    pub requests_max: usize,
    /// How slowly an answer may be read. Engines stop reading while they unpack.
    pub pace: Pace,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self { limits: ImageLimits::default(), requests_max: 64, pace: Pace::default() }
    }
}

/// How much may be uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadConfig {
    /// Most bytes of one request; a client sends a large DAG in several.
    pub request_bytes_max: u64,
    /// Most CIDs of one question about what is missing.
    pub cids_max: usize,
    /// Most bytes of one DAG, all its blocks together.
    pub dag_bytes_max: u64,
    /// Uploads in progress at once.
    pub uploads_max: usize,
    /// Most bytes that one signer has sent of DAGs that are not complete.
    pub unfinished_signer_bytes_max: u64,
    /// Most bytes that all signers have sent of DAGs that are not complete; never more than half the store.
    pub unfinished_bytes_max: u64,
    /// How slowly a body may come.
    pub pace: Pace,
}

impl Default for UploadConfig {
    fn default() -> Self {
        Self {
            request_bytes_max: 1 << 30,
            cids_max: 10_000,
            dag_bytes_max: 64 << 30,
            uploads_max: 64,
            // One DAG of the largest size and some change: blocks cost a little more than their bytes.
            unfinished_signer_bytes_max: 72 << 30,
            unfinished_bytes_max: 128 << 30,
            pace: Pace::default(),
        }
    }
}

/// How content is fetched from HTTP gateways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchConfig {
    /// A source that sends nothing for this long is left for the next.
    pub no_progress: Duration,
    /// Time to reach a source.
    pub connect: Duration,
    /// When no block has come from anybody for this long, the fetch ends.
    pub give_up: Duration,
    /// Blocks asked for one by one at the same time.
    pub parallel: usize,
}

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            no_progress: Duration::from_secs(30),
            connect: Duration::from_secs(5),
            give_up: Duration::from_secs(60),
            parallel: 8,
        }
    }
}
