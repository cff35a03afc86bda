//! The database's file.

use sha2::{Digest as _, Sha256};

use crate::rig::program::Database;

#[test]
fn what_is_no_database_is_refused() {
    let database = Database::fresh();
    std::fs::write(
        database.database.file(),
        "this is no database, and long enough to be told from one".repeat(9),
    )
    .unwrap();
    refused(&database, &["list", "orgs"], "cannot open the database");
}

#[test]
#[cfg(unix)]
fn the_database_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let database = Database::fresh();
    database.seed();
    let mode = std::fs::metadata(database.database.file())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn only_the_hash_of_a_key_is_stored() {
    let database = Database::fresh();
    let (_, raw) = database.seed();
    let contains = |needle: &[u8]| {
        let files = std::fs::read_dir(database.database.file().parent().unwrap()).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .any(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
    };
    assert!(
        contains(&Sha256::digest(&raw)),
        "the hash must be found, or the search is wrong"
    );
    assert!(!contains(raw.as_bytes()));
    assert!(
        !contains(&raw.as_bytes()[3..35]),
        "nor its random part alone"
    );
}

#[test]
fn a_file_is_made_only_in_a_folder_that_exists() {
    let url = "sqlite://no/such/folder/a.db";
    refused(
        &Database::fresh(),
        &["org", "create", "--name", "O", "--database", url],
        "its folder must exist",
    );
}

#[track_caller]
fn refused(database: &Database, args: &[&str], error: &str) {
    let finished = database.try_run(args);
    assert_eq!(finished.status.code(), Some(1), "{args:?}");
    assert_eq!(finished.stdout, "", "{args:?}");
    assert!(
        finished.stderr.starts_with("error: "),
        "{}",
        finished.stderr
    );
    assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    assert!(finished.stderr.contains(error), "{}", finished.stderr);
}
