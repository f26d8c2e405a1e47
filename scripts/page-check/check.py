#!/usr/bin/env python3
"""Looks at the monitor's live page in Chromium as a person would.

    pip install -r requirements.txt
    check.py --monitor ../../target/release/aws-masker-monitor --chromium /usr/bin/chromium
    check.py … --screenshots FOLDER    also takes the pictures of the documentation
"""

import argparse
import json
import sys
import time
import traceback
from pathlib import Path

import jsonschema
import traffic
from axe_playwright_python.sync_playwright import Axe
from bed import Bed, wait_for
from playwright.sync_api import Browser, Page, expect, sync_playwright

SCHEMA = Path(__file__).parents[2] / "docs/events.schema.json"
# No sandbox: the tests may run as root in a container, and the only page is our own.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
# what Chromium says when a server ends
AWAY = ("ERR_CONNECTION", "ERR_INCOMPLETE")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PATIENCE_MS = 30_000
PER_SECOND = 40


class Sight:
    """A page under the eyes of the checks; what it complains about is a failure of the check that runs."""

    def __init__(self, browser: Browser, bed: Bed, **context) -> None:
        self.context = browser.new_context(**context)
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.complaints, self.strangers = [], []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        self.page.on("request", lambda request: request.url.startswith(bed.url) or self.strangers.append(request.url))
        self.page.goto(bed.url)
        expect(self.page.locator("#state")).to_have_attribute("data-state", "up")

    def __enter__(self) -> Page:
        return self.page

    def __exit__(self, kind, *_) -> None:
        self.context.close()
        if kind is None:
            # a monitor that is away on purpose is no complaint
            complaints = [text for text in self.complaints if not any(word in text for word in AWAY)]
            assert not complaints, complaints
            assert not self.strangers, f"requests to others: {self.strangers}"


def number(page: Page, selector: str) -> int:
    return int(page.locator(selector).inner_text().split(" ")[0].replace(",", ""))


def audit(page: Page) -> None:
    """No rule of axe is broken, contrast included."""
    found = Axe().run(page, options={"runOnly": RULES})
    broken = [(rule["id"], [node["html"][:120] for node in rule["nodes"]][:3]) for rule in found.response["violations"]]
    assert not broken, broken
    assert found.response["passes"], "axe looked at nothing"


