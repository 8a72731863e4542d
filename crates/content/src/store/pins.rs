//! Pins: which roots are wanted, and by whom. Kept in a log.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::PoisonError;

use cid::Cid;

use super::log::Log;
use super::{BlockStore, guard};
use crate::block::{Digest, check_cid, identity_data};
use crate::error::{Error, Result};

/// Most pins: they are held in memory.
pub const PINS_MAX: usize = 1_000_000;
/// Longest name of a pin: an address, a job, a host name.
pub const PIN_NAME_BYTES_MAX: usize = 256;

/// A root that somebody wants kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin {
    /// Who or what wants it.
    pub name: String,
    /// Everything under this is kept.
    pub root: Cid,
}

#[derive(Debug)]
pub(super) struct Pins {
    log: Log,
    set: BTreeSet<Pin>,
    /// Those of them that may lapse.
    lapsing: BTreeSet<Pin>,
    /// How many names pin each root: asked for every request that a gateway answers.
    roots: HashMap<Cid, usize>,
}

/// For good, while it is used, and no more.
const KEEP: char = '+';
const LAPSE: char = '~';
const DROP: char = '-';

fn body(sign: char, pin: &Pin) -> String {
    format!("{sign} {} {}", pin.root, pin.name)
}

fn parse(body: &str) -> Option<(char, Pin)> {
    let mut parts = body.splitn(3, ' ');
    let sign = parts.next()?.chars().next()?;
    Some((sign, Pin { root: Cid::try_from(parts.next()?).ok()?, name: parts.next()?.to_owned() }))
}

impl Pins {
    pub(super) fn open(dir: &Path) -> Result<Pins> {
        let (mut set, mut lapsing) = (BTreeSet::new(), BTreeSet::new());
        let (log, is_clean) = Log::open(dir, "pins", &mut |body| match parse(body) {
            Some((KEEP, pin)) => {
                lapsing.remove(&pin);
                set.insert(pin);
                true
            }
            Some((LAPSE, pin)) => {
                lapsing.insert(pin.clone());
                set.insert(pin);
                true
            }
            Some((DROP, pin)) => {
                lapsing.remove(&pin);
                set.remove(&pin);
                true
            }
            _ => false,
        })?;
        let mut roots = HashMap::new();
        for pin in &set {
            *roots.entry(pin.root).or_default() += 1;
        }
        let mut pins = Pins { log, set, lapsing, roots };
        pins.shorten(is_clean);
        Ok(pins)
    }

    fn shorten(&mut self, is_clean: bool) {
        let sign = |pin| if self.lapsing.contains(pin) { LAPSE } else { KEEP };
        self.log.shorten(self.set.len(), is_clean, self.set.iter().map(|pin| body(sign(pin), pin)));
    }

    fn add(&mut self, pin: Pin, may_lapse: bool) -> Result<()> {
        if pin.name.is_empty() || pin.name.len() > PIN_NAME_BYTES_MAX || pin.name.chars().any(char::is_control) {
            return Err(Error::malformed("pin name", format!("it has 1 to {PIN_NAME_BYTES_MAX} printable bytes")));
        }
        let is_new = !self.set.contains(&pin);
        if !is_new && (may_lapse || !self.lapsing.contains(&pin)) {
            return Ok(());
        }
        if is_new && self.set.len() >= PINS_MAX {
            return Err(Error::TooLarge { what: "the set of pins", limit: PINS_MAX as u64 });
        }
        self.log.append([body(if may_lapse { LAPSE } else { KEEP }, &pin).as_str()])?;
        if may_lapse {
            self.lapsing.insert(pin.clone());
        } else {
            self.lapsing.remove(&pin);
        }
        if is_new {
            *self.roots.entry(pin.root).or_default() += 1;
            self.set.insert(pin);
        }
        self.shorten(true);
        Ok(())
    }

    fn remove(&mut self, pin: &Pin) -> Result<bool> {
        if !self.set.contains(pin) {
            return Ok(false);
        }
        self.log.append_or_owe(&body(DROP, pin))?;
        self.set.remove(pin);
        self.lapsing.remove(pin);
        let names = self.roots.remove(&pin.root).unwrap_or_default();
        if names > 1 {
            self.roots.insert(pin.root, names - 1);
        }
        self.shorten(true);
        Ok(true)
    }

