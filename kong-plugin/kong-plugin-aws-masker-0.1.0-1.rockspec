package = "kong-plugin-aws-masker"
version = "0.1.0-1"
rockspec_format = "3.0"

source = {
  url = "git+https://github.com/kong-aws-masker/kong-aws-masker.git",
  tag = "v0.1.0",
  dir = "kong-aws-masker/kong-plugin",
}

description = {
  summary = "Masks AWS identifiers and credentials in requests to LLM APIs and restores them in the answers",
  detailed = [[
    Needs libaws_masker.so of the same release on lua_package_cpath.
  ]],
  homepage = "https://github.com/kong-aws-masker/kong-aws-masker",
  license = "Apache-2.0",
}

dependencies = {
  "lua == 5.1",
}

build = {
  type = "builtin",
  modules = {
    ["kong.plugins.aws-masker.answer"] = "kong/plugins/aws-masker/answer.lua",
    ["kong.plugins.aws-masker.breaker"] = "kong/plugins/aws-masker/breaker.lua",
    ["kong.plugins.aws-masker.cdefs"] = "kong/plugins/aws-masker/cdefs.lua",
    ["kong.plugins.aws-masker.clib"] = "kong/plugins/aws-masker/clib.lua",
    ["kong.plugins.aws-masker.commands"] = "kong/plugins/aws-masker/commands.lua",
    ["kong.plugins.aws-masker.config"] = "kong/plugins/aws-masker/config.lua",
    ["kong.plugins.aws-masker.detectors"] = "kong/plugins/aws-masker/detectors.lua",
    ["kong.plugins.aws-masker.errors"] = "kong/plugins/aws-masker/errors.lua",
    ["kong.plugins.aws-masker.event"] = "kong/plugins/aws-masker/event.lua",
    ["kong.plugins.aws-masker.events"] = "kong/plugins/aws-masker/events.lua",
    ["kong.plugins.aws-masker.exchange"] = "kong/plugins/aws-masker/exchange.lua",
    ["kong.plugins.aws-masker.handler"] = "kong/plugins/aws-masker/handler.lua",
    ["kong.plugins.aws-masker.held_answer"] = "kong/plugins/aws-masker/held_answer.lua",
    ["kong.plugins.aws-masker.log_fields"] = "kong/plugins/aws-masker/log_fields.lua",
    ["kong.plugins.aws-masker.metrics"] = "kong/plugins/aws-masker/metrics.lua",
    ["kong.plugins.aws-masker.node_key"] = "kong/plugins/aws-masker/node_key.lua",
    ["kong.plugins.aws-masker.read_stream"] = "kong/plugins/aws-masker/read_stream.lua",
    ["kong.plugins.aws-masker.redis"] = "kong/plugins/aws-masker/redis.lua",
    ["kong.plugins.aws-masker.request_body"] = "kong/plugins/aws-masker/request_body.lua",
    ["kong.plugins.aws-masker.request_header"] = "kong/plugins/aws-masker/request_header.lua",
    ["kong.plugins.aws-masker.schema"] = "kong/plugins/aws-masker/schema.lua",
    ["kong.plugins.aws-masker.scope"] = "kong/plugins/aws-masker/scope.lua",
    ["kong.plugins.aws-masker.server_state"] = "kong/plugins/aws-masker/server_state.lua",
    ["kong.plugins.aws-masker.spans"] = "kong/plugins/aws-masker/spans.lua",
    ["kong.plugins.aws-masker.state"] = "kong/plugins/aws-masker/state.lua",
    ["kong.plugins.aws-masker.stored"] = "kong/plugins/aws-masker/stored.lua",
    ["kong.plugins.aws-masker.vault"] = "kong/plugins/aws-masker/vault.lua",
    ["kong.plugins.aws-masker.vault_queue"] = "kong/plugins/aws-masker/vault_queue.lua",
  },
}
