//! The benchmark itself, on counts that are too small to measure anything: it must run to its end, find the right status
//! in every row, and leave nothing out of its report.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops with a clear message"
)]

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

#[test]
fn a_quick_benchmark_reports_every_row_and_every_measurement() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.json");
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["--quick", "--report"])
        .arg(&file)
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    let report: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();

    let rows = report["rows"].as_array().unwrap();
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(table.contains("| hit |"), "{table}");
    let mut seen = BTreeSet::new();
    for row in rows {
        let name = row["name"].as_str().unwrap();
        assert!(seen.insert((row["protocol"].as_str().unwrap(), name)));
        for figure in ["cpu_us", "throughput", "p50_us", "p99_us", "p999_us"] {
            let median = row[figure]["median"].as_f64().unwrap();
            assert!(median > 0.0, "{name}: {figure} is {median}");
        }
        assert!(row["to_empty_wasm"]["median"].is_f64(), "{name}");
        assert!(row["to_api_key_auth"]["median"].is_f64(), "{name}");
    }
    for protocol in ["http1", "http2"] {
        for name in [
            "no filter",
            "empty wasm filter",
            "a hit's host calls alone",
            "api_key_auth",
            "api_key_auth, many keys",
            "Lua, one comparison",
            "ext_authz HTTP",
            "ext_authz gRPC",
            "hit",
            "hit, many keys",
            "hit in shared data",
            "miss",
            "miss, one key",
            "denied, no key",
            "denied, bad key",
            "MCP headers: hit",
        ] {
            assert!(seen.contains(&(protocol, name)), "{protocol}: {name}");
        }
    }
    assert!(report["footprint"]["module"].as_u64().unwrap() > 0);
    for (stampede, status) in report["stampede"]
        .as_array()
        .unwrap()
        .iter()
        .zip(["200", "401"])
    {
        assert_eq!(stampede["statuses"][status], stampede["requests"]);
        assert!(stampede["callouts"].as_u64() <= stampede["workers"].as_u64());
    }
    assert!(report["steady"]["callouts"].is_u64());
    assert!(report["flood"][0]["after"]["allocated"].is_u64());
    // Without the budget, every key and every project is asked about.
    assert_eq!(report["flood"][1]["statuses"]["404"], 100);
    let revocation = &report["revocation"];
    for flips in [&revocation["connected"], &revocation["feed_cut"]["flips"]] {
        let kinds = flips["kinds"].as_object().unwrap();
        assert_eq!(kinds.len(), 5);
        for (kind, times) in kinds {
            assert!(times["ms"]["min"].as_f64().unwrap() > 0.0, "{kind}");
        }
    }
    assert!(revocation["feed_cut"]["max_of_bound"].is_f64());
    for (index, database) in ["sqlite", "postgres"].into_iter().enumerate() {
        let checks = &report["control_plane"]["checks"][index];
        let polls = &report["control_plane"]["polls"][index];
        assert_eq!(checks["database"], database);
        assert_eq!(polls["database"], database);
        let figures = &checks["paced"][0][1];
        assert!(
            checks["saturated"]["throughput"]["median"]
                .as_f64()
                .unwrap()
                > 0.0
        );
        assert!(figures["p99_us"]["median"].as_f64() >= figures["p50_us"]["median"].as_f64());
        assert_eq!(
            checks["saturated"]["database_cpu_us"]["max"] == 0.0,
            index == 0
        );
        assert!(polls["p99_from_request_ms"].as_f64().unwrap() > 0.0);
        assert!(polls["bytes_per_poll"].as_f64().unwrap() > 0.0);
    }
}
