#!/usr/bin/env python3
"""Drives the official SDKs through the gateway against mock-llm and checks both ends.

What the SDK returns must hold the originals exactly; what the mock received must hold none of them. With --direct the
SDKs talk to the mock itself: nothing is masked then, and the run shows that the mock and these checks work.

    pip install -r requirements.txt
    check.py --gateway http://127.0.0.1:8000 --mock http://127.0.0.1:9000
    check.py --direct --mock http://127.0.0.1:9000

A suite is a module with `checks(bed, samples)` that yields a label and a function for each check; the suite of the
TypeScript SDKs yields what their program found.
"""

import argparse
import importlib
import os
import sys
import traceback
from urllib.parse import urlsplit

import samples
from bed import Bed, Mock

SUITES = {
    "anthropic": "anthropic_checks",
    "openai": "openai_checks",
    "responses": "responses_checks",
    "kept": "batch_checks",
    "direct": "direct_checks",
    "typescript": "typescript_checks",
}


def main() -> int:
    options = parse_options()
    # the SDKs would send requests to the loopback through a proxy that the environment names
    hosts = {urlsplit(url).hostname for url in (options.gateway, options.mock) if url}
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(sorted(filter(None, hosts)))

    gateway = options.mock if options.direct else options.gateway
    bed = Bed(gateway.rstrip("/"), Mock(options.mock), options.direct)
    chosen = samples.make(options.seed)
    bed.mock.call("DELETE", "requests")
    bed.mock.call("DELETE", "originals")
    bed.mock.call("POST", "originals", sorted({secret for sample in chosen for secret in sample.secrets}))

    passed = failed = 0
    for suite in options.only or SUITES:
        for label, run in importlib.import_module(SUITES[suite]).checks(bed, chosen):
            if attempt(label, run, options.verbose):
                passed += 1
            else:
                failed += 1
    if attempt("mock: search of everything received", lambda: check_leaks(bed), options.verbose):
        passed += 1
    else:
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Checks the official SDKs through the gateway against mock-llm.")
    parser.add_argument("--gateway", metavar="URL", help="where the gateway listens")
    parser.add_argument("--mock", metavar="URL", required=True, help="where mock-llm listens")
    parser.add_argument("--direct", action="store_true", help="talk to the mock itself and expect no masking")
    parser.add_argument("--only", choices=SUITES, action="append", help="run only this suite (may be repeated)")
    parser.add_argument("--seed", type=int, default=1, help="chooses other identifiers")
    parser.add_argument("--verbose", action="store_true", help="show where a check failed")
    options = parser.parse_args()
    if not options.direct and not options.gateway:
        parser.error("one of --gateway and --direct is needed")
    return options


def attempt(label: str, run, verbose: bool) -> bool:
    """Runs one check and prints its line."""
    try:
        run()
    except Exception as failure:  # a check must not end the run, whatever the SDK raises
        reason = str(failure) if isinstance(failure, AssertionError) else f"{type(failure).__name__}: {failure}"
        print(f"FAIL  {label}: {reason[:600]}", flush=True)
        if verbose:
            traceback.print_exc()
        return False
    print(f"ok    {label}", flush=True)
    return True


def check_leaks(bed: Bed) -> None:
    """The mock searched every request for every secret, in its own way."""
    found = bed.mock.call("GET", "leaks")
    assert found["checked"] > 0, "the mock received nothing"
    if bed.direct:
        assert found["leaks"] > 0, "the mock does not find what it was told to look for"
    else:
        assert found["leaks"] == 0, f"{found['leaks']} leaks, such as {found['samples'][:3]}"


if __name__ == "__main__":
    sys.exit(main())
