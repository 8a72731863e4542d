//! Finding listings: filters, order and pages of a [`GpuQuery`].

use std::{cmp::Ordering, sync::Arc};

use alloy_primitives::B256;
use axum::body::Bytes;
use market::PerHour;
use wire::http::{GpuJson, GpuQuery};

use super::{Entry, Shown, page};
use crate::{
    GatewayError,
    http::page::{cursor, limit, malformed, place, text},
};

/// A query that has been read.
#[derive(Debug)]
pub(crate) struct Search {
    model: Vec<String>,
    words: Vec<String>,
    location: Option<String>,
    source: Option<String>,
    min_gpus: u16,
    min_vram: u64,
    min_cpus: u16,
    min_memory: u64,
    min_uptime_bps: u16,
    max_price: Option<PerHour>,
    availability: Availability,
    simulated: Option<bool>,
    order: Order,
    limit: usize,
    after: Option<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Availability {
    Any,
    Listed,
    Now,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Id,
    Price,
    Vram,
    Gpus,
    Cpus,
    Memory,
    Uptime,
    Listed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    key: Key,
    largest_first: bool,
}

/// Where an entry stands in an order. It says so even when the entry has moved or is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    value: u128,
    id: B256,
}

impl Order {
    fn read(sort: Option<&str>) -> Result<Self, GatewayError> {
        let Some(sort) = sort else { return Ok(Self { key: Key::Id, largest_first: false }) };
        let (name, largest_first) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
        let key = match name {
            "price" => Key::Price,
            "vram" => Key::Vram,
            "gpus" => Key::Gpus,
            "cpus" => Key::Cpus,
            "memory" => Key::Memory,
            "uptime" => Key::Uptime,
            "listed" => Key::Listed,
            _ => {
                let reason = "sort by price, vram, gpus, cpus, memory, uptime or listed; - before it for largest first";
                return Err(malformed("sort", reason));
            }
        };
        Ok(Self { key, largest_first })
    }

    fn place(self, entry: &Entry) -> Place {
        let hardware = &entry.gpu.hardware;
        let value = match self.key {
            Key::Id => 0,
            Key::Price => entry.price.0,
            Key::Vram => hardware.vram_mib.into(),
            Key::Gpus => hardware.gpus.into(),
            Key::Cpus => hardware.cpus.into(),
            Key::Memory => hardware.memory_mib.into(),
            Key::Uptime => entry.gpu.uptime_bps.unwrap_or(0).into(),
            Key::Listed => entry.gpu.listed_at.as_second().unsigned_abs().into(),
        };
        Place { value, id: entry.gpu.id }
    }

    fn compare(self, one: &Place, other: &Place) -> Ordering {
        let values = one.value.cmp(&other.value);
        let values = if self.largest_first { values.reverse() } else { values };
        values.then(one.id.cmp(&other.id))
    }

    /// Names the order in a cursor, which means nothing in another one.
    fn name(self) -> (u8, bool) {
        (self.key as u8, self.largest_first)
    }

    fn cursor(self, last: &Entry) -> String {
        let Place { value, id } = self.place(last);
        cursor(&(self.name(), value, id))
    }
}

/// The cursor behind `last` in the order that a list has without a wish.
pub(super) fn plain_cursor(last: &Entry) -> String {
    Order { key: Key::Id, largest_first: false }.cursor(last)
}

