//! One client's way through the cases.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::case::{Case, Ending};
use super::cast::Client;
use super::deployment::{Deployment, Project};
use super::program::{Answer, Order, Program, Transport};
use super::sentence;

/// What became of one client over one transport.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) client: String,
    pub(super) transport: Transport,
    pub(super) endings: BTreeMap<Case, Ending>,
}

/// A client between the cases, with the projects that are made for it.
pub(super) struct Run {
    client: Client,
    program: Program,
    /// One for each transport.
    locking: Vec<Project>,
    pub(super) rows: Vec<Row>,
}

/// Projects that all clients share.
#[derive(Debug)]
pub(super) struct Projects {
    pub(super) locked: Project,
    pub(super) other: Project,
}

impl Run {
    /// Starts the client's program and makes what it needs.
    pub(super) fn prepare(client: Client, deployment: &mut Deployment) -> Self {
        let row = |&transport| Row {
            client: client.name.clone(),
            transport,
            endings: BTreeMap::new(),
        };
        let rows = client.transports.iter().map(row).collect();
        let name = |index| format!("locking-{index}");
        let locking = (0..client.transports.len())
            .map(|index| deployment.create_untapped_project(&name(index)))
            .collect();
        Self {
            program: client.start(),
            locking,
            rows,
            client,
        }
    }

    /// All cases but those without a control plane.
    pub(super) async fn go(&mut self, deployment: &Deployment, projects: &Projects) {
        for index in 0..self.rows.len() {
            let transport = self.rows[index].transport;
            let mut endings = BTreeMap::new();
            let Projects { locked, other } = projects;
            if transport != Transport::OAuth {
                endings.extend(self.let_in(transport, deployment, locked).await);
                let locking = self.locking[index].clone();
                endings.insert(
                    Case::Locked,
                    self.locked(transport, deployment, &locking).await,
                );
            }
            let url = Deployment::through(&deployment.gateway, &locked.id, transport);
            for (case, headers) in [
                (Case::NoKey, json!({})),
                (
                    Case::WrongKind,
                    json!({"x-api-key": "uak_a1b2c3d4e5f6g7h8i9j0"}),
                ),
                (Case::OtherProject, other.headers()),
            ] {
                endings.insert(case, self.refused(transport, &url, headers).await);
            }
            self.rows[index].endings = endings;
        }
    }

    /// The case without a control plane, about a project that nobody has asked for yet.
    pub(super) async fn go_without_control_plane(&mut self, deployment: &Deployment) {
        for index in 0..self.rows.len() {
            let transport = self.rows[index].transport;
            let project = &self.locking[index];
            let (url, headers) = (deployment.tapped("pr_unseen", transport), project.headers());
            let ending = self.refused(transport, &url, headers).await;
            self.rows[index].endings.insert(Case::Unavailable, ending);
        }
    }

    async fn let_in(
        &mut self,
        transport: Transport,
        deployment: &Deployment,
        project: &Project,
    ) -> [(Case, Ending); 2] {
        let direct = deployment.direct(transport);
        let direct = self.works(transport, &direct, json!({})).await;
        let tapped = deployment.tapped(&project.id, transport);
        let key = self.works(transport, &tapped, project.headers()).await;
        [(Case::Direct, direct), (Case::Key, key)]
    }

    async fn locked(
        &mut self,
        transport: Transport,
        deployment: &Deployment,
        project: &Project,
    ) -> Ending {
        let url = Deployment::through(&deployment.gateway, &project.id, transport);
        let opened = self.order("open", transport, &url, json!({})).await;
        if !opened.ok {
            return Ending::Wrong(format!("the session did not open: {opened:?}"));
        }
        deployment.lock(project).await;
        let called = self.order("call", transport, &url, json!({})).await;
        self.order("close", transport, &url, json!({})).await;
        judged(&called)
    }

    async fn works(&mut self, transport: Transport, url: &str, headers: Value) -> Ending {
        let action = if self.client.sessions {
            "session"
        } else {
            "try"
        };
        let answer = self.order(action, transport, url, headers).await;
        match answer.shown {
            Some(shown) => Ending::Wrong(format!("after {:?} it shows: {shown}", answer.steps)),
            None => Ending::Worked(answer.steps.len().max(1)),
        }
    }

    async fn refused(&mut self, transport: Transport, url: &str, headers: Value) -> Ending {
        judged(&self.order("try", transport, url, headers).await)
    }

    async fn order(
        &mut self,
        action: &str,
        transport: Transport,
        url: &str,
        headers: Value,
    ) -> Answer {
        let order = Order {
            action,
            transport,
            url,
            headers,
        };
        self.program.order(&order).await
    }
}

/// The ending of a client that was to be refused.
fn judged(answer: &Answer) -> Ending {
    match &answer.shown {
        Some(shown) => Ending::Refused(sentence::steady(shown)),
        None if answer.connected || answer.ok => Ending::Wrong("it was let in".to_owned()),
        None => Ending::Wrong(format!("it answered out of turn: {answer:?}")),
    }
}
