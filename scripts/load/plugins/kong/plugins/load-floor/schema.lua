return {
  name = "load-floor",
  fields = {
    { config = { type = "record", fields = {} } },
  },
}
