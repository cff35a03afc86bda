//! What became of a request: one word for the log, the metrics and the response code details.

use crate::denial::Denial;

/// The one outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It continued.
    Allowed(Allowed),
    /// It was answered by the filter.
    Denied(Denial),
    /// It ended while it waited: the client left, or Envoy gave it up.
    Abandoned,
}

/// Why a request continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Its key is a live key of its project.
    ValidKey,
    /// Its project works without a key.
    NotRequired,
    /// A CORS preflight.
    Preflight,
    /// Its path is exempt.
    Exempt,
    /// Its path lies outside everything protected.
    Unmatched,
    /// It could not be checked, and the failure mode is to allow.
    ControlPlaneFault,
}

/// Where the decision came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheState {
    /// Nothing had to be known.
    Unused,
    /// All that was needed was remembered by this worker.
    Hit,
    /// It was remembered in shared data.
    SharedHit,
    /// Something was past its life and served because the control plane could not be asked.
    Stale,
    /// The control plane was asked.
    Miss,
}

impl Allowed {
    const ALL: [Self; 6] = [
        Self::ValidKey,
        Self::NotRequired,
        Self::Preflight,
        Self::Exempt,
        Self::Unmatched,
        Self::ControlPlaneFault,
    ];
}

impl Outcome {
    /// Every outcome, each once.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let allowed = Allowed::ALL.into_iter().map(Self::Allowed);
        let denied = Denial::ALL.into_iter().map(Self::Denied);
        allowed.chain(denied).chain([Self::Abandoned])
    }

    /// The outcome's place in [`Outcome::all`].
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Allowed(allowed) => allowed as usize,
            Self::Denied(denial) => Allowed::ALL.len() + denial.index(),
            Self::Abandoned => Allowed::ALL.len() + Denial::ALL.len(),
        }
    }

    /// The outcome's name in metrics and access logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Allowed(Allowed::ValidKey) => "allowed",
            Self::Allowed(Allowed::NotRequired) => "allowed_not_required",
            Self::Allowed(Allowed::Preflight) => "allowed_preflight",
            Self::Allowed(Allowed::Exempt) => "allowed_exempt",
            Self::Allowed(Allowed::Unmatched) => "allowed_unmatched",
            Self::Allowed(Allowed::ControlPlaneFault) => "allowed_control_plane_fault",
            Self::Denied(denial) => denial.outcome_name(),
            Self::Abandoned => "abandoned",
        }
    }
}

impl CacheState {
    /// Every state, in the order of its counter.
    pub(crate) const ALL: [Self; 5] = [
        Self::Unused,
        Self::Hit,
        Self::SharedHit,
        Self::Stale,
        Self::Miss,
    ];

    /// The state of a decision that needed two things.
    pub(crate) fn or_worse(self, other: Self) -> Self {
        if (self as usize) < (other as usize) {
            other
        } else {
            self
        }
    }

    /// The state's name in metrics and access logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::Hit => "hit",
            Self::SharedHit => "hit_shared",
            Self::Stale => "stale",
            Self::Miss => "miss",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_name_and_a_place_of_its_own() {
        let all: Vec<Outcome> = Outcome::all().collect();
        let mut names: Vec<&str> = all.iter().map(|o| o.name()).collect();
        for (index, outcome) in all.iter().enumerate() {
            assert_eq!(outcome.index(), index, "{outcome:?}");
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all.len());
    }
}
