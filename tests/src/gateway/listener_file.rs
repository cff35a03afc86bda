//! The listener in a file of its own, which Envoy watches: what is moved there in its place is served from then on.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// The file, in Envoy's folder.
pub(super) struct ListenerFile {
    path: PathBuf,
}

impl ListenerFile {
    /// That of the Envoy whose folder this is.
    pub(super) fn of(dir: &Path) -> Self {
        let path = dir.join("listener.json");
        Self { path }
    }

    /// Takes the listener out of the bootstrap and has Envoy read it from here.
    pub(super) fn move_out_of(&self, bootstrap: &mut Value) -> Result<()> {
        let listeners = bootstrap["static_resources"]["listeners"].take();
        self.write(listeners)?;
        bootstrap["static_resources"]["listeners"] = json!([]);
        bootstrap["dynamic_resources"]["lds_config"] = json!({
            "resource_api_version": "V3",
            "path_config_source": {"path": self.path.to_string_lossy()},
        });
        Ok(())
    }

    /// Changes it. `edit` gets a bootstrap that holds the listener alone.
    pub(super) fn rewrite(&self, edit: impl FnOnce(&mut Value)) -> Result<()> {
        let text = fs::read(&self.path).context("the gateway was not started as reloadable")?;
        let mut file: Value = serde_json::from_slice(&text)?;
        let listeners = file["resources"].take();
        let mut bootstrap = json!({"static_resources": {"listeners": listeners}});
        edit(&mut bootstrap);
        self.write(bootstrap["static_resources"]["listeners"].take())
    }

    /// Envoy looks only when a file is moved into place, so that it never reads half of one.
    fn write(&self, mut listeners: Value) -> Result<()> {
        for listener in listeners.as_array_mut().context("a list of listeners")? {
            listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
        }
        let new = self.path.with_extension("new");
        fs::write(&new, json!({"resources": listeners}).to_string())?;
        fs::rename(&new, &self.path).context("cannot move the listener's file into place")
    }
}
