//! Serving both APIs until a signal, then draining.

use std::{io, net::SocketAddr, time::Duration};

use jiff::SignedDuration;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::{
    port::{Patience, Port},
    ready_file::{Address, Addresses, ReadyFile},
    tls::{TlsError, renewal::Renewal},
};
use crate::{
    app::{self, AppState, Shared},
    clock::{Clock as _, SystemClock},
    config::ServeOptions,
    dashboard::{Dashboard, sign_in_limit::SignInLimit},
    edge::{
        edge_token::{EdgeToken, InvalidEdgeToken},
        ttl::Ttls,
    },
    metrics::{Api, Metrics, endpoint},
    store::{DatabaseUrl, OpenError, Store, WhenMissing},
};

mod port;
mod ready_file;
mod signal;
pub mod tls;

/// How long a query in flight may hold up the end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How often old counts are dropped.
const PRUNE_INTERVAL: Duration = Duration::from_secs(3_600);

/// Why the service does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No usable edge token.
    #[error(transparent)]
    EdgeToken(#[from] InvalidEdgeToken),
    /// No usable database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No usable TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A port is taken or not allowed.
    #[error(
        "{flag} {address}: {reason}; stop what uses it, or choose another with {flag} or {variable}"
    )]
    Bind {
        /// The flag that names the address.
        flag: &'static str,
        /// The environment variable that names the address.
        variable: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        reason: io::Error,
    },
    /// The ready file cannot be written.
    #[error("--ready-file {0}: {1}")]
    ReadyFile(std::path::PathBuf, #[source] io::Error),
    /// The system refuses signal handlers or the bound addresses.
    #[error("the system failed: {0}")]
    System(#[from] io::Error),
}

/// Serves until SIGTERM or SIGINT.
pub async fn serve(database: &DatabaseUrl, options: ServeOptions) -> Result<(), ServeError> {
    let edge_token = EdgeToken::from_environment()?;
    let public_tls = options.tls.public().map(Renewal::begin).transpose()?;
    let edge_tls = options.tls.edge().map(Renewal::begin).transpose()?;
    ReadyFile::clear(options.ready_file.as_deref())?;
    let shutdown = signal::cancelled_by_signal()?;
    let public = bind("--listen", "MCP_KEY_AUTH_LISTEN", options.listen).await?;
    let edge = bind(
        "--edge-listen",
        "MCP_KEY_AUTH_EDGE_LISTEN",
        options.edge_listen,
    )
    .await?;
    let metrics_port = match options.metrics_listen {
        Some(address) => {
            Some(bind("--metrics-listen", "MCP_KEY_AUTH_METRICS_LISTEN", address).await?)
        }
        None => None,
    };
    let store = Store::open(database, WhenMissing::Create).await?;

    let addresses = Addresses {
        public: Address::of(&public, public_tls.is_some())?,
        edge: Address::of(&edge, edge_tls.is_some())?,
        metrics: metrics_port
            .as_ref()
            .map(|listener| Address::of(listener, false))
            .transpose()?,
    };
    let ready_file = ReadyFile::write(options.ready_file, &addresses)?;
    info!(
        public = %addresses.public,
        edge = %addresses.edge,
        metrics = addresses.metrics.map(tracing::field::display),
        %database,
        "serving"
    );

    let metrics = Metrics::new(&store);
    let state = AppState::new(Shared {
        store: store.clone(),
        metrics: metrics.clone(),
        clock: Box::new(SystemClock),
        edge_token,
        ttls: Ttls {
            check: options.check_ttl,
            negative: options.negative_ttl,
        },
        limits: options.limits,
        dashboard: Dashboard {
            session_ttl: options.session_ttl,
            mcp_url: options.mcp_url,
            trusted_proxies: options.trusted_proxies,
            sign_ins: SignInLimit::default(),
        },
        request_timeout: options.request_timeout,
        shutdown: shutdown.clone(),
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(store.clone().follow(shutdown.clone()));
    tasks.spawn(prune_usage(store.clone(), options.usage_days));
    let mut ports = vec![
        Port {
            name: Api::Public.name(),
            listener: public,
            tls: public_tls.as_ref().map(Renewal::config),
            app: app::public_app(state.clone()),
        },
        Port {
            name: Api::Edge.name(),
            listener: edge,
            tls: edge_tls.as_ref().map(Renewal::config),
            app: app::edge_app(state),
        },
    ];
    ports.extend(metrics_port.map(|listener| Port {
        name: "metrics",
        listener,
        tls: None,
        app: endpoint::app(metrics.clone()),
    }));
    for renewal in [public_tls, edge_tls].into_iter().flatten() {
        tasks.spawn(renewal.keep(signal::hangup()?));
    }
    let patience = Patience {
        first_request: options.connect_timeout,
        idle: options.idle_timeout,
    };
    let served: JoinSet<_> = ports
        .into_iter()
        .map(|port| port.serve(patience, metrics.clone(), shutdown.clone()))
        .collect();
    tokio::select! {
        _ = served.join_all() => info!("stopped"),
        () = drained(&shutdown, options.drain_timeout) => warn!("stopped with requests in flight"),
    }
    drop(ready_file);
    drop(tasks);
    if tokio::time::timeout(CLOSE_TIMEOUT, store.close())
        .await
        .is_err()
    {
        warn!("the database was left open");
    }
    Ok(())
}

/// Forgets old counts, now and every hour.
async fn prune_usage(store: Store, days: u16) {
    let retention = SignedDuration::from_hours(i64::from(days) * 24);
    let mut hours = tokio::time::interval(PRUNE_INTERVAL);
    loop {
        hours.tick().await;
        if let Err(error) = store.prune_usage(retention, SystemClock.now()).await {
            warn!(%error, "old counts of requests were not dropped; it is tried again in an hour");
        }
    }
}

async fn bind(
    flag: &'static str,
    variable: &'static str,
    address: SocketAddr,
) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|reason| ServeError::Bind {
            flag,
            variable,
            address,
            reason,
        })
}

async fn drained(shutdown: &CancellationToken, limit: Duration) {
    shutdown.cancelled().await;
    info!(limit_s = limit.as_secs(), "shutting down");
    tokio::time::sleep(limit).await;
}
