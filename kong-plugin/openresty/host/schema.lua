-- Checks a plugin's config against its Kong schema and fills in the defaults.
--
-- Knows the part of Kong's schema language that the plugin uses. Whatever else a schema says is an
-- error here: a rule that is silently skipped would be worse than none.
local cjson = require "cjson.safe"


local null = cjson.null

local COMMON = { "type", "description", "required", "default" }
local ATTRIBUTES = {
  string = { "one_of", "len_min", "len_max", "match", "referenceable", "encrypted" },
  integer = { "one_of", "between" },
  number = { "one_of", "between" },
  boolean = {},
  set = { "elements", "len_min", "len_max" },
  array = { "elements", "len_min", "len_max" },
  record = { "fields" },
}


local check


local function copy(value)
  if type(value) ~= "table" then
    return value
  end

  local result = {}
  for key, item in pairs(value) do
    result[key] = copy(item)
  end

  return result
end


local function refuse(errors, path, ...)
  errors[#errors + 1] = path .. ": " .. string.format(...)
end


local function assert_known(field, path)
  local extra = ATTRIBUTES[field.type]
  if not extra then
    error(path .. ": this host does not know the schema type " .. tostring(field.type))
  end

  local known = {}
  for _, list in ipairs({ COMMON, extra }) do
    for _, name in ipairs(list) do
      known[name] = true
    end
  end

  for name in pairs(field) do
    if not known[name] then
      error(path .. ": this host does not know the schema attribute " .. tostring(name))
    end
  end
end


local function contains(list, value)
  for _, item in ipairs(list) do
    if item == value then
      return true
    end
  end

  return false
end


local function check_length(field, value, path, errors, default_min)
  local min = field.len_min or default_min
  if min and #value < min then
    refuse(errors, path, "length must be at least %d", min)
  elseif field.len_max and #value > field.len_max then
    refuse(errors, path, "length must be at most %d", field.len_max)
  end
end


local function check_list(field, value, path, errors)
  local seen = {}
  local result = {}

  for i, item in ipairs(value) do
    local item_path = path .. "[" .. i .. "]"
    item = check(field.elements, item, item_path, errors)

    -- as in Kong, a value that is twice in a set counts once
    if field.type == "array" or not seen[item] then
      result[#result + 1] = item
    end
    if item ~= nil then
      seen[item] = true
    end
  end

  check_length(field, result, path, errors)
  return result
end


local function check_record(fields, value, path, errors)
  local result = {}
  local known = {}

  for _, entry in ipairs(fields) do
    local name, field = next(entry)
    known[name] = true
    result[name] = check(field, value[name], path .. "." .. name, errors)
  end

  for name in pairs(value) do
    if not known[name] then
      refuse(errors, path .. "." .. tostring(name), "unknown field")
    end
  end

  return result
end


local CHECKS = {
  string = function(field, value, path, errors)
    if type(value) ~= "string" then
      return refuse(errors, path, "expected a string")
    end

    check_length(field, value, path, errors, 1)
    if field.match and not value:find(field.match) then
      refuse(errors, path, "invalid value: %s", value)
    end
  end,

  integer = function(_, value, path, errors)
    if type(value) ~= "number" or value % 1 ~= 0 then
      refuse(errors, path, "expected an integer")
    end
  end,

  number = function(_, value, path, errors)
    if type(value) ~= "number" then
      refuse(errors, path, "expected a number")
    end
  end,

  boolean = function(_, value, path, errors)
    if type(value) ~= "boolean" then
      refuse(errors, path, "expected a boolean")
    end
  end,
}


function check(field, value, path, errors)
  assert_known(field, path)

  if value == nil or value == null then
    if field.default == nil and field.required and field.type == "record" then
      value = {}
    elseif field.default ~= nil and value == nil then
      return copy(field.default)
    elseif field.required then
      return refuse(errors, path, "required field missing")
    else
      return nil
    end
  end

  if field.type == "record" or field.elements then
    if type(value) ~= "table" then
      return refuse(errors, path, "expected a %s", field.type)
    end

    if field.elements then
      return check_list(field, value, path, errors)
    end

    return check_record(field.fields, value, path, errors)
  end

  local before = #errors
  CHECKS[field.type](field, value, path, errors)
  if #errors > before then
    return nil
  end

  if field.between and (value < field.between[1] or value > field.between[2]) then
    refuse(errors, path, "value should be between %d and %d", field.between[1], field.between[2])
  end

  if field.one_of and not contains(field.one_of, value) then
    refuse(errors, path, "expected one of: %s", table.concat(field.one_of, ", "))
  end

  return value
end


local function run_entity_checks(schema, entity, errors)
  for _, entry in ipairs(schema.entity_checks or {}) do
    local name, rule = next(entry)
    if name ~= "custom_entity_check" then
      error("this host does not know the entity check " .. tostring(name))
    end

    local ok, why = rule.fn(entity)
    if not ok then
      errors[#errors + 1] = why
    end
  end
end


local _M = {}


--- The config that a plugin runs with.
-- @param schema what the plugin's schema.lua returns
-- @param config the `config` table of the declarative file, may be nil
-- @return config with defaults, or nil, array of texts
function _M.complete(schema, config)
  local errors = {}
  local result

  for _, entry in ipairs(schema.fields) do
    local name, field = next(entry)
    if name == "config" then
      result = check_record(field.fields, config or {}, "config", errors)
    end
  end

  if #errors == 0 then
    run_entity_checks(schema, { config = result }, errors)
  end

  if #errors > 0 then
    return nil, errors
  end

  return result
end


-- Resolves one value; names that are not set are added to `unresolved`.
local function resolve(value, getenv, unresolved)
  local name = type(value) == "string" and value:match("^{vault://env/([%w_-]+)}$")
  if not name then
    return value
  end

  local found = getenv((name:gsub("-", "_"):upper()))
  if not found then
    unresolved[#unresolved + 1] = value
  end

  return found or ""
end


local function resolve_fields(fields, config, getenv, unresolved)
  for _, item in ipairs(fields) do
    local key, field = next(item)
    local value = config[key]
    if field.referenceable then
      config[key] = resolve(value, getenv, unresolved)
    elseif field.elements and field.elements.referenceable then
      for i = 1, #(value or {}) do
        value[i] = resolve(value[i], getenv, unresolved)
      end
    elseif field.fields and value then
      resolve_fields(field.fields, value, getenv, unresolved)
    end
  end
end


--- Replaces `{vault://env/name}` by the environment variable NAME, as Kong's env vault does. One that is
-- not set becomes "", which the plugin must refuse.
-- @return array of the references that could not be resolved
function _M.resolve_references(schema, config, getenv)
  local unresolved = {}

  for _, entry in ipairs(schema.fields) do
    local name, record = next(entry)
    if name == "config" then
      resolve_fields(record.fields, config, getenv, unresolved)
    end
  end

  return unresolved
end


return _M