class Checks:
    def __init__(self, browser: Browser, bed: Bed, gateway: traffic.Gateway, exchanges: list[list[dict]]) -> None:
        self.browser, self.bed, self.gateway = browser, bed, gateway
        self.requests = len(exchanges)
        self.masked = sum(event.get("masked", 0) for exchange in exchanges for event in exchange)

    def look(self, **context) -> Sight:
        return Sight(self.browser, self.bed, **{"viewport": {"width": 1280, "height": 900}, **context})

    def the_traffic_of_these_checks_is_real(self) -> None:
        validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
        gateway = self.gateway
        for make in (gateway.exchange, gateway.clean, gateway.dry_run, gateway.blocked, gateway.unresolved):
            for event in make(int(time.time() * 1000)):
                validator.validate(event)

    def figures_appear(self) -> None:
        with self.look() as page:
            expect(page.locator("#masked")).to_have_text(f"{self.masked:,}")
            expect(page.locator("#requests")).to_contain_text(f"{self.requests:,} in 5 min")
            assert self.bed.metric("aws_masker_requests_total") == self.requests
            assert self.bed.metric("aws_masker_masked_stretches_total") == self.masked
            expect(page.locator("#verdict")).to_contain_text("All clear")
            expect(page.locator("#mask-p50")).to_contain_text("µs")
            expect(page.locator("#kinds tbody tr").first).to_contain_text("arn")
            expect(page.locator("#routes tbody tr")).to_have_count(3)
            expect(page.locator("#events tbody tr")).to_have_count(15)
            for chart in ("#rate-chart", "#time-chart"):
                assert painted(page, chart) > 500, f"{chart} is empty"
            assert not page.context.cookies()

    def figures_follow_traffic(self) -> None:
        with self.look() as page:
            before = number(page, "#requests")
            top = page.locator("#events tbody tr").first
            newest = top.get_attribute("data-key")
            with traffic.Load(self.bed.redis_port, self.gateway, PER_SECOND) as load:
                wait_for("new events", lambda: top.get_attribute("data-key") != newest)
                wait_for("a rate", lambda: float(page.locator("#rate").inner_text()) > PER_SECOND / 8)
            self.requests += load.requests
            assert self.bed_counted(self.requests)
            # what left the window meanwhile is known: nothing that this run sent is so old
            wait_for("all of it", lambda: number(page, "#requests") == before + load.requests)
            label = page.locator("#rate-chart").get_attribute("aria-label")
            assert f"{before + load.requests:,} in all" in label, label

    def bed_counted(self, requests: int) -> bool:
        return wait_for("the metrics", lambda: self.bed.metric("aws_masker_requests_total") == requests)

    def a_dry_run_is_told(self) -> None:
        with self.look() as page:
            masked = number(page, "#masked")
            events = self.gateway.dry_run(int(time.time() * 1000))
            traffic.send(self.bed.redis_port, events)
            self.requests += 1
            expect(page.locator("#verdict")).to_contain_text("Dry run")
            expect(page.locator("#masked-note")).to_have_text(f"{events[0]['masked']} more in dry runs")
            expect(page.locator("#kinds-title")).to_have_text("Found by kind")
            expect(page.locator("#events tbody")).to_contain_text("Would have masked")
            assert number(page, "#masked") == masked

    def problems_are_told(self) -> None:
        with self.look() as page:
            now = int(time.time() * 1000)
            hostile = self.gateway.blocked(now)
            hostile[0]["route"] = "<img src=x onerror=alert(1)>"
            traffic.send(self.bed.redis_port, hostile + self.gateway.unresolved(now))
            self.requests += 2
            expect(page.locator("#verdict")).to_have_text(
                "Requests are being blocked; some tokens could not be resolved.")
            expect(page.locator("#blocked")).to_have_text("1")
            expect(page.locator("#unresolved")).to_have_text("1")
            page.get_by_role("button", name="Problems").click()
            expect(page.locator("#events tbody tr")).to_have_count(2)
            expect(page.locator("#events tbody")).to_contain_text("Blocked: body too large")
            expect(page.locator("#events tbody")).to_contain_text("<img src=x onerror=alert(1)>")
            assert page.locator("#events img, #routes img").count() == 0
            page.get_by_role("button", name="All").click()
            expect(page.locator("#events tbody tr")).to_have_count(15)

    def the_page_survives_a_restart_of_the_monitor(self) -> None:
        with self.look() as page:
            page.evaluate("document.body.dataset.loadedOnce = 'yes'")
            before = number(page, "#requests")
            self.bed.stop_monitor()
            expect(page.locator("#state")).to_have_attribute("data-state", "away")
            expect(page.locator("#state-text")).to_contain_text("trying again")
            expect(page.locator("#verdict")).to_contain_text("the monitor does not answer")
            events = self.gateway.exchange(int(time.time() * 1000))
            traffic.send(self.bed.redis_port, events)
            self.bed.start_monitor()
            expect(page.locator("#state")).to_have_attribute("data-state", "up")
            wait_for("the figures", lambda: number(page, "#requests") == before + 1)
            assert painted(page, "#rate-chart") > 500, "the chart lost its past"
            assert page.evaluate("document.body.dataset.loadedOnce") == "yes", "the page was loaded again"
            self.requests = 1  # of this life

    def the_page_tells_that_redis_is_away(self) -> None:
        with self.look() as page:
            self.bed.stop_redis()
            expect(page.locator("#state")).to_have_attribute("data-state", "down")
            expect(page.locator("#state-text")).to_contain_text("Redis is away since")
            expect(page.locator("#verdict")).to_contain_text("Redis cannot be read")
            self.bed.start_redis()
            expect(page.locator("#state")).to_have_attribute("data-state", "up")
            before = number(page, "#requests")
            traffic.send(self.bed.redis_port, self.gateway.exchange(int(time.time() * 1000)))
            wait_for("the figures", lambda: number(page, "#requests") == before + 1)

    def events_without_detail_are_explained(self) -> None:
        traffic.flush(self.bed.redis_port)
        self.bed.stop_monitor()
        self.bed.start_monitor()
        with self.look() as page:
            expect(page.locator("#kinds-empty")).to_contain_text("Nothing masked")
            expect(page.locator("#routes-empty")).to_contain_text("No request")
            events = self.gateway.exchange(int(time.time() * 1000))
            traffic.send(self.bed.redis_port, [traffic.minimal(event) for event in events])
            expect(page.locator("#kinds-empty")).to_contain_text("event_detail is minimal")
            expect(page.locator("#routes-empty")).to_contain_text("event_detail is minimal")
            expect(page.locator("#events tbody tr")).to_have_count(2)
            expect(page.locator("#events .detail").first).to_be_hidden()

    def it_fits_a_phone(self) -> None:
        for width in (360, 390, 768):
            with self.look(viewport={"width": width, "height": 800}, is_mobile=width < 500, has_touch=True) as page:
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{wide} pixels wide at {width}"
                for tile in page.locator(".tile").all():
                    box = tile.bounding_box()
                    assert box["x"] >= 0 and box["x"] + box["width"] <= width
                    assert tile.evaluate("(tile) => tile.scrollWidth <= tile.clientWidth"), tile.inner_text()
                audit(page)

    def it_is_dark_or_light(self) -> None:
        grounds = {}
        for scheme in ("light", "dark"):
            with self.look(color_scheme=scheme) as page:
                grounds[scheme] = ground(page)
                audit(page)
        assert sum(grounds["light"]) > 600 and sum(grounds["dark"]) < 100, grounds
        with self.look(color_scheme="light") as page:
            toggle = page.get_by_role("button", name="Dark colours")
            expect(toggle).to_have_attribute("aria-pressed", "false")
            toggle.click()
            assert ground(page) == grounds["dark"]
            page.reload()
            assert ground(page) == grounds["dark"], "the choice is forgotten"
            expect(toggle).to_have_attribute("aria-pressed", "true")
            toggle.click()
            assert ground(page) == grounds["light"]
            page.emulate_media(color_scheme="dark")
            assert ground(page) == grounds["dark"], "the choice that the system makes no longer follows it"

    def it_works_by_keyboard_and_for_screen_readers(self) -> None:
        with self.look() as page:
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.textContent") == "Skip to the figures"
            page.keyboard.press("Enter")
            assert page.evaluate("document.activeElement.id") == "figures"
            reached = set()
            for _ in range(20):
                page.keyboard.press("Tab")
                reached.add(page.evaluate("document.activeElement.textContent.trim().slice(0, 20)"))
                if page.evaluate("document.activeElement.matches('summary, [data-time=restore]')"):
                    page.keyboard.press("Enter")
            assert {"Request", "Answer", "All", "Problems", "Metrics"} <= reached, reached
            expect(page.get_by_role("button", name="Answer")).to_have_attribute("aria-pressed", "true")
            # the tables say what the charts show
            expect(page.locator("#time-table tbody tr")).to_have_count(2)
            rows = page.locator("#rate-table tbody tr").all_inner_texts()
            assert len(rows) in (10, 11), rows
            for role, name in (("banner", ""), ("main", ""), ("contentinfo", ""), ("region", "The last five minutes")):
                assert page.get_by_role(role, name=name).count() == 1, (role, name)
            assert page.get_by_role("status").count() == 2
            audit(page)

    def screenshots(self, folder: Path) -> None:
        for name, scheme, width, height, full in (
            ("monitor", "light", 1280, 1180, False), ("monitor-dark", "dark", 1280, 1180, False),
            ("monitor-phone", "light", 390, 844, False),
        ):
            size = {"width": width, "height": height}
            with self.look(color_scheme=scheme, viewport=size, device_scale_factor=1.5) as page:
                page.wait_for_timeout(3000)
                page.screenshot(path=folder / f"{name}.png", full_page=full)


