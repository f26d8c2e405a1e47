-- What has to be known about an answer before its first byte is restored.
local ipairs = ipairs
local lower = string.lower


-- Headers that describe the bytes as the upstream sent them: wrong as soon as one of them changes.
local DEPENDENT_HEADERS = {
  "Content-Length",
  "ETag",
  "Content-MD5",
  "Digest",
  "Content-Digest",
  "Repr-Digest",
  "Accept-Ranges",
}

-- 204 and 304 have no body. 206 holds a range: changing its length would contradict Content-Range.
local UNTOUCHED_STATUS = { [204] = true, [206] = true, [304] = true }


local _M = {}


--- Whether the answer has a body that may be restored. Phase: header_filter.
function _M.has_body(pdk)
  return not UNTOUCHED_STATUS[pdk.response.get_status()] and pdk.request.get_method() ~= "HEAD"
end


--- Whether `coding`, the value of Content-Encoding or "", hides the text.
function _M.is_coded(coding)
  return coding ~= "" and lower(coding) ~= "identity"
end


--- Drops the headers that would no longer be true. Phase: header_filter.
function _M.drop_dependent_headers(pdk)
  for _, name in ipairs(DEPENDENT_HEADERS) do
    pdk.response.clear_header(name)
  end
end


return _M
