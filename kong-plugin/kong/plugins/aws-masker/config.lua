-- Turns a plugin config into the JSON object that the library compiles.
local cjson = require "cjson.safe"


local concat = table.concat
local encode = cjson.encode
local format = string.format
local null = cjson.null
local sort = table.sort
local tostring = tostring


-- The library's own name for what `encode` puts after it; order is fixed, so that equal configs
-- give equal bytes.
local SETS = { "categories", "exclude_kinds" }
local LISTS = { "custom_terms", "allow_list" }
local FLAGS = { "preserve_structure", "restore_credentials", "dry_run" }
local NUMBERS = { "max_request_body_size", "scan_cache_size" }
local CHOICES = { "unsupported_content" }


local function present(value)
  return value ~= nil and value ~= null
end


local function string_list(values, sorted)
  local items = {}
  for i = 1, #values do
    items[i] = encode(values[i])
  end

  if sorted then
    sort(items)
  end

  return "[" .. concat(items, ",") .. "]"
end


local function pattern_list(patterns)
  local items = {}
  for i = 1, #patterns do
    local pattern = patterns[i]
    items[i] = '{"name":' .. encode(pattern.name)
               .. ',"label":' .. encode(pattern.label)
               .. ',"regex":' .. encode(pattern.regex) .. "}"
  end

  return "[" .. concat(items, ",") .. "]"
end


local _M = {}


--- Encodes the fields that decide what is masked. Equal configs give equal strings.
-- @return JSON object as a string
function _M.encode(conf)
  local members = {}

  for _, name in ipairs(SETS) do
    if present(conf[name]) then
      members[#members + 1] = '"' .. name .. '":' .. string_list(conf[name], true)
    end
  end

  if present(conf.custom_patterns) then
    members[#members + 1] = '"custom_patterns":' .. pattern_list(conf.custom_patterns)
  end

  for _, name in ipairs(LISTS) do
    if present(conf[name]) then
      members[#members + 1] = '"' .. name .. '":' .. string_list(conf[name], false)
    end
  end

  for _, name in ipairs(FLAGS) do
    if present(conf[name]) then
      members[#members + 1] = '"' .. name .. '":' .. tostring(conf[name])
    end
  end

  for _, name in ipairs(NUMBERS) do
    if present(conf[name]) then
      members[#members + 1] = '"' .. name .. '":' .. format("%d", conf[name])
    end
  end

  for _, name in ipairs(CHOICES) do
    if present(conf[name]) then
      members[#members + 1] = '"' .. name .. '":' .. encode(conf[name])
    end
  end

  return "{" .. concat(members, ",") .. "}"
end


return _M
