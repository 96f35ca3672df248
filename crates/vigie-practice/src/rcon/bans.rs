//! Who failed too often, and for how long nobody listens to them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lock::locked;

/// How many addresses are remembered; beyond that the oldest is forgotten.
const MOST_ADDRESSES: usize = 1024;

/// The failures and bans of one server.
#[derive(Debug)]
pub(crate) struct Bans {
    /// Failures that make a ban; 0 never bans.
    limit: u32,
    lasting: Duration,
    records: Mutex<HashMap<IpAddr, Record>>,
}

#[derive(Debug)]
struct Record {
    failures: u32,
    last: Instant,
    banned: bool,
}

impl Bans {
    /// Bans after `limit` failures, for `lasting`.
    pub(crate) fn new(limit: u32, lasting: Duration) -> Self {
        Self { limit, lasting, records: Mutex::default() }
    }

    /// Whether an address is banned now.
    pub(crate) fn holds(&self, address: IpAddr) -> bool {
        let mut records = locked(&self.records);
        let Some(record) = records.get(&address) else { return false };
        if record.banned && record.last.elapsed() >= self.lasting {
            records.remove(&address);
            return false;
        }
        record.banned
    }

    /// Counts a failure; `true` when it is the one that bans.
    pub(crate) fn failed(&self, address: IpAddr) -> bool {
        let mut records = locked(&self.records);
        if !records.contains_key(&address) && records.len() >= MOST_ADDRESSES {
            let oldest = records.iter().min_by_key(|(_, record)| record.last).map(|(ip, _)| *ip);
            oldest.map(|oldest| records.remove(&oldest));
        }
        let record = records.entry(address).or_insert_with(|| Record {
            failures: 0,
            last: Instant::now(),
            banned: false,
        });
        record.failures = record.failures.saturating_add(1);
        record.last = Instant::now();
        let bans = self.limit > 0 && record.failures >= self.limit && !record.banned;
        record.banned |= bans;
        bans
    }

    /// Forgets the failures of an address that knew the password.
    pub(crate) fn succeeded(&self, address: IpAddr) {
        locked(&self.records).remove(&address);
    }

    /// Forgets everything.
    pub(crate) fn forget(&self) {
        locked(&self.records).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const WHO: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn bans_at_the_limit_and_for_a_while() {
        let bans = Bans::new(2, Duration::from_millis(30));
        assert!(!bans.failed(WHO));
        assert!(!bans.holds(WHO));
        assert!(bans.failed(WHO));
        assert!(bans.holds(WHO));
        std::thread::sleep(Duration::from_millis(50));
        assert!(!bans.holds(WHO));
        assert!(!bans.failed(WHO), "the count begins again after a ban");
    }

    #[test]
    fn a_success_forgets_the_failures_and_zero_never_bans() {
        let bans = Bans::new(2, Duration::MAX);
        bans.failed(WHO);
        bans.succeeded(WHO);
        assert!(!bans.failed(WHO));
        let never = Bans::new(0, Duration::MAX);
        assert!((0..100).all(|_| !never.failed(WHO)));
    }

    #[test]
    fn the_table_is_bounded() {
        let bans = Bans::new(5, Duration::MAX);
        for address in 0..5000_u32 {
            bans.failed(IpAddr::V4(Ipv4Addr::from_bits(address)));
        }
        assert_eq!(locked(&bans.records).len(), MOST_ADDRESSES);
    }
}
