background-check-kbs: cli ; build/release/bin/coffer-kbs --config-file config/background-check.toml
cli: ; ./run build
.PHONY: background-check-kbs cli
