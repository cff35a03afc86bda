//! The ports of the demo: fixed ones that people can remember, each with a variable to move it. Whether they are free
//! is found out before anything is started.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Where everything listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Envoy, which MCP clients talk to.
    pub gateway: u16,
    /// Envoy's admin interface.
    pub admin: u16,
    /// The control plane's public API.
    pub api: u16,
    /// The control plane's edge API, which Envoy talks to.
    pub edge: u16,
    /// The MCP server.
    pub mcp: u16,
}

/// Why the demo cannot have its ports.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// The variable holds no port.
    #[error("{variable}={value}: must be a port, 0 to 65535; 0 takes a free one")]
    NotAPort {
        /// The variable's name.
        variable: &'static str,
        /// What it holds.
        value: String,
    },
    /// Something else listens there.
    #[error(
        "port {port} for {what} is in use: stop what listens there, or choose another port, as in `{variable}={other} make run`"
    )]
    InUse {
        /// The port.
        port: u16,
        /// What wanted it.
        what: &'static str,
        /// The variable that moves it.
        variable: &'static str,
        /// A port to try instead.
        other: u16,
    },
    /// The system refuses, for example because the port is below 1024.
    #[error("cannot listen on port {port} for {what} ({variable}): {error}")]
    Refused {
        /// The port.
        port: u16,
        /// What wanted it.
        what: &'static str,
        /// The variable that moves it.
        variable: &'static str,
        /// What the system says.
        error: std::io::Error,
    },
}

struct Wanted {
    variable: &'static str,
    default: u16,
    what: &'static str,
}

/// In the order of the fields of [`Ports`].
const WANTED: [Wanted; 5] = [
    wanted("GATEWAY_PORT", 10000, "the gateway (Envoy)"),
    wanted("ADMIN_PORT", 9901, "Envoy's admin interface"),
    wanted("API_PORT", 8080, "the control plane's API"),
    wanted("EDGE_PORT", 8081, "the control plane's edge API"),
    wanted("MCP_PORT", 3000, "the MCP server"),
];

const fn wanted(variable: &'static str, default: u16, what: &'static str) -> Wanted {
    Wanted {
        variable,
        default,
        what,
    }
}

impl Ports {
    /// Reads the variables and makes sure that every port is free.
    ///
    /// # Errors
    /// When a variable holds no port, or something listens on one.
    pub fn free(variable: impl Fn(&str) -> Option<String>) -> Result<Self, PortError> {
        let mut ports = [0; 5];
        for (port, wanted) in ports.iter_mut().zip(&WANTED) {
            *port = parse(wanted, variable(wanted.variable))?;
        }
        // All are held at the same time, so that no two of them can be the same one.
        let mut held = Vec::new();
        for (port, wanted) in ports.iter_mut().zip(&WANTED) {
            let listener = hold(wanted, *port)?;
            let addr = listener.local_addr();
            *port = addr.map_err(|error| refused(wanted, *port, error))?.port();
            held.push(listener);
        }
        let [gateway, admin, api, edge, mcp] = ports;
        Ok(Self {
            gateway,
            admin,
            api,
            edge,
            mcp,
        })
    }
}

fn parse(wanted: &Wanted, value: Option<String>) -> Result<u16, PortError> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(wanted.default);
    };
    value.parse().map_err(|_| PortError::NotAPort {
        variable: wanted.variable,
        value,
    })
}

fn hold(wanted: &Wanted, port: u16) -> Result<TcpListener, PortError> {
    // On every address: a listener on any one of them would be in the way.
    let addr = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    TcpListener::bind(addr).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => PortError::InUse {
            port,
            what: wanted.what,
            variable: wanted.variable,
            other: port.checked_add(1000).unwrap_or(port - 1000),
        },
        _ => refused(wanted, port, error),
    })
}

fn refused(wanted: &Wanted, port: u16, error: std::io::Error) -> PortError {
    PortError::Refused {
        port,
        what: wanted.what,
        variable: wanted.variable,
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_free(name: &str) -> Option<String> {
        name.ends_with("_PORT").then(|| "0".to_owned())
    }

    #[test]
    fn zero_takes_free_ports_that_differ() {
        let ports = Ports::free(all_free).unwrap();
        let mut all = [ports.gateway, ports.admin, ports.api, ports.edge, ports.mcp];
        all.sort_unstable();
        assert!(all[0] > 0);
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_busy_port_is_named_with_its_variable_and_the_remedy() {
        let busy = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = busy.local_addr().unwrap().port();
        let error = Ports::free(|name| match name {
            "EDGE_PORT" => Some(port.to_string()),
            other => all_free(other),
        })
        .unwrap_err()
        .to_string();
        assert!(error.contains(&format!("port {port}")), "{error}");
        assert!(error.contains("EDGE_PORT="), "{error}");
        assert!(!error.contains('\n'));
    }

    #[test]
    fn two_parts_cannot_have_the_same_port() {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let error = Ports::free(|name| match name {
            "API_PORT" | "MCP_PORT" => Some(port.to_string()),
            other => all_free(other),
        });
        assert!(matches!(
            error,
            Err(PortError::InUse {
                variable: "MCP_PORT",
                ..
            })
        ));
    }

    #[test]
    fn what_is_no_port_is_named() {
        let error = Ports::free(|name| (name == "API_PORT").then(|| "http".to_owned()));
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("API_PORT=http: must be a port"),
            "{error}"
        );
    }
}
