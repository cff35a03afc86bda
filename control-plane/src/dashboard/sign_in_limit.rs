//! How often one address may try to sign in.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};

/// How many attempts an address has at once.
const BURST: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// How many it gets back per minute.
const PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// How many addresses are kept apart. Beyond that all new ones share one allowance.
const MAX_ADDRESSES: usize = 10_000;

/// Attempts to sign in, by address. Bounded, whoever asks.
pub struct SignInLimit {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl SignInLimit {
    /// Takes an attempt of `peer`, or tells for how many seconds it must wait.
    pub(super) fn take(&self, peer: IpAddr) -> Result<(), u64> {
        if self.limiter.len() >= MAX_ADDRESSES {
            self.limiter.retain_recent();
        }
        let key = if self.limiter.len() >= MAX_ADDRESSES {
            IpAddr::from(Ipv6Addr::UNSPECIFIED)
        } else {
            network(peer)
        };
        self.limiter.check_key(&key).map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            wait.as_secs().saturating_add(1)
        })
    }
}

impl Default for SignInLimit {
    fn default() -> Self {
        let quota = Quota::per_minute(PER_MINUTE).allow_burst(BURST);
        Self {
            limiter: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
        }
    }
}

impl fmt::Debug for SignInLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInLimit").finish_non_exhaustive()
    }
}

/// What counts as one address: of IPv6 the network, because its owner has all addresses in it.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn an_address_is_stopped_without_stopping_others() {
        let limit = SignInLimit::default();
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        for attempt in 1..=10 {
            assert_eq!(limit.take(one), Ok(()), "{attempt}");
        }
        let wait = limit.take(one).unwrap_err();
        assert!((1..=7).contains(&wait), "{wait}");
        assert_eq!(limit.take(other), Ok(()));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let limit = SignInLimit::default();
        let of = |host: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]);
        for host in 0..10 {
            assert_eq!(limit.take(of(host)), Ok(()), "{host}");
        }
        assert!(limit.take(of(11)).is_err());
        assert_eq!(
            limit.take(IpAddr::from([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1])),
            Ok(())
        );
    }

    #[test]
    fn the_number_of_addresses_is_bounded() {
        let limit = SignInLimit::default();
        for number in 0..20_000 {
            let _ = limit.take(IpAddr::from(Ipv4Addr::from_bits(number)));
        }
        assert!(limit.limiter.len() <= MAX_ADDRESSES + 1);
        assert!(limit.take(IpAddr::from([192, 0, 2, 1])).is_err());
    }
}
