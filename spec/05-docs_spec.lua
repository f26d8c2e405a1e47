local process = require "spec.support.process"


describe("the documentation", function()
  it("lists the fields of the schema as they are (make docs rewrites it)", function()
    local made, ok = process.capture("scripts/generate-config-docs 2>&1")
    assert.is_true(ok, made)
    assert.equal(made, (process.read_file("docs/configuration.md"):gsub("%s+$", "")))
  end)


  it("names no file that is not there", function()
    for _, page in ipairs({ "README.md", "DESIGN.md", "SECURITY.md", "CONTRIBUTING.md" }) do
      local text = assert(process.read_file(page), page)
      for path in text:gmatch("%]%(([%w_./-]+)%)") do
        assert.is_not_nil(io.open(path), page .. " names " .. path)
      end
    end
  end)


  it("explains every error code with its status, and no other", function()
    local source = assert(process.read_file("kong-plugin/kong/plugins/aws-masker/errors.lua"))
    local codes = {}
    for name, status in source:gmatch('name = "([A-Z_]+)", status = (%d+)') do
      codes["AWS_MASKER_" .. name] = status
    end

    for _, page in ipairs({ "README.md", "docs/operations.md" }) do
      local listed = {}
      for code, status in process.read_file(page):gmatch("\n| `(AWS_MASKER_[A-Z_]+)` | (%d+) |") do
        listed[code] = status
      end

      assert.same(codes, listed, page)
    end
  end)
end)