impl Search {
    /// Reads a query of a market whose token has `decimals` places.
    pub(crate) fn read(query: &GpuQuery, decimals: u8) -> Result<Self, GatewayError> {
        let order = Order::read(text("sort", query.sort.as_deref())?)?;
        let after = match place::<((u8, bool), u128, B256)>(query.cursor.as_deref())? {
            None => None,
            Some((name, value, id)) if name == order.name() => Some(Place { value, id }),
            Some(_) => return Err(malformed("cursor", "it is of a list in another order; leave it out")),
        };
        let min_uptime = query.min_uptime.unwrap_or(0);
        if min_uptime > 100 {
            return Err(malformed("min_uptime", "it is in percent: 0 to 100"));
        }
        Ok(Self {
            model: words(text("model", query.model.as_deref())?),
            words: words(text("q", query.q.as_deref())?),
            location: text("location", query.location.as_deref())?.map(str::to_lowercase),
            source: text("source", query.source.as_deref())?.map(str::to_owned),
            min_gpus: query.min_gpus.unwrap_or(0),
            min_vram: query.min_vram.unwrap_or(0),
            min_cpus: query.min_cpus.unwrap_or(0),
            min_memory: query.min_memory.unwrap_or(0),
            min_uptime_bps: u16::from(min_uptime) * 100,
            max_price: query.max_price(decimals)?,
            availability: match query.availability.as_deref() {
                None | Some("any") => Availability::Any,
                Some("listed") => Availability::Listed,
                Some("now") => Availability::Now,
                Some(_) => return Err(malformed("availability", "write now, listed or any")),
            },
            simulated: query.simulated,
            order,
            limit: limit(query.limit)?,
            after,
        })
    }

    /// The page of `shown` that was asked for.
    pub(crate) fn page(&self, shown: &Shown) -> Bytes {
        let found = self.found(shown);
        let next = found.get(self.limit).and_then(|_| found.get(self.limit - 1)).map(|last| self.order.cursor(last));
        page(found.into_iter().take(self.limit), next)
    }

    /// The entries of the page, and one more when there is one.
    fn found<'a>(&self, shown: &'a Shown) -> Vec<&'a Arc<Entry>> {
        let wanted = self.limit + 1;
        let behind = |place: &Place| self.after.is_none_or(|after| self.order.compare(place, &after).is_gt());
        let placed = shown.all().iter().map(|entry| (self.order.place(entry), entry));
        let fitting = placed.filter(|(place, entry)| behind(place) && self.fits(entry));
        if self.order.key == Key::Id && !self.order.largest_first {
            return fitting.take(wanted).map(|(_, entry)| entry).collect();
        }
        let mut fitting: Vec<_> = fitting.collect();
        if fitting.len() > wanted {
            fitting.select_nth_unstable_by(wanted, |(one, _), (other, _)| self.order.compare(one, other));
            fitting.truncate(wanted);
        }
        fitting.sort_unstable_by(|(one, _), (other, _)| self.order.compare(one, other));
        fitting.into_iter().map(|(_, entry)| entry).collect()
    }

    fn fits(&self, entry: &Entry) -> bool {
        let GpuJson { hardware, location, source, .. } = &entry.gpu;
        let available = match self.availability {
            Availability::Any => true,
            Availability::Listed => entry.gpu.available,
            Availability::Now => entry.gpu.is_free(),
        };
        available
            && hardware.gpus >= self.min_gpus
            && hardware.vram_mib >= self.min_vram
            && hardware.cpus >= self.min_cpus
            && hardware.memory_mib >= self.min_memory
            && entry.gpu.uptime_bps.unwrap_or(0) >= self.min_uptime_bps
            && self.max_price.is_none_or(|most| entry.price <= most)
            && self.simulated.is_none_or(|simulated| hardware.simulated == simulated)
            && self.source.as_ref().is_none_or(|wish| wish == source)
            && self.location.as_ref().is_none_or(|wish| location.as_ref().is_some_and(|at| at.contains(wish)))
            && self.fits_words(&hardware.model, location.as_deref())
    }

    fn fits_words(&self, model: &str, location: Option<&str>) -> bool {
        if self.model.is_empty() && self.words.is_empty() {
            return true;
        }
        let model = model.to_lowercase();
        self.model.iter().all(|word| model.contains(word))
            && self.words.iter().all(|word| model.contains(word) || location.is_some_and(|at| at.contains(word)))
    }
}

fn words(text: Option<&str>) -> Vec<String> {
    text.map(|text| text.split_whitespace().map(str::to_lowercase).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
