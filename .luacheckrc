std = "ngx_lua"
max_line_length = 120
unused_args = false
globals = { "kong" }
include_files = { "**/*.lua", "*.rockspec", "**/*.rockspec", ".busted", ".luacheckrc" }
exclude_files = { "target", ".venv", ".run" }

files["spec"] = { std = "+busted" }
files["**/*.rockspec"] = { std = "+rockspec" }
-- generated from the C header
files["**/cdefs.lua"] = { max_line_length = false }
-- wrk calls these
files["scripts/load/wrk.lua"] = { globals = { "wrk", "init", "delay", "done" } }
files["scripts/load/turns.lua"] = { globals = { "wrk", "init", "request", "response" } }
