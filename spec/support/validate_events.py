"""Checks events, one JSON object a line on stdin, against the JSON Schema of the file named first."""

import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)

failures = 0
for line in sys.stdin:
    event = json.loads(line)
    for error in validator.iter_errors(event):
        failures += 1
        print(f"{event.get('type')}: {error.message[:500]}")
        for detail in error.context or []:
            print(f"    {'.'.join(map(str, detail.path))}: {detail.message[:300]}")
sys.exit(1 if failures else 0)
