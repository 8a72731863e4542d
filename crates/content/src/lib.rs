//! Content by hash: blocks, files, folders and container images that can be checked by whoever gets them.

mod block;
mod blocking;
mod car;
mod config;
mod dag;
mod dagpb;
mod error;
mod fetch;
pub mod gateway;
pub mod image;
mod pace;
mod problem;
mod push;
pub mod registry;
mod store;
mod unixfs;
pub mod upload;

pub use block::{
    BLOCK_BYTES_MAX, Block, DAG_PB, Digest, IDENTITY_BYTES_MAX, RAW, Sha256, check_cid, hex, parse_cid, sha256,
};
pub use car::{
    CAR_HEADER_BYTES_MAX, CarDecoder, CarRequest, DagScope, EntityBytes, ImportedCar, VARINT_BYTES_MAX, car_stream,
    export_car, import_car,
};
pub use cid::Cid;
pub use config::{
    BODY_BYTES_PER_S, BODY_GRACE, BODY_IDLE, ExportLimits, FetchConfig, GatewayConfig, ImageLimits, ImportConfig,
    OutsideLinks, Pace, RegistryConfig, ScanConfig, Serves, StoreConfig, UploadConfig, serves_pinned,
};
pub use dag::{DAG_BLOCKS_MAX, DagSize, blocks_of, missing, total_size};
pub use dagpb::{Link, Node};
pub use error::{Error, Result};
pub use fetch::{FetchLimits, Fetched, Fetcher, Progress, SourceCounters};
pub use push::{Pass, Pushed, push};
pub use store::{
    BlockStore, CollectConfig, CollectStep, Collected, Hold, PIN_NAME_BYTES_MAX, PINS_MAX, POPULARITY_HALF_LIFE, Pin,
    UNUSED_AFTER, Used, Written,
};
pub use unixfs::export::{Exported, export};
pub use unixfs::file::Added;
pub use unixfs::import::{add_bytes, add_file, add_stream, add_tree, hash_file, hash_stream, hash_tree};
pub use unixfs::read::{
    DirectoryEntry, FileReader, Stat, file_size, file_stream, list_directory, read_file, read_small, resolve, stat,
};
pub use unixfs::{DIRECTORY_BLOCK_BYTES_MAX, FILE_WIDTH, Kind, NAME_BYTES_MAX, SYMLINK_BYTES_MAX};
