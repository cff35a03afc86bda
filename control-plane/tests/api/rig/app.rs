//! Both routers over a fresh database, called without a socket.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use control_plane::{
    app::{self, AppState, Shared},
    clock::Clock as _,
    dashboard::{Dashboard, sign_in_limit::SignInLimit},
    edge::{edge_token::EdgeToken, ttl::Ttls},
    key::PlainKey,
    metrics::Metrics,
    model::{
        api_key::ApiKey,
        audit::Author,
        limits::{Limits, UNLIMITED},
        organisation::Organisation,
        organisation_key::OrganisationKey,
        project::Project,
        project_config::ProjectConfig,
        server::McpServer,
    },
    store::{DatabaseUrl, Store, WhenMissing},
};
use edge_api::{id::Id, key_format::Kind};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sqlx::AnyConnection;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::{clock::TestClock, reply::Reply};
use crate::TestDatabase;

pub(crate) const EDGE_TOKEN: &str = "edge-token-of-the-tests";
pub(crate) const CONFIG: &str = "/api/v3/org/project/config";
/// How many projects an organisation may have.
pub(crate) const MAX_PROJECTS: u32 = 5;
/// How many MCP servers a project may have.
pub(crate) const MAX_SERVERS: u32 = 5;
/// How many keys a project may have.
pub(crate) const MAX_KEYS: u32 = 12;
/// How long a session of the dashboard lasts.
pub(crate) const SESSION_TTL: SignedDuration = SignedDuration::from_hours(12);
/// Where the projects' MCP servers are.
pub(crate) const MCP_URL: &str = "https://gateway.example/mcp/{project_id}";
/// Where the clock stands at first.
pub(crate) const NOW: &str = "2026-11-23T12:00:00Z";

/// The app, with a project `pr_a` that requires no key.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) clock: TestClock,
    pub(crate) shutdown: CancellationToken,
    pub(crate) metrics: Metrics,
    public: Router,
    edge: Router,
    database: TestDatabase,
}

/// An organisation's key and what a caller presents.
pub(crate) struct OrgKey {
    pub(crate) id: Id,
    pub(crate) plain: PlainKey,
}

/// A key and what a caller presents.
pub(crate) struct TestKey {
    pub(crate) id: Id,
    pub(crate) plain: PlainKey,
}

impl TestKey {
    /// A key that was answered.
    pub(crate) fn of(id_text: &str, raw: &str) -> Self {
        Self {
            id: id(id_text),
            plain: PlainKey::parse(raw.as_bytes()).unwrap(),
        }
    }
}

impl App {
    pub(crate) async fn start() -> Self {
        let database = TestDatabase::fresh();
        let url: DatabaseUrl = database.url().parse().unwrap();
        let store = Store::open(&url, WhenMissing::Create).await.unwrap();
        let clock = TestClock::at(NOW);
        let shutdown = CancellationToken::new();
        let metrics = Metrics::new(&store);
        let state = AppState::new(Shared {
            store: store.clone(),
            metrics: metrics.clone(),
            clock: Box::new(clock.clone()),
            edge_token: EdgeToken::parse(EDGE_TOKEN.as_bytes()).unwrap(),
            ttls: Ttls {
                check: "30s".parse().unwrap(),
                negative: "5s".parse().unwrap(),
            },
            limits: Limits {
                keys_per_project: MAX_KEYS,
                servers_per_project: MAX_SERVERS,
                projects_per_organisation: MAX_PROJECTS,
            },
            dashboard: Dashboard {
                session_ttl: SESSION_TTL,
                mcp_url: Some(MCP_URL.parse().unwrap()),
                trusted_proxies: Vec::new(),
                sign_ins: SignInLimit::default(),
            },
            request_timeout: Duration::from_secs(10),
            shutdown: shutdown.clone(),
        });
        let (public, edge) = (app::public_app(state.clone()), app::edge_app(state));
        let app = Self {
            store,
            clock,
            shutdown,
            metrics,
            public,
            edge,
            database,
        };
        let organisation = Organisation {
            id: id("org_old"),
            name: "Old".parse().unwrap(),
            created_at: "2026-01-08T00:00:00Z".parse().unwrap(),
        };
        app.store
            .create_organisation(&cli(NOW), &organisation)
            .await
            .unwrap();
        app.project("pr_a").await;
        app
    }

    /// An organisation of today.
    pub(crate) async fn organisation(&self, organisation: &str) {
        let organisation = Organisation {
            id: id(organisation),
            name: "New".parse().unwrap(),
            created_at: self.clock.now(),
        };
        self.store
            .create_organisation(&cli(NOW), &organisation)
            .await
            .unwrap();
    }

    pub(crate) async fn organisation_key(&self, organisation: &str) -> OrgKey {
        self.organisation_key_until(organisation, None).await
    }

    pub(crate) async fn organisation_key_until(
        &self,
        organisation: &str,
        expires_at: Option<&str>,
    ) -> OrgKey {
        let plain = PlainKey::generate_as(Kind::Organisation).unwrap();
        let key = OrganisationKey {
            id: id(&format!("okey_{}", &plain.sha256().to_hex()[..12])),
            organisation_id: id(organisation),
            name: "Org key".parse().unwrap(),
            masked_key: plain.masked(),
            created_at: self.clock.now(),
            expires_at: expires_at.map(|time| time.parse().unwrap()),
            revoked_at: None,
        };
        self.store
            .create_organisation_key(&cli(NOW), &key, plain.sha256())
            .await
            .unwrap();
        OrgKey { id: key.id, plain }
    }

