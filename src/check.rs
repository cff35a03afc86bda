//! The check: the one question the filter asks the control plane, and the three ways it ends:
//! granted or denied by an [`Answer`], or a [`Fault`], which says nothing about any key.

use edge_api::check::{CheckRequest, CheckResponse, Subject, Verdict};
use edge_api::key_sha256::KeySha256;

use crate::cache::{CacheLimits, Entry, KeyVerdict, Known, LocalName, Policy, Remembered, Stamp};

/// The largest answer that is read, in bytes; a real one has a few hundred.
pub(crate) const MAX_ANSWER_LEN: usize = 16 * 1024;

/// What is asked. Requests with equal questions share one check.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    /// Whom the path names.
    pub(crate) subject: Subject,
    /// The key presented; `None` to learn the policy alone.
    pub(crate) key: Option<KeySha256>,
    /// What this worker calls the same question.
    pub(crate) name: LocalName,
}

/// The control plane's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    revision: u64,
    ttl_ms: u64,
    policy: Policy,
    verdict: Option<KeyVerdict>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Envoy would not send the check: unknown cluster, no healthy host, circuit breaker.
    NotSent,
    /// No answer in time.
    Timeout,
    /// The connection broke, or the answer was larger than Envoy holds.
    Reset,
    /// Another status than 200.
    Status,
    /// A body that is none, too large, or not of the schema.
    Schema,
    /// More requests wait, or more checks are under way, than the configuration allows.
    Overloaded,
    /// The project's budget of checks for bad keys is spent.
    OverBudget,
}

impl Question {
    /// The body of `POST /edge/v1/check`.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let request = CheckRequest {
            subject: self.subject.clone(),
            key_sha256: self.key,
        };
        // Two plain strings cannot fail to serialize; an empty body would be a fault at the other end.
        serde_json::to_vec(&request).unwrap_or_default()
    }

    /// Reads the answer to this question.
    ///
    /// # Errors
    /// [`Fault::Schema`] for anything that is not a complete and consistent answer to it.
    pub(crate) fn read_answer(&self, body: &[u8]) -> Result<Answer, Fault> {
        let response: CheckResponse = serde_json::from_slice(body).map_err(|_| Fault::Schema)?;
        let verdict = response.key.map(|key| KeyVerdict {
            verdict: key.verdict,
            key_id: key.id,
            expires_at_ms: key.expires_at,
        });
        let policy = match response.project {
            None => Policy::UnknownProject,
            Some(project) if project.require_mcp_api_key => Policy::Required(project.id),
            Some(project) => Policy::Open(project.id),
        };
        let asked_about_key = self.key.is_some() && policy != Policy::UnknownProject;
        let names_other_project = match (&self.subject, policy.project()) {
            (Subject::ProjectId(asked), Some(answered)) => asked != answered,
            _ => false,
        };
        let nameless_key = verdict
            .as_ref()
            .is_some_and(|v| v.verdict == Verdict::Valid && v.key_id.is_none());
        if verdict.is_some() != asked_about_key || names_other_project || nameless_key {
            return Err(Fault::Schema);
        }
        Ok(Answer {
            revision: response.revision,
            ttl_ms: response.ttl_ms,
            policy,
            verdict,
        })
    }
}

impl Answer {
    /// The answer as entries of the cache. An entry whose life is over at once serves the requests that
    /// asked and is not worth storing.
    ///
    /// `asked_ms` is when the check was sent, and `epoch` that of the feed then: from there on its age counts.
    pub(crate) fn into_known(self, limits: &CacheLimits, epoch: u32, asked_ms: u64) -> Known {
        let stamp = |good| Stamp {
            epoch,
            revision: self.revision,
            learnt_ms: asked_ms,
            fresh_until_ms: asked_ms.saturating_add(limits.ttl_ms(self.ttl_ms, good)),
        };
        Known {
            policy: Some(entry(self.policy, stamp)),
            verdict: self.verdict.map(|verdict| entry(verdict, stamp)),
        }
    }
}

fn entry<T: Remembered>(value: T, stamp: impl Fn(bool) -> Stamp) -> Entry<T> {
    let stamp = stamp(value.is_good());
    Entry { value, stamp }
}

impl Fault {
    /// Every fault, in the order of its counter.
    pub(crate) const ALL: [Self; 7] = [
        Self::NotSent,
        Self::Timeout,
        Self::Reset,
        Self::Status,
        Self::Schema,
        Self::Overloaded,
        Self::OverBudget,
    ];

    /// The fault's name in metrics and logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Status => "bad_status",
            Self::Schema => "bad_schema",
            Self::Overloaded => "overloaded",
            Self::OverBudget => "over_budget",
        }
    }

    /// Whether it tells that the control plane is in trouble, rather than this worker.
    pub(crate) fn is_control_planes(self) -> bool {
        match self {
            Self::NotSent | Self::Timeout | Self::Reset | Self::Status | Self::Schema => true,
            Self::Overloaded | Self::OverBudget => false,
        }
    }
}

#[cfg(test)]
mod tests;
