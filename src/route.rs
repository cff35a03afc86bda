//! From a request's path to whom it names: a project, an MCP server, or nobody.
//!
//! A path is taken literally. Whatever another reader could take for a different path is refused, not repaired.

mod ambiguity;
mod path_rule;

use edge_api::check::Subject;

use self::ambiguity::{has_escaping_tail, is_plain};
use self::path_rule::PathRule;
use crate::config::{ConfigError, Fields};
use crate::oauth_dead_end::DeadEnd;

/// The most rules, and the most exemptions, a configuration may hold.
const MAX_RULES: usize = 64;

/// The configured path rules.
#[derive(Debug)]
pub(crate) struct Routes {
    rules: Vec<PathRule>,
    exempt: Vec<Exempt>,
    unmatched: Unmatched,
}

/// What a path gets that matches no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unmatched {
    /// It leads nowhere.
    Deny,
    /// It continues if it lies clearly outside every protected prefix.
    Allow,
}

/// A path that continues unchecked.
#[derive(Debug)]
enum Exempt {
    /// This path alone.
    Path(String),
    /// This path and everything below it; kept without the slash at its end.
    Prefix(String),
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// To a project's MCP servers.
    Subject(Subject),
    /// To something the configuration exempts.
    Exempt,
    /// Clearly outside everything protected, and the configuration lets that through.
    Outside,
    /// To the end of the road for a client that looks for a login: refused.
    DeadEnd(DeadEnd),
    /// To nobody: refused.
    Nowhere,
}

impl Routes {
    /// Takes `rules`, `exempt` and `unmatched` out of `fields`.
    pub(crate) fn parse(fields: &mut Fields) -> Result<Self, ConfigError> {
        let rules = fields.objects("rules")?.unwrap_or_default();
        if rules.is_empty() || rules.len() > MAX_RULES {
            return Err(ConfigError::new(
                "rules",
                format!(
                    "holds {} entries; write 1 to {MAX_RULES}, such as {{\"path\": \"/mcp/{{project_id}}\"}}",
                    rules.len()
                ),
            ));
        }
        let mut parsed: Vec<PathRule> = Vec::with_capacity(rules.len());
        for mut rule in rules {
            let (path, text) = (rule.path("path"), rule.required_text("path")?);
            rule.finish()?;
            let rule = PathRule::parse(&path, &text)?;
            if let Some(earlier) = parsed.iter().position(|earlier| earlier.covers(&rule)) {
                return Err(ConfigError::new(
                    path,
                    format!(
                        "can never match, because rules[{earlier}] matches all of its paths first; remove it or move it up"
                    ),
                ));
            }
            parsed.push(rule);
        }
        let exempt = fields.objects("exempt")?.unwrap_or_default();
        if exempt.len() > MAX_RULES {
            return Err(ConfigError::new(
                "exempt",
                format!("holds {} entries; write at most {MAX_RULES}", exempt.len()),
            ));
        }
        Ok(Self {
            rules: parsed,
            exempt: exempt
                .into_iter()
                .map(Exempt::parse)
                .collect::<Result<_, _>>()?,
            unmatched: fields.choice(
                "unmatched",
                [("deny", Unmatched::Deny), ("allow", Unmatched::Allow)],
            )?,
        })
    }

    /// Where `path`, the `:path` of a request with its query, leads.
    pub(crate) fn route(&self, path: Option<&[u8]>) -> Route {
        let Some(path) = path.and_then(without_query) else {
            return Route::Nowhere;
        };
        let plain = is_plain(path);
        if plain && self.exempt.iter().any(|exempt| exempt.matches(path)) {
            return Route::Exempt;
        }
        for rule in &self.rules {
            if let Some((subject, tail)) = rule.capture(path) {
                return if has_escaping_tail(tail) {
                    Route::Nowhere
                } else {
                    Route::Subject(subject)
                };
            }
        }
        match self.unmatched {
            Unmatched::Allow if plain && !self.rules.iter().any(|rule| rule.encloses(path)) => {
                Route::Outside
            }
            Unmatched::Allow | Unmatched::Deny => Route::Nowhere,
        }
    }
}

impl Exempt {
    fn parse(mut fields: Fields) -> Result<Self, ConfigError> {
        let (text, exempt) = match (fields.text("path")?, fields.text("prefix")?) {
            (Some(path), None) => (path.clone(), Self::Path(path)),
            (None, Some(prefix)) => {
                let exempt = prefix.strip_suffix('/').unwrap_or(&prefix).to_owned();
                (prefix, Self::Prefix(exempt))
            }
            _ => {
                return Err(ConfigError::new(
                    fields.own_path(),
                    "holds both or neither of path and prefix; write exactly one of them",
                ));
            }
        };
        if !text.starts_with('/') || !is_plain(text.as_bytes()) {
            return Err(ConfigError::new(
                fields.own_path(),
                format!(
                    "is {text}; write a path that begins with / and holds no %, \\, ;, empty or dot segment"
                ),
            ));
        }
        if matches!(&exempt, Self::Prefix(prefix) if prefix.is_empty()) {
            return Err(ConfigError::new(
                fields.own_path(),
                "is the prefix /, which would exempt every request; name what is to be exempt",
            ));
        }
        fields.finish()?;
        Ok(exempt)
    }

    fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::Path(exact) => path == exact.as_bytes(),
            Self::Prefix(prefix) => path
                .strip_prefix(prefix.as_bytes())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/")),
        }
    }
}

/// The path without its query; `None` when it does not begin with a slash.
fn without_query(path: &[u8]) -> Option<&[u8]> {
    let path = path.split(|&b| b == b'?').next()?;
    path.starts_with(b"/").then_some(path)
}

#[cfg(test)]
mod tests;
