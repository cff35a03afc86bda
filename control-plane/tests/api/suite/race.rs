//! Checks that race with a revocation. A late "valid" must be recognisable as late.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::rig::app::{App, cli};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_valid_answer_carries_the_revision_of_the_revocation() {
    let app = Arc::new(App::start().await);
    let mut valid_answers = 0;
    for round in 0..60 {
        let key = Arc::new(app.key("pr_a").await);
        let stop = Arc::new(AtomicBool::new(false));
        let checkers: Vec<_> = (0..4)
            .map(|_| {
                let (app, key, stop) = (Arc::clone(&app), Arc::clone(&key), Arc::clone(&stop));
                tokio::spawn(async move {
                    let mut answers = Vec::new();
                    while !stop.load(Ordering::SeqCst) {
                        let answer = app.check("pr_a", Some(&key)).await;
                        let valid = answer["key"]["verdict"] == "valid";
                        answers.push((answer["revision"].as_u64().unwrap(), valid));
                    }
                    answers
                })
            })
            .collect();
        // The checkers are running once one of them has been answered; this one surely has.
        assert_eq!(
            app.check("pr_a", Some(&key)).await["key"]["verdict"],
            "valid"
        );
        app.store
            .revoke_key(&cli("2026-11-23T11:00:00Z"), None, &key.id)
            .await
            .unwrap();
        let revoked_at = app.store.revision().await.unwrap();
        assert_eq!(
            app.check("pr_a", Some(&key)).await["key"]["verdict"],
            "revoked"
        );
        stop.store(true, Ordering::SeqCst);
        for checker in checkers {
            for (revision, valid) in checker.await.unwrap() {
                assert!(
                    !valid || revision < revoked_at,
                    "round {round}: valid at {revision}, revoked at {revoked_at}"
                );
                valid_answers += u32::from(valid);
            }
        }
    }
    assert!(valid_answers > 0, "the checkers never raced");
}
