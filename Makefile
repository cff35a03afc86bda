# Needs rustup's cargo and python3; Docker where there is one. The tests need PostgreSQL's programs (POSTGRES_BIN names
# their folder), and Chromium with its driver (CHROMIUM_BIN, CHROMEDRIVER_BIN); as root on Debian they install them. The
# target `rustup` adds what rust-toolchain.toml names: cargo does so by itself only where RUSTUP_AUTO_INSTALL allows it.

CARGO_DENY_VERSION := 0.20.2
CARGO_DENY := .cache/tools/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny

.DEFAULT_GOAL := help
.PHONY: help run test test-clients bench lint advisories wasm images clean rustup

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: rustup ## Start everything on this machine, with demo projects and keys; Ctrl-C stops it
	cargo run --package stack --bin demo

test: rustup ## Run all tests; they start real Envoys, in Docker if a daemon answers, PostgreSQL and Chromium
	cargo test --workspace --no-fail-fast

test-clients: rustup ## Run real MCP clients through the gateway; installs them into .cache/ first
	cargo run --package stack --bin clients -- $(CLIENTS)

bench: rustup ## Measure the filter against the alternatives; options in BENCH, as in make bench BENCH=--quick
	cargo run --release --package stack --bin bench -- $(BENCH)

lint: rustup $(CARGO_DENY) ## Check format, clippy (native and wasm), docs, licences and sources of dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --package mcp-key-auth --target wasm32-wasip1 -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" cargo doc --workspace --no-deps --document-private-items
	$(CARGO_DENY) --workspace check --hide-inclusion-graph bans licenses sources

advisories: $(CARGO_DENY) ## Check dependencies for known vulnerabilities; fetches the database from GitHub
	$(CARGO_DENY) --workspace check advisories

wasm: rustup ## Build the filter: target/wasm32-wasip1/filter/mcp_key_auth.wasm
	cargo build --package mcp-key-auth --target wasm32-wasip1 --profile filter

images: wasm ## Build the images mcp-key-auth-control-plane and mcp-key-auth-filter; needs Docker with BuildKit
	docker build --file control-plane/Dockerfile --tag mcp-key-auth-control-plane .
	docker build --file envoy/filter.Dockerfile --tag mcp-key-auth-filter target/wasm32-wasip1/filter

clean: ## Remove what was built, and the demo's data and keys
	cargo clean
	rm -rf .run

$(CARGO_DENY): | rustup
	cargo install --locked --version $(CARGO_DENY_VERSION) --root .cache/tools/cargo-deny-$(CARGO_DENY_VERSION) cargo-deny

rustup:
	$(if $(shell command -v rustup),,$(error rustup is missing: install it from https://rustup.rs, then run make again))
	@rustup --quiet toolchain install
