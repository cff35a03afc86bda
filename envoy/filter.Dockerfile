# The filter as Istio (WasmPlugin) and Envoy Gateway (EnvoyExtensionPolicy) fetch it by an oci:// URL: one file.
#
#   make wasm
#   docker build --file envoy/filter.Dockerfile --tag mcp-key-auth-filter target/wasm32-wasip1/filter
FROM scratch
LABEL org.opencontainers.image.title="mcp-key-auth filter" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY mcp_key_auth.wasm /plugin.wasm
