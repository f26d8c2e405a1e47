-- For the load test: a plugin that does nothing, in the phases of aws-masker. What it costs is what any plugin costs.
return {
  PRIORITY = 785,
  VERSION = "0.1.0",
  configure = function() end,
  access = function() end,
  header_filter = function() end,
  body_filter = function() end,
  log = function() end,
}