    pub(crate) async fn project(&self, project: &str) {
        self.project_of(project, "org_old").await;
    }

    pub(crate) async fn project_of(&self, project: &str, organisation: &str) {
        let project = Project {
            id: id(project),
            organisation_id: id(organisation),
            name: "Project".parse().unwrap(),
            created_at: self.clock.now(),
            config: ProjectConfig::for_organisation_created_at(
                "2026-01-08T00:00:00Z".parse().unwrap(),
            ),
        };
        self.store
            .create_project(&cli(NOW), &project, UNLIMITED)
            .await
            .unwrap();
    }

    pub(crate) async fn server(&self, server: &str, project: &str) {
        let server = McpServer {
            id: id(server),
            project_id: id(project),
            name: "Server".parse().unwrap(),
            created_at: self.clock.now(),
        };
        self.store
            .create_server(&cli(NOW), &server, UNLIMITED)
            .await
            .unwrap();
    }

    pub(crate) async fn key(&self, project: &str) -> TestKey {
        self.key_until(project, None).await
    }

    pub(crate) async fn key_until(&self, project: &str, expires_at: Option<&str>) -> TestKey {
        let plain = PlainKey::generate().unwrap();
        let key = ApiKey::new(
            id(&format!("key_{}", &plain.sha256().to_hex()[..12])),
            id(project),
            "Key".parse().unwrap(),
            self.clock.now(),
            expires_at.map(|time| time.parse().unwrap()),
            plain.masked(),
        );
        self.store
            .create_key(&cli(NOW), &key, plain.sha256(), UNLIMITED)
            .await
            .unwrap();
        TestKey { id: key.id, plain }
    }

    pub(crate) async fn public(&self, request: Request<Body>) -> Reply {
        Reply::read(self.public.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn edge(&self, request: Request<Body>) -> Reply {
        Reply::read(self.edge.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn get_config(&self, key: &TestKey) -> Reply {
        let request = Request::get(CONFIG).header("x-api-key", key.plain.reveal());
        self.public(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn patch_config(&self, key: &TestKey, body: impl Into<Body>) -> Reply {
        let request = Request::patch(CONFIG)
            .header("x-api-key", key.plain.reveal())
            .header(header::CONTENT_TYPE, "application/json");
        self.public(request.body(body.into()).unwrap()).await
    }

    /// Asks the public API with a project's key; no body is sent for `Value::Null`.
    pub(crate) async fn call(&self, method: &str, path: &str, key: &TestKey, body: Value) -> Reply {
        let headers = [("x-api-key", key.plain.reveal())];
        self.send(method, path, &headers, body).await
    }

    /// Asks the public API; no body is sent for `Value::Null`.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Body::from(body.to_string())
        };
        self.public(request.body(body).unwrap()).await
    }

    /// The items of a list that must be answered.
    pub(crate) async fn list(&self, path: &str, key: &TestKey) -> Vec<Value> {
        let reply = self.call("GET", path, key, Value::Null).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["items"].as_array().unwrap().clone()
    }

    /// Asks about a project and perhaps a key; the answer of a 200.
    pub(crate) async fn check(&self, project: &str, key: Option<&TestKey>) -> Value {
        self.check_subject(json!({"project_id": project}), key)
            .await
    }

    pub(crate) async fn check_subject(&self, subject: Value, key: Option<&TestKey>) -> Value {
        let hash = key.map(|key| key.plain.sha256().to_hex());
        let reply = self
            .edge(check_request(
                &json!({"subject": subject, "key_sha256": hash}).to_string(),
            ))
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }

    /// The answer to a poll that must succeed, but for the incarnation, which must be the database's.
    pub(crate) async fn changes(&self, after: u64, wait_ms: u64) -> Value {
        let path = format!("/edge/v1/changes?after={after}&wait_ms={wait_ms}");
        let request =
            Request::get(path).header(header::AUTHORIZATION, format!("Bearer {EDGE_TOKEN}"));
        let reply = self.edge(request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let mut answer = reply.json();
        let incarnation = answer.as_object_mut().unwrap().remove("incarnation");
        assert_eq!(incarnation, Some(json!(self.store.incarnation())));
        answer
    }

    /// Reads a route of the public API with a key; the answer of a 200.
    pub(crate) async fn get(&self, path: &str, key: &TestKey) -> Value {
        let request = Request::get(path).header("x-api-key", key.plain.reveal());
        let reply = self.public(request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.json()
    }

    /// Reports counts of requests.
    pub(crate) async fn report(&self, batch: &Value) -> Reply {
        let request = Request::post("/edge/v1/usage")
            .header(header::AUTHORIZATION, format!("Bearer {EDGE_TOKEN}"));
        self.edge(request.body(Body::from(batch.to_string())).unwrap())
            .await
    }

    /// A connection of its own to the database, to look at or break what the app cannot.
    pub(crate) async fn database(&self) -> AnyConnection {
        self.database.connect().await
    }
}

pub(crate) fn check_request(body: &str) -> Request<Body> {
    Request::post("/edge/v1/check")
        .header(header::AUTHORIZATION, format!("Bearer {EDGE_TOKEN}"))
        .body(Body::from(body.to_owned()))
        .unwrap()
}

/// The command line, at some time.
pub(crate) fn cli(at: &str) -> Author {
    Author::cli(at.parse().unwrap())
}

pub(crate) fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}
