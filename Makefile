.DEFAULT_GOAL := help
.PHONY: help deps deps-build deps-run build run demo bench test test-rust test-spec vault-load load latency lint header docs check-docs package sdk-check page-check monitor-check asan valgrind bench-instructions fuzz soak test-soak

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

deps: ## install what this machine lacks (Debian, Ubuntu)
	@scripts/install-deps

deps-build:
	@scripts/install-deps --build

deps-run:
	@scripts/install-deps --run

build: deps-build ## build the library, the command line and the mock LLM
	cargo build --release --workspace

run: deps-run build ## gateway on port 8000 (PORT=…), a mock LLM or UPSTREAM=https://… behind it, live page on 9542 (MONITOR_PORT=…)
	@scripts/run

demo: deps-run build ## show one exchange and end
	@scripts/with-gateway luajit scripts/show-exchange.lua

test: test-rust test-spec test-soak sdk-check bench-instructions ## everything

test-rust: deps ## unit, property and ABI tests
	cargo test --workspace

test-spec: deps build ## specs, on Kong where it is installed (GATEWAY=kong|openresty)
	busted

vault-load: deps build ## 10,000 requests of 100 clients (REQUESTS=…) against a Redis that takes ten, is slow, or fails
	@LUA_PATH="./?.lua;;" luajit scripts/vault-load.lua $(REQUESTS)

lint: deps ## formatting, clippy and luacheck; warnings are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	luacheck --quiet .

header: deps ## rewrite the C header and cdefs.lua from crates/ffi
	cargo run --quiet --package aws-masker-ffi --example generate-header
	scripts/generate-cdefs crates/ffi/include/aws_masker.h > kong-plugin/kong/plugins/aws-masker/cdefs.lua

docs: deps ## rewrite the pages that are made from the code
	scripts/generate-config-docs > docs/configuration.md
	cargo run --quiet --release --package aws-masker-cli -- catalog --format markdown > docs/catalog.md.new
	mv docs/catalog.md.new docs/catalog.md

check-docs: sdk-check ## run the commands of README and docs as they are written
	scripts/check-docs

package: deps ## tarball with installer, and a rock, in target/package
	scripts/release/package

load: deps build ## what the plugin costs, beside gateways that do less; report in target/load
	@LUA_PATH="./?.lua;;" luajit scripts/load/run.lua

latency: deps build ## when streamed tokens come through the gateway, beside a direct call, over 200 streams (STREAMS=…)
	@LUA_PATH="./?.lua;;" luajit scripts/latency.lua $(STREAMS)

sdk-check: deps build ## the official SDKs of Anthropic and OpenAI (Python, TypeScript) through the gateway
	@scripts/run-sdk-check

page-check: deps build ## the monitor's live page in Chromium (installs it)
	@scripts/run-page-check

monitor-check: deps build ## a minute of load without Redis, one without a monitor: no event is lost (MONITOR_AWAY_SECONDS=…)
	MONITOR_AWAY_SECONDS=$${MONITOR_AWAY_SECONDS:-60} busted spec/31-events-outage_spec.lua spec/34-monitor_spec.lua

asan: deps ## the library in LuaJIT under AddressSanitizer
	@scripts/check-memory asan

valgrind: deps ## the released library in LuaJIT under valgrind
	@scripts/check-memory valgrind

bench: deps ## MB/s of scanning, masking and restoring, beside memcpy and regular expressions
	cargo bench --package aws-masker-core --bench speed

bench-instructions: deps ## instructions per byte, compared with the committed figures
	@scripts/bench-instructions

fuzz: deps ## fuzz the core, a minute per target (SECONDS_EACH=…)
	@scripts/fuzz

soak: deps build ## ten minutes (DURATION=12h for more) of traffic, reloads and faults; what must be zero after it
	@python3 scripts/soak/soak.py

test-soak: deps build
	@DURATION=$${DURATION:-30} python3 scripts/soak/soak.py
