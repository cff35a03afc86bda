//! One protected path: literal segments and the one that names a project or an MCP server.

use edge_api::check::Subject;
use edge_api::id::{self, Id};

use super::ambiguity::is_plain;
use crate::config::ConfigError;

/// `/literal/{project_id}/literal`, matching that path and everything below it.
#[derive(Debug)]
pub(super) struct PathRule {
    /// Literal segments before the captured one.
    before: Vec<String>,
    capture: Capture,
    /// Literal segments after it.
    after: Vec<String>,
}

/// What the captured segment names.
#[derive(Debug, Clone, Copy)]
enum Capture {
    Project,
    Server,
}

impl PathRule {
    pub(super) fn parse(field: &str, path: &str) -> Result<Self, ConfigError> {
        let refuse = |problem: &str| {
            Err(ConfigError::new(
                field,
                format!("is {path}, {problem}; write a path like /mcp/{{project_id}}"),
            ))
        };
        let Some(segments) = path.strip_prefix('/') else {
            return refuse("which does not begin with /");
        };
        let (mut before, mut capture, mut after) = (Vec::new(), None, Vec::new());
        for segment in segments.split('/') {
            let found = match segment {
                "{project_id}" => Some(Capture::Project),
                "{server_id}" => Some(Capture::Server),
                _ => None,
            };
            match (found, capture) {
                (Some(_), Some(_)) => return refuse("which captures more than one segment"),
                (Some(_), None) => capture = found,
                (None, _) if segment.contains(['{', '}']) => {
                    return refuse(
                        "whose capture is not a whole segment {project_id} or {server_id}",
                    );
                }
                (None, _) if !is_literal(segment) => {
                    return refuse("which holds an empty, dot or encoded segment");
                }
                (None, None) => before.push(segment.to_owned()),
                (None, Some(_)) => after.push(segment.to_owned()),
            }
        }
        match capture {
            Some(capture) => Ok(Self {
                before,
                capture,
                after,
            }),
            None => refuse("which captures neither {project_id} nor {server_id}"),
        }
    }

    /// Whom `path` names under this rule, and the rest of the path below the rule's own segments.
    pub(super) fn capture<'p>(&self, path: &'p [u8]) -> Option<(Subject, &'p [u8])> {
        let rest = strip_segments(path, &self.before)?.strip_prefix(b"/")?;
        let end = rest.iter().position(|&b| b == b'/').unwrap_or(rest.len());
        let (id, rest) = rest.split_at_checked(end)?;
        if !id::is_valid(id) {
            return None;
        }
        let id = Id::parse(std::str::from_utf8(id).ok()?).ok()?;
        let tail = strip_segments(rest, &self.after)?;
        let subject = match self.capture {
            Capture::Project => Subject::ProjectId(id),
            Capture::Server => Subject::ServerId(id),
        };
        Some((subject, tail))
    }

    /// Whether `path` lies at or below the literal segments before the capture, in whatever case: then it
    /// could reach what this rule protects.
    pub(super) fn encloses(&self, path: &[u8]) -> bool {
        let mut segments = path.split(|&b| b == b'/').skip(1);
        self.before.iter().all(|literal| {
            segments
                .next()
                .is_some_and(|segment| segment.eq_ignore_ascii_case(literal.as_bytes()))
        })
    }

    /// Whether every path that `other` matches is matched by this rule.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let covered: Vec<Option<&str>> = other.pattern().collect();
        let ours: Vec<Option<&str>> = self.pattern().collect();
        ours.len() <= covered.len()
            && ours.iter().zip(&covered).all(|(ours, theirs)| match ours {
                None => theirs.is_none_or(|literal| id::is_valid(literal.as_bytes())),
                Some(literal) => *theirs == Some(*literal),
            })
    }

    /// The rule's segments; `None` stands for the captured one.
    fn pattern(&self) -> impl Iterator<Item = Option<&str>> {
        let before = self.before.iter().map(|s| Some(s.as_str()));
        let after = self.after.iter().map(|s| Some(s.as_str()));
        before.chain([None]).chain(after)
    }
}

/// `path` without the leading literal segments, each a whole segment; what is left is empty or begins with a slash.
fn strip_segments<'p>(path: &'p [u8], literals: &[String]) -> Option<&'p [u8]> {
    let mut rest = path;
    for literal in literals {
        rest = rest.strip_prefix(b"/")?.strip_prefix(literal.as_bytes())?;
        if !(rest.is_empty() || rest.starts_with(b"/")) {
            return None;
        }
    }
    Some(rest)
}

/// Whether `segment` can stand in a rule: something that Envoy's normalization leaves as it is.
fn is_literal(segment: &str) -> bool {
    !segment.is_empty() && is_plain(format!("/{segment}").as_bytes())
}
