//! What the gateway made of each request and answer: the difference of what the taps before and behind it have seen. Every
//! difference that the gateway is not known and meant to make is a finding.

use hyper::header::{HeaderMap, HeaderName};

use super::tap::{Answer, Exchange};

/// Headers that are about one connection, not about the message.
const HOP_BY_HOP: [&str; 4] = ["connection", "keep-alive", "transfer-encoding", "te"];
/// Headers that the gateway may add to a request.
const ADDED_TO_REQUEST: [&str; 8] = [
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-external-address",
    "x-envoy-original-path",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-mcp-key-id",
    PROJECT_ID,
    REQUEST_ID,
];
/// Headers that the gateway may add to an answer; besides these, those of CORS.
const ADDED_TO_ANSWER: [&str; 2] = ["x-envoy-upstream-service-time", REQUEST_ID];
const CORS: &str = "access-control-";
/// The key's header, which stays at the gateway.
const KEY: &str = "x-api-key";
/// Given out by the gateway, so it tells which request behind it belongs to which one before it.
const REQUEST_ID: &str = "x-request-id";
/// Set by the gateway, never by a client.
const PROJECT_ID: &str = "x-mcp-project-id";

/// What was compared, and what was found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Exchanges that both taps have seen.
    pub(super) compared: usize,
    /// One line for each difference.
    pub(super) differences: Vec<String>,
}

/// Compares what was before the gateway with what was behind it. `keys` must not be behind it. Requests of the projects
/// `untapped` did not pass the tap before the gateway.
pub(super) fn compare(
    before: &[Exchange],
    behind: &[Exchange],
    keys: &[String],
    untapped: &[String],
) -> Findings {
    let mut findings = Findings::default();
    for far in behind {
        findings.look_for(keys, far);
        let project = far.headers.get(PROJECT_ID);
        if project.is_some_and(|id| {
            untapped
                .iter()
                .any(|other| other.as_bytes() == id.as_bytes())
        }) {
            continue;
        }
        let id = far.headers.get(REQUEST_ID);
        let near = before.iter().find(|near| {
            id.is_some()
                && near
                    .answer
                    .as_ref()
                    .is_some_and(|a| a.headers.get(REQUEST_ID) == id)
        });
        match near {
            Some(near) => {
                findings.compared += 1;
                findings.compare_requests(near, far);
                if let (Some(near_answer), Some(far_answer)) = (&near.answer, &far.answer) {
                    findings.compare_answers(near, near_answer, far_answer);
                }
            }
            // Nobody has seen the answer of a client that left before it: its request is the gateway's own doing only if
            // no client sent the same.
            None if before
                .iter()
                .any(|near| near.answer.is_none() && near.method == far.method) => {}
            None => findings.note(far, "reached the server, but no client sent it"),
        }
    }
    findings
}

impl Findings {
    fn compare_requests(&mut self, near: &Exchange, far: &Exchange) {
        if near.method != far.method {
            self.note(near, &format!("reached the server as {}", far.method));
        }
        if rewritten(&near.target) != far.target {
            self.note(near, &format!("reached the server as {}", far.target));
        }
        let mut sent = near.headers.clone();
        sent.remove(KEY);
        let added = |name: &HeaderName| ADDED_TO_REQUEST.contains(&name.as_str());
        self.compare_headers(near, "request", &sent, &far.headers, added);
        if near.body != far.body {
            let lengths = (near.body.len(), far.body.len());
            self.note(
                near,
                &format!("the request's body is another one: {lengths:?} bytes"),
            );
        }
    }

    fn compare_answers(&mut self, request: &Exchange, near: &Answer, far: &Answer) {
        if near.status != far.status {
            self.note(
                request,
                &format!("answered {} as {}", far.status, near.status),
            );
        }
        let added = |name: &HeaderName| {
            ADDED_TO_ANSWER.contains(&name.as_str()) || name.as_str().starts_with(CORS)
        };
        self.compare_headers(request, "answer", &far.headers, &near.headers, added);
        // A client may leave a stream before all of it is through.
        let same = if near.whole && far.whole {
            near.body == far.body
        } else {
            far.body.starts_with(&near.body)
        };
        if !same {
            let lengths = (far.body.len(), near.body.len());
            self.note(
                request,
                &format!("the answer's body is another one: {lengths:?} bytes"),
            );
        }
    }

    fn compare_headers(
        &mut self,
        request: &Exchange,
        whose: &str,
        sent: &HeaderMap,
        received: &HeaderMap,
        added: impl Fn(&HeaderName) -> bool,
    ) {
        let values = |headers: &HeaderMap, name: &HeaderName| {
            let values: Vec<_> = headers.get_all(name).iter().cloned().collect();
            values
        };
        for name in sent.keys() {
            if HOP_BY_HOP.contains(&name.as_str()) {
                continue;
            }
            let (before, after) = (values(sent, name), values(received, name));
            if after.is_empty() {
                self.note(request, &format!("the {whose} lost its header {name}"));
            } else if before != after && !added(name) {
                self.note(
                    request,
                    &format!("the {whose}'s {name} {before:?} became {after:?}"),
                );
            }
        }
        for name in received.keys() {
            let known = HOP_BY_HOP.contains(&name.as_str()) || added(name);
            if !known && !sent.contains_key(name) {
                self.note(request, &format!("the {whose} gained a header {name}"));
            }
        }
    }

    fn look_for(&mut self, keys: &[String], far: &Exchange) {
        let headers = far.headers.iter().flat_map(|(name, value)| {
            [name.as_str().as_bytes(), value.as_bytes()].map(<[u8]>::to_vec)
        });
        let places: Vec<_> = headers
            .chain([far.target.clone().into_bytes(), far.body.clone()])
            .collect();
        let leaked = keys.iter().any(|key| {
            let key = key.as_bytes();
            let holds = |place: &Vec<u8>| place.windows(key.len()).any(|window| window == key);
            places.iter().any(holds)
        });
        if leaked {
            self.note(far, "the key reached the server");
        }
    }

    fn note(&mut self, request: &Exchange, what: &str) {
        let line = format!("{} {}: {what}", request.method, request.target);
        self.differences.push(line);
    }
}

/// The path that the reference bootstrap's routes make of a project's.
fn rewritten(target: &str) -> String {
    let rest = target.strip_prefix("/mcp/").unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    format!("/mcp{}", &rest[end..])
}

#[cfg(test)]
mod tests;
