local host_schema = require "host.schema"
local process = require "spec.support.process"
local router = require "host.router"


describe("the OpenResty host", function()
  local function config(text)
    local folder = process.temporary_folder()
    process.write_file(folder .. "/kong.yml", text)
    local ok, result = pcall(require("host.declarative").load, folder .. "/kong.yml")
    process.remove_folder(folder)
    return ok and result, result
  end


  local SERVICES = [[
_format_version: "3.0"
services:
- name: llm
  url: https://api.example.com/base
  routes:
  - { name: messages, paths: ["/v1/messages"], strip_path: false }
  - { name: all, paths: ["/llm"] }
]]


  describe("reads a declarative config", function()
    it("with services and routes", function()
      local loaded = config(SERVICES)

      assert.equal("https", loaded.services[1].protocol)
      assert.equal("api.example.com", loaded.services[1].host)
      assert.equal(443, loaded.services[1].port)
      assert.equal("/base", loaded.services[1].path)
      assert.equal(2, #loaded.routes)
    end)


    it("and refuses what it would otherwise ignore", function()
      local _, why = config(SERVICES .. "upstreams: []\n")

      assert.matches("does not support upstreams", why)
    end)


    it("and refuses plugins that it does not run", function()
      local _, why = config(SERVICES .. "plugins: [{ name: cors }]\n")

      assert.matches("plugin cors", why)
    end)


    it("and names the field of a plugin config that is wrong", function()
      local _, why = config(SERVICES .. "plugins: [{ name: aws-masker, config: { dry_run: 1 } }]\n")

      assert.matches("config.dry_run: expected a boolean", why)
    end)
  end)


  describe("routes", function()
    local match, loaded


    setup(function()
      loaded = config(SERVICES)
      match = router.new(loaded)
    end)


    it("to the longest prefix", function()
      assert.equal("messages", match("/v1/messages/batches").name)
      assert.equal("all", match("/llm/x").name)
      assert.is_nil(match("/other"))
    end)


    it("with the path of the service, the prefix stripped or not, the query kept", function()
      local function uri(path, query)
        local route, prefix = match(path)
        return router.upstream_uri(route, prefix, path .. (query or ""), path)
      end

      assert.equal("/base/v1/messages?beta=true", uri("/v1/messages", "?beta=true"))
      assert.equal("/base/v1/messages", uri("/llm/v1/messages"))
      assert.equal("/base", uri("/llm"))
    end)


    it("without undoing escapes", function()
      local route, prefix = match("/llm/a b")

      assert.equal("/base/a%20b", router.upstream_uri(route, prefix, "/llm/a%20b", "/llm/a b"))
    end)
  end)


  describe("picks the plugin config", function()
    it("of the route, then of the service, then the global one", function()
      local loaded = config(SERVICES .. [[
plugins:
- { name: aws-masker, config: { token_scope: global } }
- { name: aws-masker, service: llm, config: { token_scope: credential } }
- { name: aws-masker, route: all, config: { token_scope: route } }
]])
      local match = router.new(loaded)
      local function scope(route)
        return router.plugin_config(loaded, "aws-masker", route).token_scope
      end

      assert.equal("route", scope(match("/llm")))
      assert.equal("credential", scope(match("/v1/messages")))
      assert.equal("global", scope(nil))
    end)
  end)


  describe("checks schemas", function()
    local function schema(field)
      return { fields = { { config = { type = "record", fields = { { value = field } } } } } }
    end


    it("and refuses rules that it does not know, instead of skipping them", function()
      assert.has_error(function()
        host_schema.complete(schema({ type = "string", starts_with = "x" }), {})
      end)
      assert.has_error(function()
        host_schema.complete(schema({ type = "map" }), {})
      end)
    end)


    it("and counts a value that is twice in a set once", function()
      local complete = host_schema.complete(schema({ type = "set", elements = { type = "string" } }),
                                            { value = { "a", "b", "a" } })

      assert.same({ "a", "b" }, complete.value)
    end)
  end)


  describe("keeps Kong's phase rules", function()
    local pdk, ngx


    setup(function()
      ngx = {
        ctx = {}, header = {}, status = 200, DEBUG = 1, INFO = 2, NOTICE = 3, WARN = 4, ERR = 5, CRIT = 6,
        req = {
          get_method = function()
            return "POST"
          end,
        },
      }
      local before = _G.ngx
      _G.ngx = ngx
      package.loaded["host.pdk"] = nil
      pdk = require("host.pdk").new()
      package.loaded["host.pdk"] = nil
      _G.ngx = before
    end)


    it("for headers of the answer", function()
      ngx.ctx.host_phase = "body_filter"
      assert.has_error(function()
        pdk.response.clear_header("ETag")
      end)

      ngx.ctx.host_phase = "header_filter"
      assert.has_no_error(function()
        pdk.response.clear_header("ETag")
      end)
    end)


    it("for the request", function()
      ngx.ctx.host_phase = "header_filter"
      assert.has_error(function()
        pdk.request.get_raw_body(1)
      end)
      assert.has_error(function()
        pdk.service.request.set_raw_query("")
      end)
    end)
  end)
end)
