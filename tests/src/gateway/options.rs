//! What a gateway is to be like, before it is started.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::listener_file::ListenerFile;
use crate::bootstrap::{self, CONTROL_PLANE, KEY_FILTER, MCP_SERVERS};
use crate::envoy_runner::{Launch, Runner};
use crate::{scripted_control_plane, wasm};

type Edit = Box<dyn FnOnce(&mut Value) + Send>;

/// The reference bootstrap with these changes. The default is one worker, free ports, and clusters where nobody listens.
pub struct GatewayOptions {
    concurrency: u32,
    listener: SocketAddr,
    admin: SocketAddr,
    control_plane: SocketAddr,
    upstream: SocketAddr,
    edge_token: Option<String>,
    module: Option<PathBuf>,
    edits: Vec<Edit>,
    log_level: String,
    runner: Option<Runner>,
    drain: Option<Duration>,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        // The discard port: connecting is refused at once.
        let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
        Self {
            concurrency: 1,
            listener: any,
            admin: any,
            control_plane: nobody,
            upstream: nobody,
            edge_token: Some(scripted_control_plane::EDGE_TOKEN.to_owned()),
            module: None,
            edits: Vec::new(),
            log_level: "warning,config:info,wasm:info".to_owned(),
            runner: None,
            drain: None,
        }
    }
}

impl GatewayOptions {
    /// Where the key filter's control plane is.
    #[must_use]
    pub fn control_plane(self, addr: SocketAddr) -> Self {
        let control_plane = addr;
        Self {
            control_plane,
            ..self
        }
    }

    /// Where the server behind the gateway is.
    #[must_use]
    pub fn upstream(self, addr: SocketAddr) -> Self {
        let upstream = addr;
        Self { upstream, ..self }
    }

    /// The number of workers. One makes caches per worker predictable.
    #[must_use]
    pub fn concurrency(self, concurrency: u32) -> Self {
        Self {
            concurrency,
            ..self
        }
    }

    /// What Envoy's environment holds as the edge token; `None` for nothing.
    #[must_use]
    pub fn edge_token(self, token: Option<&str>) -> Self {
        let edge_token = token.map(str::to_owned);
        Self { edge_token, ..self }
    }

    /// Changes the filter's configuration: an RFC 7396 merge patch, so `null` removes a field.
    #[must_use]
    pub fn plugin(self, patch: Value) -> Self {
        self.edit(move |bootstrap| {
            bootstrap::edit_plugin_configuration(bootstrap, |configuration| {
                json_patch::merge(configuration, &patch);
            });
        })
    }

    /// Hands the filter this text as its configuration, JSON or not.
    #[must_use]
    pub fn plugin_text(self, text: &str) -> Self {
        let text = text.to_owned();
        self.edit(move |bootstrap| bootstrap::set_plugin_text(bootstrap, &text))
    }

    /// Runs another module than the filter of this checkout.
    #[must_use]
    pub fn module(self, file: &Path) -> Self {
        let module = Some(file.to_owned());
        Self { module, ..self }
    }

    /// Changes the bootstrap; see [`crate::bootstrap`] for the ways to its parts. Edits run in order, after the rest.
    #[must_use]
    pub fn edit(mut self, edit: impl FnOnce(&mut Value) + Send + 'static) -> Self {
        self.edits.push(Box::new(edit));
        self
    }

    /// Takes the key filter out: a plain proxy.
    #[must_use]
    pub fn without_key_filter(self) -> Self {
        self.edit(bootstrap::remove_key_filter)
    }

    /// Listens here instead of on a free port of loopback.
    #[must_use]
    pub fn listener(self, listener: SocketAddr) -> Self {
        Self { listener, ..self }
    }

    /// Has the admin interface here instead of on a free port of loopback.
    #[must_use]
    pub fn admin(self, admin: SocketAddr) -> Self {
        Self { admin, ..self }
    }

    /// Uses this runner, whatever `ENVOY_RUNNER` says.
    #[must_use]
    pub fn runner(self, runner: Runner) -> Self {
        let runner = Some(runner);
        Self { runner, ..self }
    }

