local process = require "spec.support.process"


describe("the documentation", function()
  it("lists the fields of the schema as they are (make docs rewrites it)", function()
    local made, ok = process.capture("scripts/generate-config-docs 2>&1")
    assert.is_true(ok, made)
    assert.equal(made, (process.read_file("docs/configuration.md"):gsub("%s+$", "")))
  end)


  it("names no file that is not there", function()
    for page in process.capture("ls *.md docs/*.md"):gmatch("%S+") do
      local folder = page:match("^.*/") or ""
      for path in process.read_file(page):gmatch("%]%(([%w_./-]+)[#%w_-]*%)") do
        assert.is_not_nil(io.open(folder .. path), page .. " names " .. path)
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


  -- What both languages have in common: fenced blocks, and what stands in backticks in the rows of tables.
  local function skeleton(page)
    local parts = {}
    local inside = false
    for line in (assert(process.read_file(page), page) .. "\n"):gmatch("(.-)\n") do
      local fence = line:sub(1, 3) == "```"
      if inside or fence then
        parts[#parts + 1] = line
        inside = inside ~= fence
      elseif line:sub(1, 1) == "|" then
        local codes = {}
        for code in line:gmatch("`[^`]+`") do
          codes[#codes + 1] = code
        end

        table.sort(codes)
        parts[#parts + 1] = "| " .. table.concat(codes, " ")
      elseif line:sub(1, 2) == "##" then
        parts[#parts + 1] = "##"
      end
    end

    return parts
  end


  for english, korean in pairs({
    ["README.md"] = "README.ko.md",
    ["docs/operations.md"] = "docs/operations.ko.md",
  }) do
    it("says the same in Korean: " .. korean .. " has the commands, tables and chapters of " .. english, function()
      assert.same(skeleton(english), skeleton(korean))
    end)
  end
end)
