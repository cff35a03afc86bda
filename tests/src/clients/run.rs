//! One client's way through the cases.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::case::{Case, Ending};
use super::cast::{Client, Nature};
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
            let locking = self.locking[index].clone();
            let mut endings = BTreeMap::new();
            for case in self.cases(transport) {
                let ending = self.ending(case, transport, deployment, projects, &locking);
                endings.insert(case, ending.await);
            }
            self.rows[index].endings = endings;
        }
    }

    /// What there is to try over a transport.
    fn cases(&self, transport: Transport) -> Vec<Case> {
        let nature = self.client.nature;
        if transport == Transport::OAuth {
            return vec![Case::NoKey, Case::DeadEnd];
        }
        let mut cases = vec![Case::Key, Case::NoKey, Case::WrongKind, Case::OtherProject];
        if nature != Nature::Browser {
            cases.push(Case::Direct);
        }
        if nature != Nature::Host {
            cases.push(Case::Locked);
        }
        if matches!(nature, Nature::Bridge | Nature::Host) {
            cases.push(Case::DeadEnd);
        }
        cases
    }

    async fn ending(
        &mut self,
        case: Case,
        transport: Transport,
        deployment: &Deployment,
        projects: &Projects,
        locking: &Project,
    ) -> Ending {
        let Projects { locked, other } = projects;
        let gateway = match case {
            Case::DeadEnd => &deployment.dead_end,
            _ => &deployment.gateway,
        };
        let url = Deployment::through(gateway, &locked.id, transport);
        match case {
            Case::Direct => {
                let url = deployment.direct(transport);
                self.works(transport, &url, json!({})).await
            }
            Case::Key => {
                let url = deployment.tapped(&locked.id, transport);
                self.works(transport, &url, locked.headers()).await
            }
            Case::Locked => self.locked(transport, deployment, locking).await,
            Case::WrongKind => {
                let user_key = json!({"x-api-key": "uak_a1b2c3d4e5f6g7h8i9j0"});
                self.refused(transport, &url, user_key).await
            }
            Case::OtherProject => self.refused(transport, &url, other.headers()).await,
            Case::NoKey | Case::DeadEnd | Case::Unavailable => {
                self.refused(transport, &url, json!({})).await
            }
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

    async fn locked(
        &mut self,
        transport: Transport,
        deployment: &Deployment,
        project: &Project,
    ) -> Ending {
        let url = Deployment::through(&deployment.gateway, &project.id, transport);
        let opened = self.order("open", transport, &url, json!({})).await;
        if !opened.as_ref().is_ok_and(|answer| answer.ok) {
            return Ending::Wrong(format!("the session did not open: {opened:?}"));
        }
        deployment.lock(project).await;
        let called = self.order("call", transport, &url, json!({})).await;
        drop(self.order("close", transport, &url, json!({})).await);
        judged(called)
    }

    async fn works(&mut self, transport: Transport, url: &str, headers: Value) -> Ending {
        let action = match self.client.nature {
            Nature::Host => "try",
            _ => "session",
        };
        let answer = self.order(action, transport, url, headers).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(why) => return Ending::Wrong(why),
        };
        match answer.shown {
            Some(shown) => Ending::Wrong(format!("after {:?} it shows: {shown}", answer.steps)),
            None => Ending::Worked(answer.steps.len().max(1)),
        }
    }

    async fn refused(&mut self, transport: Transport, url: &str, headers: Value) -> Ending {
        judged(self.order("try", transport, url, headers).await)
    }

    async fn order(
        &mut self,
        action: &str,
        transport: Transport,
        url: &str,
        headers: Value,
    ) -> Result<Answer, String> {
        let order = Order {
            action,
            transport,
            url,
            headers,
        };
        let answer = self.program.order(&order).await;
        if answer.is_err() {
            self.program = self.client.start();
        }
        answer
    }
}

/// The ending of a client that was to be refused.
fn judged(answer: Result<Answer, String>) -> Ending {
    match answer {
        Err(why) => Ending::Wrong(why),
        Ok(Answer {
            shown: Some(shown), ..
        }) => Ending::Refused(sentence::steady(&shown)),
        Ok(answer) if answer.connected || answer.ok => Ending::Wrong("it was let in".to_owned()),
        Ok(answer) => Ending::Wrong(format!("it answered out of turn: {answer:?}")),
    }
}
