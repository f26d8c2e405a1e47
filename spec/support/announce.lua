-- Runs once, before the first spec.
io.stderr:write("specs run on the gateway: ", require("spec.support.gateway").describe(), "\n")
