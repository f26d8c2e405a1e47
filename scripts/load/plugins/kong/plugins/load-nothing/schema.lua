return {
  name = "load-nothing",
  fields = {
    { config = { type = "record", fields = {} } },
  },
}
