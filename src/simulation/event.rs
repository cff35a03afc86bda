//! What can happen, one thing at a time, and how it is drawn.

use proptest::prelude::*;

use super::cast::{KEYS, PROJECTS, Shows, Target};
use super::control_plane::Deed;
use super::shared_data::Tamper;
use super::weather::{Trouble, Weather};
use super::world::World;

/// Something that happens.
#[derive(Debug, Clone)]
pub(super) enum Event {
    /// Worker, whom it names, what it shows, whether its response goes on.
    Request(usize, Target, Shows, bool),
    /// So many requests with keys or ids that nobody minted, each sent once or twice.
    Flood(usize, Option<usize>, u8, bool),
    Leave(usize),
    Close(usize),
    Commit(Deed),
    Pass(u64),
    Checks(Weather),
    Polls(Weather),
    Restart(usize),
    /// The next callback is preempted after so many accesses to shared data.
    Preempt(u8),
    Tamper(Tamper, usize, usize),
    /// Envoy's wall clock is set to be off by so much.
    StepClock(i64),
    Prune,
    Restore(usize),
}

impl Event {
    pub(super) fn any() -> impl Strategy<Value = Self> {
        let worker = 0..3usize;
        let target = || {
            prop_oneof![
                8 => (0..PROJECTS).prop_map(Target::Project),
                2 => (0..PROJECTS).prop_map(Target::Server),
                1 => (0..9u32).prop_map(Target::MadeUp),
            ]
        };
        let shows = || {
            prop_oneof![
                8 => (0..KEYS).prop_map(Shows::Key),
                2 => Just(Shows::Nothing),
                2 => (0..9u32).prop_map(Shows::MadeUp),
                1 => Just(Shows::Malformed),
                1 => Just(Shows::OtherKind),
                1 => Just(Shows::TwoKeys),
            ]
        };
        let pass = prop_oneof![4 => 0..5u64, 4 => 5..120u64, 3 => 120..700u64, 1 => 700..9_000u64];
        let tamper = prop_oneof![
            Just(Tamper::Empty),
            Just(Tamper::Truncate),
            Just(Tamper::FlipBit),
            Just(Tamper::Forge),
            Just(Tamper::Forge),
            Just(Tamper::Move),
            Just(Tamper::Replay),
        ];
        let many = 0..1_000usize;
        prop_oneof![
            30 => (worker.clone(), target(), shows(), prop::bool::weighted(0.2))
                .prop_map(|(w, t, s, o)| Self::Request(w, t, s, o)),
            1 => (worker.clone(), prop::option::of(0..PROJECTS), 1..40u8, any::<bool>())
                .prop_map(|(w, p, n, twice)| Self::Flood(w, p, n, twice)),
            1 => many.clone().prop_map(Self::Leave),
            1 => many.clone().prop_map(Self::Close),
            10 => deed().prop_map(Self::Commit),
            24 => pass.prop_map(Self::Pass),
            3 => weather().prop_map(Self::Checks),
            3 => weather().prop_map(Self::Polls),
            1 => worker.prop_map(Self::Restart),
            6 => (1..24u8).prop_map(Self::Preempt),
            2 => (tamper, many.clone(), many).prop_map(|(t, a, b)| Self::Tamper(t, a, b)),
            1 => (-20_000..20_000i64).prop_map(Self::StepClock),
            1 => Just(Self::Prune),
            1 => (1..9usize).prop_map(Self::Restore),
        ]
    }

    pub(super) fn happen(&self, world: &mut World) {
        let workers = world.threads.len();
        match *self {
            Self::Request(worker, target, shows, opens) => {
                world.request(worker % workers, target, shows, opens);
            }
            Self::Flood(worker, project, count, twice) => {
                for n in 0..count.into() {
                    let target = project.map_or(Target::MadeUp(n), Target::Project);
                    for _ in 0..=u8::from(twice) {
                        world.request(worker % workers, target, Shows::MadeUp(100 + n), false);
                    }
                }
            }
            Self::Leave(nth) => world.leave(nth),
            Self::Close(nth) => world.close(nth),
            Self::Commit(deed) => world.commit(deed),
            Self::Pass(ms) => {
                if ms > 5 {
                    world.finish_all();
                }
                world.pass(ms);
            }
            Self::Checks(weather) => world.envoy.network.borrow_mut().checks = weather,
            Self::Polls(weather) => world.envoy.network.borrow_mut().polls = weather,
            Self::Restart(worker) => world.restart(worker % workers),
            Self::Preempt(steps) => world.preempt = Some(steps),
            Self::Tamper(how, which, other) => {
                world.envoy.turn.set(world.envoy.turn.get() + 1);
                let control_plane = world.envoy.control_plane.borrow();
                let restored = control_plane.present().generation > 0;
                let spares_feed = restored && !control_plane.tells_incarnation;
                let shared = &world.envoy.shared;
                shared.tamper(how, which, other, spares_feed);
            }
            Self::StepClock(off_ms) => world.envoy.clock_off_ms.set(off_ms),
            Self::Prune => world.envoy.control_plane.borrow_mut().prune(),
            Self::Restore(back) => world.restore(back),
        }
        world.grow_older();
    }
}

/// Something that an owner does.
pub(super) fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => (0..PROJECTS).prop_map(Deed::Toggle),
        1 => (0..PROJECTS).prop_map(Deed::CreateProject),
        1 => (0..KEYS).prop_map(Deed::CreateKey),
        3 => (0..KEYS).prop_map(Deed::RevokeKey),
        4 => (0..KEYS).prop_map(Deed::SwitchKey),
        1 => (0..KEYS, 0..30_000u64).prop_map(|(k, ms)| Deed::Expire(k, ms)),
    ]
}

/// How callouts may fare for a while.
pub(super) fn weather() -> impl Strategy<Value = Weather> {
    let trouble = prop_oneof![
        Just(Trouble::NotSent),
        Just(Trouble::Reset),
        Just(Trouble::AnswerReset),
        Just(Trouble::Status),
        Just(Trouble::Empty),
        Just(Trouble::Cut),
        Just(Trouble::Garbage),
        Just(Trouble::Swapped),
        Just(Trouble::BlackHole),
        Just(Trouble::Lost),
        Just(Trouble::Twice),
    ];
    let share = prop_oneof![3 => Just(0u8), 2 => 1..9u8, 2 => Just(10u8)];
    let delay = prop_oneof![2 => 1..20u64, 2 => 20..290u64, 1 => 290..600u64];
    (delay, share, trouble).prop_map(|(delay_ms, share, trouble)| Weather {
        delay_ms,
        share,
        trouble,
    })
}
