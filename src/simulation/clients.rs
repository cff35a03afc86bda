//! What clients do in a scene, and what they expect of it.

use super::cast::{KEYS, PROJECTS, Shows, Target};
use super::snapshot::Life;
use super::world::World;
use crate::authenticator::Ruling;
use crate::denial::Denial;
use crate::outcome::Allowed;

impl World {
    pub(super) fn flood(&mut self) {
        for worker in 0..self.threads.len() {
            for n in 0..60 {
                let target = match n % 3 {
                    0 => Target::MadeUp(n),
                    p => Target::Project(p as usize),
                };
                // Twice, so that the cache takes them for regulars.
                for _ in 0..3 {
                    self.request(worker, target, Shows::MadeUp(500 + n), false);
                }
                if n % 5 == 4 {
                    self.pass(5);
                }
            }
        }
    }

    /// All keys that open a project, with it.
    pub(super) fn good_keys(&self) -> Vec<(Target, Shows)> {
        let control_plane = self.envoy.control_plane.borrow();
        let present = control_plane.present();
        (0..KEYS)
            .filter(|k| {
                let key = present.keys[*k];
                key.life == Life::Active
                    && key.expires_at_ms.is_none()
                    && present.locked[key.home] == Some(true)
            })
            .map(|k| (Target::Project(present.keys[k].home), Shows::Key(k)))
            .collect()
    }

    pub(super) fn are_let_in(&mut self, good: &[(Target, Shows)]) {
        for worker in 0..self.threads.len() {
            for (target, shows) in good {
                self.ask(worker, *target, *shows);
                self.was_let_in();
            }
        }
    }

    pub(super) fn everything_is_asked_for(&mut self) {
        for worker in 0..self.threads.len() {
            for p in 0..PROJECTS {
                self.ask(worker, Target::Project(p), Shows::Nothing);
            }
            for k in 0..KEYS {
                let home = self.envoy.control_plane.borrow().present().keys[k].home;
                self.ask(worker, Target::Project(home), Shows::Key(k));
                self.ask(worker, Target::Server(home), Shows::Key(k));
            }
        }
    }

    /// Sends a request and lets as much time pass as it takes.
    pub(super) fn ask(&mut self, worker: usize, target: Target, shows: Shows) {
        let id = self.request(worker, target, shows, false);
        while self.waiting.contains_key(&id) {
            self.pass(1);
        }
        let ended = self.last.as_ref().unwrap();
        assert_eq!(ended.id, id);
        let learnt = match ended.decision.ruling {
            Ruling::Continue { allowed, .. } => allowed != Allowed::ControlPlaneFault,
            Ruling::Deny(denial) => {
                !matches!(denial, Denial::ControlPlaneFault | Denial::OverLimit)
            }
        };
        assert!(learnt, "{ended:?}");
    }

    pub(super) fn was_let_in(&mut self) {
        let ended = self.last.take().unwrap();
        assert!(
            matches!(
                ended.decision.ruling,
                Ruling::Continue {
                    allowed: Allowed::ValidKey,
                    ..
                }
            ),
            "invariant 1: a good key was refused: {ended:?}"
        );
    }
}
