-- The part of Kong's plugin development kit that the plugin uses, with Kong's rules on which
-- function may be called in which phase.
local error = error
local io_open = io.open
local ipairs = ipairs
local ngx = ngx
local tostring = tostring


local BLOCK_BYTES = 1048576
-- Stock nginx cannot put a request back into the queue without a timer.
local YIELD_SECONDS = 0.001

local REWRITE_ACCESS = { access = true }
local REWRITE_ACCESS_HEADER = { access = true, header_filter = true }
local HEADER_BODY_LOG = { header_filter = true, body_filter = true, log = true }
local REQUEST = { access = true, header_filter = true, body_filter = true, log = true }


local NODE_ID = "host:node_id"

local LOADED_PLUGINS = { ["aws-masker"] = true, ["key-auth"] = true }

local SERIALIZE_MODES = { set = true, add = true, replace = true }


-- A random UUID (version 4).
local function uuid()
  local source = assert(io_open("/dev/urandom", "rb"))
  local bytes = source:read(16)
  source:close()

  local hex = bytes:gsub(".", function(char)
    return ("%02x"):format(char:byte())
  end)
  local variant = ("89ab"):sub(bytes:byte(9) % 4 + 1, bytes:byte(9) % 4 + 1)
  return ("%s-%s-4%s-%s%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12), hex:sub(14, 16), variant, hex:sub(18, 20),
                                      hex:sub(21))
end


-- Wraps `fn` so that a call from another phase is an error of the caller.
local function in_phases(phases, name, fn)
  return function(...)
    local phase = ngx.ctx.host_phase or "configure"
    if not phases[phase] then
      error(name .. " cannot be called in the phase " .. phase, 2)
    end

    return fn(...)
  end
end


local function read_file(path, max_bytes)
  local file, err = io_open(path, "rb")
  if not file then
    return nil, "failed to open cached request body '" .. path .. "': " .. err
  end

  local size = file:seek("end")
  if max_bytes > 0 and size > max_bytes then
    file:close()
    return nil, ("request body file too big: %d > %d"):format(size, max_bytes)
  end

  file:seek("set")
  local blocks = {}
  while true do
    local block = file:read(BLOCK_BYTES)
    if not block then
      break
    end

    blocks[#blocks + 1] = block
    -- as Kong does: other requests get their turn between two blocking reads
    ngx.sleep(YIELD_SECONDS)
  end

  file:close()
  return table.concat(blocks)
end


local function get_raw_body(max_bytes)
  ngx.req.read_body()

  local body = ngx.req.get_body_data()
  if body then
    return body
  end

  local path = ngx.req.get_body_file()
  if not path then
    return ""
  end

  if not max_bytes or max_bytes < 0 then
    return nil, "request body did not fit into client body buffer, consider raising 'client_body_buffer_size'"
  end

  return read_file(path, max_bytes)
end


local function exit(status, body, headers)
  ngx.ctx.host_exited = true
  ngx.status = status
  for name, value in pairs(headers or {}) do
    ngx.header[name] = value
  end

  ngx.header["Content-Length"] = #(body or "")
  if body and ngx.req.get_method() ~= "HEAD" then
    ngx.print(body)
  end

  return ngx.exit(status)
end


local function logger(level)
  return function(...)
    local parts = { "[aws-masker] " }
    for i = 1, select("#", ...) do
      parts[i + 1] = tostring((select(i, ...)))
    end

    ngx.log(level, table.concat(parts))
  end
end


local function first(value)
  if type(value) == "table" then
    return value[1]
  end

  return value
end


local request = {
  get_method = in_phases(REQUEST, "kong.request.get_method", function()
    return ngx.req.get_method()
  end),

  get_path = in_phases(REQUEST, "kong.request.get_path", function()
    return ngx.var.uri
  end),

  get_header = in_phases(REQUEST, "kong.request.get_header", function(name)
    return first(ngx.req.get_headers(1000)[name])
  end),

  get_raw_body = in_phases(REWRITE_ACCESS, "kong.request.get_raw_body", get_raw_body),
}

local service_request = {
  set_raw_query = in_phases(REWRITE_ACCESS, "kong.service.request.set_raw_query", function(query)
    if type(query) ~= "string" then
      error("query must be a string", 2)
    end

    ngx.req.set_uri_args(query)
    ngx.var.upstream_uri = ngx.var.upstream_uri:match("^[^?]*") .. "?" .. query
  end),

  clear_header = in_phases(REWRITE_ACCESS, "kong.service.request.clear_header", function(name)
    ngx.req.clear_header(name)
  end),
}

local response = {
  get_status = in_phases(HEADER_BODY_LOG, "kong.response.get_status", function()
    return ngx.status
  end),

  get_header = in_phases(HEADER_BODY_LOG, "kong.response.get_header", function(name)
    return first(ngx.header[name])
  end),

  set_header = in_phases(REWRITE_ACCESS_HEADER, "kong.response.set_header", function(name, value)
    ngx.header[name] = value
  end),

  clear_header = in_phases(REWRITE_ACCESS_HEADER, "kong.response.clear_header", function(name)
    ngx.header[name] = nil
  end),

  get_source = in_phases(HEADER_BODY_LOG, "kong.response.get_source", function()
    if ngx.ctx.host_exited then
      return "exit"
    end

    return ngx.var.upstream_status and "service" or "error"
  end),

  exit = in_phases(REWRITE_ACCESS_HEADER, "kong.response.exit", exit),
}

local client = {
  get_consumer = in_phases(REQUEST, "kong.client.get_consumer", function()
    return ngx.ctx.host_consumer
  end),

  get_credential = in_phases(REQUEST, "kong.client.get_credential", function()
    return ngx.ctx.host_credential
  end),
}

local instance = {
  get_id = in_phases(REQUEST, "kong.plugin.get_id", function()
    local conf = ngx.ctx.host_collected
    return conf and conf.__plugin_id
  end),
}

local router = {
  get_route = in_phases(REQUEST, "kong.router.get_route", function()
    return ngx.ctx.host_route
  end),

  get_service = in_phases(REQUEST, "kong.router.get_service", function()
    local route = ngx.ctx.host_route
    return route and route.service
  end),
}

-- No plugin here writes logs, so the values have no reader; the calls are checked as Kong checks them.
local set_serialize_value = in_phases(REQUEST, "kong.log.set_serialize_value", function(key, _, options)
  local mode = options and options.mode or "set"
  if type(key) ~= "string" or not SERIALIZE_MODES[mode] then
    error("kong.log.set_serialize_value needs a key and the mode set, add or replace", 2)
  end
end)

-- As Kong's where tracing is off.
local span = {
  finish = function() end,
  set_attribute = function() end,
}

local tracing = {
  start_span = function(name)
    if type(name) ~= "string" then
      error("invalid span name", 2)
    end

    return span
  end,
}

local node = {
  get_id = function()
    local dict = ngx.shared.kong
    dict:safe_add(NODE_ID, uuid())
    return dict:get(NODE_ID)
  end,
}


local _M = {}


--- The `kong` global.
function _M.new()
  local log = {}
  for _, name in ipairs({ "debug", "info", "notice", "warn", "err", "crit" }) do
    log[name] = logger(ngx[name:upper()])
  end
  log.set_serialize_value = set_serialize_value

  return {
    client = client,
    configuration = { loaded_plugins = LOADED_PLUGINS },
    log = log,
    node = node,
    plugin = instance,
    request = request,
    response = response,
    router = router,
    service = { request = service_request },
    tracing = tracing,
  }
end


return _M
