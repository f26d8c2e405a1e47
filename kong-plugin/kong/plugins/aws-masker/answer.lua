-- What has to be known about an answer before its first byte is restored.
local lower = string.lower
local ngx = ngx
local type = type


-- 204 and 304 have no body. 206 holds a range: changing its length would contradict Content-Range.
local UNTOUCHED_STATUS = { [204] = true, [206] = true, [304] = true }


local _M = {}


--- Whether the answer has a body that may be restored. Phase: header_filter.
function _M.has_body()
  return not UNTOUCHED_STATUS[ngx.status] and ngx.req.get_method() ~= "HEAD"
end


--- Whether `coding`, the value of Content-Encoding or "", hides the text.
function _M.is_coded(coding)
  return coding ~= "" and lower(coding) ~= "identity"
end


--- One header of the answer. Kong's `get_header` makes a table of all of them each time. Phase: header_filter.
-- @return the value, the first one of several headers; "" for none
function _M.header(name)
  local value = ngx.header[name]
  if type(value) == "table" then
    value = value[1]
  end

  return value or ""
end


local function drop(response, name)
  -- taking out what is not there costs several times what looking does
  if ngx.header[name] then
    response.clear_header(name)
  end
end


--- Drops the headers that describe the bytes as the upstream sent them: wrong as soon as one of them changes. Phase:
-- header_filter.
function _M.drop_dependent_headers(pdk)
  -- no loop: LuaJIT would not compile what calls it
  local response = pdk.response
  drop(response, "Content-Length")
  drop(response, "ETag")
  drop(response, "Content-MD5")
  drop(response, "Digest")
  drop(response, "Content-Digest")
  drop(response, "Repr-Digest")
  drop(response, "Accept-Ranges")
end


return _M
