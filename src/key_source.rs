//! Where a client may put its API key, and what it put there. Never the query string: URLs end up in logs.

use edge_api::key_sha256::KeySha256;

use crate::api_key::ApiKey;
use crate::config::{ConfigError, Fields, HeaderName};
use crate::identity;
use crate::key_kind::KeyKind;

/// The most key sources a configuration may name; carriers are kept in one byte.
const MAX_SOURCES: usize = 8;

/// The configured key sources, at least one, no header twice.
#[derive(Debug)]
pub(crate) struct KeySources(Vec<KeySource>);

/// A header that may carry the key.
#[derive(Debug)]
struct KeySource {
    header: HeaderName,
    scheme: Option<String>,
}

/// What a request carries as its key, all sources taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credential {
    /// No source holds anything.
    Missing,
    /// Two different keys, or a source that occurs twice: whoever reads another one than we do would be fooled.
    Ambiguous,
    /// Something that no project key can look like.
    Malformed,
    /// A key that says it is not a project's.
    OtherKind(KeyKind),
    /// One key.
    Key(KeySha256),
}

/// What was found in the key sources, before anybody looked at the key itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presented<'a> {
    /// See [`Credential::Missing`].
    Missing,
    /// See [`Credential::Ambiguous`].
    Ambiguous,
    /// One key, of whatever shape.
    One(ApiKey<'a>),
}

/// A set of key sources, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Carriers(u8);

/// Collects the key from a request's headers, one header at a time.
pub(crate) struct KeyCollector<'a, 's> {
    sources: &'s KeySources,
    seen: Carriers,
    carriers: Carriers,
    key: Option<ApiKey<'a>>,
    ambiguous: bool,
}

impl KeySources {
    /// The header `x-api-key` when nothing is configured.
    pub(crate) fn parse(configured: Option<Vec<Fields>>) -> Result<Self, ConfigError> {
        let Some(configured) = configured else {
            let header = HeaderName::parse("key_sources", "x-api-key")?;
            return Ok(Self(vec![KeySource {
                header,
                scheme: None,
            }]));
        };
        if configured.is_empty() || configured.len() > MAX_SOURCES {
            return Err(ConfigError::new(
                "key_sources",
                format!(
                    "holds {} entries; name 1 to {MAX_SOURCES} headers",
                    configured.len()
                ),
            ));
        }
        let mut sources: Vec<KeySource> = Vec::with_capacity(configured.len());
        for mut fields in configured {
            let text = fields.required_text("header")?;
            let path = fields.path("header");
            let header = HeaderName::parse(&path, &text)?;
            if identity::is_identity(header.as_str().as_bytes()) {
                return Err(ConfigError::new(
                    path,
                    format!("is {text}, which the filter sets itself; choose another header"),
                ));
            }
            if sources.iter().any(|other| other.header == header) {
                return Err(ConfigError::new(
                    path,
                    format!("repeats the header {text}; name each header once"),
                ));
            }
            let scheme = fields.text("scheme")?;
            if scheme.as_deref().is_some_and(|s| !is_scheme(s)) {
                return Err(ConfigError::new(
                    fields.path("scheme"),
                    "is no authentication scheme; write one word such as Bearer, or leave it out",
                ));
            }
            fields.finish()?;
            sources.push(KeySource { header, scheme });
        }
        Ok(Self(sources))
    }

    /// How a client is told to send its key: the first source, as `x-api-key: <key>` without the key.
    pub(crate) fn preferred_header(&self) -> &str {
        self.0.first().map_or("x-api-key", |s| s.header.as_str())
    }

    /// The scheme word of the first source.
    pub(crate) fn preferred_scheme(&self) -> Option<&str> {
        self.0.first().and_then(|s| s.scheme.as_deref())
    }

    pub(crate) fn collector<'a>(&self) -> KeyCollector<'a, '_> {
        KeyCollector {
            sources: self,
            seen: Carriers::default(),
            carriers: Carriers::default(),
            key: None,
            ambiguous: false,
        }
    }

    /// Names of the headers that `carriers` stands for.
    pub(crate) fn names(&self, carriers: Carriers) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .enumerate()
            .filter(move |(index, _)| carriers.contains(*index))
            .map(|(_, source)| source.header.as_str())
    }
}

impl<'a> KeyCollector<'a, '_> {
    /// Takes one header of the request.
    pub(crate) fn handle_header(&mut self, name: &[u8], value: &'a [u8]) {
        let Some((index, source)) = self.sources.find(name) else {
            return;
        };
        if self.seen.contains(index) {
            self.ambiguous = true;
        }
        self.seen.insert(index);
        let Some(key) = source.key_in(value) else {
            return;
        };
        self.carriers.insert(index);
        // Envoy and other proxies join repeated headers with a comma; no key holds one.
        self.ambiguous |= key.contains(&b',');
        let key = ApiKey::new(key);
        self.ambiguous |= self.key.is_some_and(|other| other != key);
        self.key = Some(key);
    }

    /// What was presented, and which sources carried it.
    pub(crate) fn finish(self) -> (Presented<'a>, Carriers) {
        let presented = match self.key {
            _ if self.ambiguous => Presented::Ambiguous,
            None => Presented::Missing,
            Some(key) => Presented::One(key),
        };
        (presented, self.carriers)
    }
}

impl Presented<'_> {
    /// What it comes to. Hashes the key: worth avoiding where the answer is known by another name.
    pub(crate) fn credential(&self) -> Credential {
        match self {
            Self::Missing => Credential::Missing,
            Self::Ambiguous => Credential::Ambiguous,
            Self::One(key) => key
                .fingerprint()
                .map_or_else(|| Credential::no_project_key(*key), Credential::Key),
        }
    }
}

impl KeySources {
    fn find(&self, name: &[u8]) -> Option<(usize, &KeySource)> {
        self.0
            .iter()
            .enumerate()
            .find(|(_, source)| source.header.as_str().as_bytes() == name)
    }
}

impl KeySource {
    /// The key's bytes in a header value; `None` when there are none, or the scheme is another one.
    fn key_in<'v>(&self, value: &'v [u8]) -> Option<&'v [u8]> {
        let value = value.trim_ascii();
        let key = match &self.scheme {
            None => value,
            Some(scheme) => {
                let (word, rest) = value.split_at_checked(scheme.len())?;
                let rest = rest.strip_prefix(b" ")?;
                if !word.eq_ignore_ascii_case(scheme.as_bytes()) {
                    return None;
                }
                rest.trim_ascii()
            }
        };
        (!key.is_empty()).then_some(key)
    }
}

impl Credential {
    /// The key to ask about, when there is one worth asking about.
    pub(crate) fn key(self) -> Option<KeySha256> {
        match self {
            Self::Key(key) => Some(key),
            Self::Missing | Self::Ambiguous | Self::Malformed | Self::OtherKind(_) => None,
        }
    }

    /// What something comes to that is not shaped like a project's key.
    pub(crate) fn no_project_key(key: ApiKey<'_>) -> Self {
        key.other_kind().map_or(Self::Malformed, Self::OtherKind)
    }
}

impl Carriers {
    fn contains(self, index: usize) -> bool {
        self.0 & Self::bit(index) != 0
    }

    fn insert(&mut self, index: usize) {
        self.0 |= Self::bit(index);
    }

    fn bit(index: usize) -> u8 {
        u32::try_from(index)
            .ok()
            .and_then(|index| 1u8.checked_shl(index))
            .unwrap_or(0)
    }
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests;