    /// Writes down what the disk had no room for.
    pub(super) fn settle(&mut self) -> Result<()> {
        self.log.settle()
    }

    pub(super) fn lapsing(&self) -> Vec<Pin> {
        self.lapsing.iter().cloned().collect()
    }

    /// How many names pin a root.
    pub(super) fn names_of(&self, root: &Cid) -> usize {
        self.roots.get(root).copied().unwrap_or_default()
    }

    pub(super) fn list(&self) -> Vec<Pin> {
        self.set.iter().cloned().collect()
    }

    pub(super) fn roots_of(&self, name: &str) -> Vec<Cid> {
        // Marks are ordered by name, and no root comes before the default one.
        let first = Pin { name: name.to_owned(), root: Cid::default() };
        self.set.range(first..).take_while(|pin| pin.name == name).map(|pin| pin.root).collect()
    }

    pub(super) fn has_root(&self, root: &Cid) -> bool {
        self.roots.contains_key(root)
    }
}

impl BlockStore {
    /// Marks everything under `root` as wanted by `name` for good, durably. One name may pin many roots.
    pub fn pin(&self, name: &str, root: &Cid) -> Result<()> {
        self.pin_as(name, root, false)
    }

    pub(super) fn pin_as(&self, name: &str, root: &Cid, may_lapse: bool) -> Result<()> {
        check_cid(root)?;
        let _nothing_is_dropped = self.pinning.read().unwrap_or_else(PoisonError::into_inner);
        guard(&self.pins).add(Pin { name: name.to_owned(), root: *root }, may_lapse)?;
        self.kept.pinned(root);
        Ok(())
    }

    /// Takes a mark off again; says whether it was there. On a full disk this is written down once a
    /// [collection](Self::collect) has made room, and a crash before that brings the mark back.
    pub fn unpin(&self, name: &str, root: &Cid) -> Result<bool> {
        let was_there = self.take_off(&Pin { name: name.to_owned(), root: *root })?;
        if was_there {
            self.room.reconsider();
        }
        Ok(was_there)
    }

    /// [`unpin`](Self::unpin) for who is making room.
    pub(super) fn take_off(&self, pin: &Pin) -> Result<bool> {
        let mut pins = guard(&self.pins);
        let was_there = pins.remove(pin)?;
        let is_last = !pins.has_root(&pin.root);
        drop(pins);
        if was_there {
            self.kept.unpinned();
        }
        if is_last {
            guard(&self.uses).forget(&pin.root);
        }
        Ok(was_there)
    }

    /// All marks, by name and root.
    pub fn pins(&self) -> Vec<Pin> {
        guard(&self.pins).list()
    }

    /// What `name` wants.
    pub fn pinned_by(&self, name: &str) -> Vec<Cid> {
        guard(&self.pins).roots_of(name)
    }

    /// Whether anybody wants what is under `root`.
    pub fn is_pinned(&self, root: &Cid) -> bool {
        guard(&self.pins).has_root(root)
    }

    /// Whether `cid` is under a pin. The first call, and the first after [`unpin`](Self::unpin), reads every node
    /// under a pin; later ones only what was pinned since.
    pub fn is_kept(&self, cid: &Cid) -> bool {
        self.refresh_kept();
        self.is_kept_so_far(cid)
    }

    /// Takes note of everything pinned until now.
    pub(crate) fn refresh_kept(&self) {
        self.kept.refresh(self);
    }

    /// [`is_kept`](Self::is_kept) as of the last refresh, in no time.
    pub(crate) fn is_kept_so_far(&self, cid: &Cid) -> bool {
        identity_data(cid).is_some() || self.kept.has(cid)
    }

    /// The same for bytes, whatever codec they are kept under.
    pub(crate) fn is_digest_kept_so_far(&self, digest: &Digest) -> bool {
        self.kept.has_digest(digest)
    }
}
