//! Serving both APIs until a signal, then draining.

use std::{future::IntoFuture as _, io, net::SocketAddr, time::Duration};

use axum::{Router, serve::ListenerExt as _};
use jiff::SignedDuration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::ready_file::{Addresses, ReadyFile};
use crate::{
    app::{self, AppState, Shared},
    clock::{Clock as _, SystemClock},
    config::ServeOptions,
    dashboard::{Dashboard, sign_in_limit::SignInLimit},
    edge::{
        edge_token::{EdgeToken, InvalidEdgeToken},
        ttl::Ttls,
    },
    metrics::{Metrics, endpoint},
    store::{DatabaseUrl, OpenError, Store, WhenMissing},
};

mod ready_file;
mod signal;

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
        public: public.local_addr()?,
        edge: edge.local_addr()?,
        metrics: metrics_port
            .as_ref()
            .map(TcpListener::local_addr)
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
            sign_ins: SignInLimit::default(),
        },
        request_timeout: options.request_timeout,
        shutdown: shutdown.clone(),
    });
    let follow = tokio::spawn(store.clone().follow(shutdown.clone()));
    let prune = tokio::spawn(prune_usage(store.clone(), options.usage_days));
    let served = async {
        tokio::join!(
            listen(public, app::public_app(state.clone()), shutdown.clone()),
            listen(edge, app::edge_app(state), shutdown.clone()),
            async {
                match metrics_port {
                    Some(port) => listen(port, endpoint::app(metrics), shutdown.clone()).await,
                    None => Ok(()),
                }
            },
        )
    };
    tokio::select! {
        _ = served => info!("stopped"),
        () = drained(&shutdown, options.drain_timeout) => warn!("stopped with requests in flight"),
    }
    drop(ready_file);
    follow.abort();
    prune.abort();
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

async fn listen(listener: TcpListener, app: Router, shutdown: CancellationToken) -> io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // Answers are small: waiting to fill a packet would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            warn!(%error, "cannot set TCP_NODELAY");
        }
    });
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .into_future()
        .await
}

async fn drained(shutdown: &CancellationToken, limit: Duration) {
    shutdown.cancelled().await;
    info!(limit_s = limit.as_secs(), "shutting down");
    tokio::time::sleep(limit).await;
}