    /// Has the listener in a file of its own, so that [`Gateway::reload_listener`](super::Gateway::reload_listener) can
    /// change it. Connections of before a change are closed after `drain`, whole seconds.
    #[must_use]
    pub fn reloadable(self, drain: Duration) -> Self {
        let drain = Some(drain);
        Self { drain, ..self }
    }

    /// Envoy's log level, by default `warning,config:info,wasm:info`: a level for all, then components apart.
    #[must_use]
    pub fn log_level(self, level: &str) -> Self {
        let log_level = level.to_owned();
        Self { log_level, ..self }
    }
}

/// The file in Envoy's folder that names the admin interface's address, once Envoy has it.
pub(super) const ADMIN_ADDRESS: &str = "admin-address";

impl GatewayOptions {
    /// How Envoy is to be run.
    pub(super) fn chosen_runner(&self) -> Result<Runner> {
        self.runner.map_or_else(Runner::chosen, Ok)
    }

    /// Writes Envoy's files into `dir` and says how to start it.
    pub(super) fn prepare(self, dir: &Path) -> Result<Launch<'_>> {
        refuse_taken(self.listener, "the gateway")?;
        refuse_taken(self.admin, "Envoy's admin interface")?;
        let module = dir.join("mcp_key_auth.wasm");
        let mut config = bootstrap::reference();
        bootstrap::set_listener(&mut config, self.listener);
        bootstrap::set_admin(&mut config, self.admin);
        bootstrap::set_cluster(&mut config, CONTROL_PLANE, self.control_plane);
        bootstrap::set_cluster(&mut config, MCP_SERVERS, self.upstream);
        bootstrap::set_module(&mut config, &module.to_string_lossy());
        for edit in self.edits {
            edit(&mut config);
        }
        let filters = bootstrap::http_filters(&mut config);
        if filters.iter().any(|filter| filter["name"] == KEY_FILTER) {
            let built = self
                .module
                .as_deref()
                .unwrap_or_else(|| wasm::filter_module());
            fs::copy(built, &module).with_context(|| built.display().to_string())?;
        }
        if self.drain.is_some() {
            ListenerFile::of(dir).move_out_of(&mut config)?;
        }
        let file = dir.join("envoy.json");
        fs::write(&file, config.to_string()).context("cannot write Envoy's configuration")?;

        let (level, components) = match self.log_level.split_once(',') {
            Some((level, components)) => (level, Some(components)),
            None => (self.log_level.as_str(), None),
        };
        let path = |name: &str| dir.join(name).to_string_lossy().into_owned();
        let mut arguments = vec![
            format!("--config-path {}", path("envoy.json")),
            format!("--admin-address-path {}", path(ADMIN_ADDRESS)),
            format!("--concurrency {}", self.concurrency),
            format!("--log-level {level}"),
            // Many Envoys share one machine here, and the log is read while it is written.
            "--disable-hot-restart".to_owned(),
            "--file-flush-interval-msec 20".to_owned(),
        ];
        arguments.extend(
            self.drain
                .map(|drain| format!("--drain-time-s {}", drain.as_secs())),
        );
        arguments
            .extend(components.map(|components| format!("--component-log-level {components}")));
        Ok(Launch {
            dir,
            arguments: arguments
                .iter()
                .flat_map(|argument| argument.splitn(2, ' '))
                .map(str::to_owned)
                .collect(),
            environment: self
                .edge_token
                .map(|token| ("MCP_KEY_AUTH_EDGE_TOKEN".to_owned(), token))
                .into_iter()
                .collect(),
        })
    }
}

/// Envoy would say it too, but in the middle of a long log.
fn refuse_taken(addr: SocketAddr, whose: &str) -> Result<()> {
    if addr.port() != 0
        && let Err(error) = TcpListener::bind(addr)
    {
        bail!("{addr} is wanted for {whose}, but cannot be listened on: {error}");
    }
    Ok(())
}
