# `make test` installs what the tests need and passes all of them; CI calls the same.

.PHONY: test check fmt demo bench openapi deps image addon test-addon bench-addon

# Where cargo puts what it builds.
target := $(or $(CARGO_TARGET_DIR),target)

# Everything that must be green before a change lands.
test: deps check
	CARTBRIDGE_TEST_STRICT=1 cargo nextest run --workspace --locked --no-fail-fast
	cargo test --workspace --locked --doc --quiet
	CARTBRIDGE_TEST_STRICT=1 CARTBRIDGE_BIN="$(abspath $(target))/debug/cartbridge" ./scripts/test-addon

check:
	cargo fmt --all --check
	RUSTFLAGS="-D warnings" cargo clippy --workspace --all-targets --locked --quiet

# Installs what is missing: as root by itself, otherwise it says exactly what to install.
deps:
	@./scripts/test-deps

fmt:
	cargo fmt --all

demo:
	cargo run --release --locked -- demo

bench:
	cargo bench --locked --bench acknowledge
	cargo bench --locked --bench engine
	cargo bench --locked --bench planning
	cargo bench --locked --bench import

# After a change of what is served: writes the description of the API anew.
openapi:
	cargo run --quiet --locked -- openapi > openapi.yaml

image:
	docker build -t cartbridge .

# The store's add-on as an archive that CS-Cart installs: target/addon/cartbridge-<version>.zip.
addon:
	@./scripts/pack-addon

# The add-on's own tests, against the bridge too; `make test` runs them as well.
test-addon:
	cargo build --locked --quiet
	@CARTBRIDGE_BIN="$(abspath $(target))/debug/cartbridge" ./scripts/test-addon

# What a shopper's request pays for an event of the add-on, on a real database.
bench-addon:
	@./scripts/test-addon --bench
