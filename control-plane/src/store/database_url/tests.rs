//! What is a database's URL, and what is printed of it.

use super::*;

fn parse(text: &str) -> Result<DatabaseUrl, InvalidDatabaseUrl> {
    text.parse()
}

#[test]
fn a_sqlite_database_is_a_file() {
    let path = |text: &str| parse(text).map(|url| url.file().unwrap().to_owned());
    assert_eq!(path("sqlite://a.db"), Ok("a.db".into()));
    assert_eq!(
        path("sqlite:///var/lib/a b.db"),
        Ok("/var/lib/a b.db".into())
    );
    assert_eq!(path("sqlite:a.db"), Ok("a.db".into()));
    assert_eq!(path("sqlite://:memory:"), Err(InvalidDatabaseUrl::Memory));
    assert_eq!(
        path("sqlite://a.db?mode=ro"),
        Err(InvalidDatabaseUrl::Options)
    );
    for bad in ["", "a.db", "sqlite://", "mysql://localhost/a"] {
        assert_eq!(path(bad), Err(InvalidDatabaseUrl::Scheme), "{bad}");
    }
}

#[test]
fn a_postgresql_database_is_named_at_its_server() {
    for good in [
        "postgres://localhost/a",
        "postgresql://user:secret@db.example:6432/a?sslmode=verify-full",
        "postgres://user@localhost/a?host=/run/postgresql",
    ] {
        assert!(
            matches!(parse(good), Ok(DatabaseUrl::Postgres(_))),
            "{good}"
        );
    }
    for bad in ["postgres://localhost", "postgres://user:secret@localhost/"] {
        assert_eq!(parse(bad), Err(InvalidDatabaseUrl::NoDatabase), "{bad}");
    }
    for bad in [
        "postgres:",
        "postgres://user:secret@localhost:port/a",
        "postgres://user:secret@localhost/a?sslmode=perhaps",
    ] {
        let error = parse(bad).unwrap_err().to_string();
        assert!(error.contains("postgres://user@host/database"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn a_password_is_never_printed() {
    let url = parse("postgres://user:secret@host/a?password=secret").unwrap();
    assert_eq!(url.to_string(), "postgres://user:***@host/a");
    assert_eq!(format!("{url:?}"), "Postgres(postgres://user:***@host/a)");
    let plain = "postgres://user@host/a";
    assert_eq!(parse(plain).unwrap().to_string(), plain);
}

#[test]
fn a_file_may_be_called_anything() {
    for path in ["a b.db", "100%.db", "#1.db", "é.db", "%41.db", "/a/b.db"] {
        let options = sqlite_options(Path::new(path)).unwrap();
        let native = sqlx::sqlite::SqliteConnectOptions::from_url(&options.database_url).unwrap();
        assert_eq!(
            native.get_filename(),
            std::path::absolute(path).unwrap(),
            "{path}"
        );
    }
}
