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
end)