def painted(page: Page, chart: str) -> int:
    """How many pixels of the chart's canvas are not empty."""
    return page.locator(f"{chart} canvas").evaluate(
        """(canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let count = 0;
          for (let at = 3; at < data.length; at += 4) count += data[at] > 0;
          return count;
        }""")


def ground(page: Page) -> list[int]:
    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return [int(part) for part in color.removeprefix("rgb(").removesuffix(")").split(",")]


def main() -> int:
    parser = argparse.ArgumentParser(description="Looks at the monitor's live page in Chromium.")
    parser.add_argument("--monitor", required=True, metavar="PROGRAM")
    parser.add_argument("--chromium", required=True, metavar="PROGRAM")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER", help="take pictures instead of checking")
    parser.add_argument("--verbose", action="store_true", help="show where a check failed")
    options = parser.parse_args()

    passed = failed = 0
    with Bed(options.monitor) as bed, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=FLAGS)
        gateway = traffic.Gateway()
        # young enough to be in the window until the end of the run
        exchanges = traffic.history(gateway, 295 if options.screenshots else 60, PER_SECOND)
        traffic.send_history(bed.redis_port, exchanges)
        ended = exchanges[-1][0]["timestamp"] / 1000
        checks = Checks(browser, bed, gateway, exchanges)
        if options.screenshots:
            wait_for("the history", lambda: bed.metric("aws_masker_requests_total") == len(exchanges))
            with traffic.Load(bed.redis_port, gateway, PER_SECOND, since=ended):
                time.sleep(15)
                checks.screenshots(options.screenshots)
            return 0
        for check in (
            checks.the_traffic_of_these_checks_is_real, checks.figures_appear, checks.figures_follow_traffic,
            checks.a_dry_run_is_told, checks.problems_are_told, checks.the_page_survives_a_restart_of_the_monitor,
            checks.it_fits_a_phone, checks.it_is_dark_or_light, checks.it_works_by_keyboard_and_for_screen_readers,
            checks.the_page_tells_that_redis_is_away, checks.events_without_detail_are_explained,
        ):
            label = f"page: {check.__name__.replace('_', ' ')}"
            try:
                check()
            except Exception as failure:  # one check must not end the run
                failed += 1
                print(f"FAIL  {label}: {str(failure)[:800]}", flush=True)
                if options.verbose:
                    traceback.print_exc()
            else:
                passed += 1
                print(f"ok    {label}", flush=True)
        browser.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
