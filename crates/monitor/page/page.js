// Draws what the monitor sends, each second, and says so when it stops sending.
import * as format from "./format.js";
import { rateChart, timeChart } from "./charts.js";
import { eventRows, kindRows, rateRows, routeRows, timeRows } from "./rows.js";

const SILENCE_MS = 5000;
const RETRY_MS = 2000;

const $ = (id) => document.getElementById(id);

const rates = rateChart($("rate-chart"));
const times = timeChart($("time-chart"));

/** Seconds since 1970 to the point of that second. */
const points = new Map();
const chosen = { time: "mask", events: "recent" };
let last = null;


function setText(id, text) {
  const element = $(id);
  // a live region must not speak when nothing has changed
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

function setLevel(element, level) {
  if (level) {
    element.dataset.level = level;
  } else {
    delete element.dataset.level;
  }
}

function replaceRows(table, rows, empty) {
  $(table).tBodies[0].replaceChildren(...rows);
  if (empty) {
    $(table).hidden = rows.length === 0;
    $(empty).hidden = rows.length > 0;
  }
}


function showState(state, text) {
  $("state").dataset.state = state;
  setText("state-text", text);
}

function showLink({ about, link }) {
  const since = format.clockTime(link.since).slice(0, 5);
  if (link.status === "up") {
    showState("up", "Live");
  } else if (link.status === "down") {
    showState("down", `Redis is away since ${since}`);
  } else {
    showState("connecting", "Waiting for Redis");
  }
  document.title = link.status === "up" ? "AWS Masker" : "(!) AWS Masker";

  const facts = [
    ["Redis", about.redis],
    [about.transport === "stream" ? "Stream" : "Channel", about.source],
  ];
  if (about.group) {
    facts.push(["Group", about.group], ["Consumer", about.consumer]);
  }
  if (link.pending !== null) {
    facts.push(["Waiting", link.waiting === null ? "unknown" : format.count(link.waiting)], ["In work", format.count(link.pending)]);
  }
  facts.push(["Version", about.version]);
  $("about").replaceChildren(...facts.map(([name, value]) => {
    const fact = document.createElement("div");
    fact.append(Object.assign(document.createElement("dt"), { textContent: name }));
    fact.append(Object.assign(document.createElement("dd"), { textContent: value }));
    return fact;
  }));
}

/** One sentence that says whether anybody has to do something. Changes rarely, because it is read aloud. */
function verdict({ link, sums }) {
  if (link.status !== "up") {
    return ["warn", "No new figures: Redis cannot be read."];
  }
  const problems = [];
  if (sums.allowed > 0) {
    problems.push(["bad", "Requests go out unmasked"]);
  }
  if (sums.blocked > 0) {
    problems.push(["bad", "Requests are being blocked"]);
  }
  if (sums.redis_errors > 0) {
    problems.push(["warn", "a gateway has trouble with Redis"]);
  }
  if (sums.answers_failed > 0) {
    problems.push(["bad", "answers stay masked"]);
  }
  if (sums.unresolved > 0) {
    problems.push(["warn", "some tokens could not be resolved"]);
  }
  if (sums.dropped > 0) {
    problems.push(["warn", "gateways lost events, so there was more than is shown"]);
  }
  if (problems.length > 0) {
    const level = problems.some(([level]) => level === "bad") ? "bad" : "warn";
    const text = problems.map(([, text]) => text).join("; ");
    return [level, `${text[0].toUpperCase()}${text.slice(1)}.`];
  }
  if (sums.requests === 0) {
    return ["quiet", "No requests in the last five minutes."];
  }
  if (sums.requests_dry_run > 0) {
    return ["warn", "Dry run: requests go out as they are."];
  }
  return ["good", "All clear. Nothing blocked, nothing unresolved."];
}

function showFigures({ rate, sums, mask, nodes }) {
  setText("rate", format.rate(rate));
  setText("requests", `${format.count(sums.requests)} in 5 min, ${format.several(nodes, "node")}`);

  setText("masked", format.count(sums.masked));
  const share = sums.requests_masked > 0 ? (sums.masked / sums.requests_masked).toFixed(1) : null;
  if (sums.requests_dry_run > 0) {
    setText("masked-note", `${format.count(sums.would_mask)} more in dry runs`);
  } else {
    setText("masked-note", share ? `${share} a masked request` : "in 5 min");
  }
  setText("kinds-title", sums.requests_dry_run > 0 ? "Found by kind" : "Masked by kind");

  setText("mask-p50", format.time(mask.p50));
  setText("mask-p95", format.time(mask.p95));
  setText("mask-p99", format.time(mask.p99));

  setText("blocked", format.count(sums.blocked));
  setText("blocked-note", sums.allowed > 0 ? `${format.count(sums.allowed)} let through unmasked` : "none let through");
  setLevel($("tile-blocked"), sums.blocked > 0 || sums.allowed > 0 ? "bad" : null);

  for (const [id, figure, level] of [
    ["answers", sums.answers],
    ["answers-incomplete", sums.answers_incomplete],
    ["answers-skipped", sums.answers_skipped],
    ["answers-failed", sums.answers_failed, "bad"],
    ["redis-errors", sums.redis_errors, "warn"],
    ["dropped", sums.dropped, "warn"],
  ]) {
    setText(id, format.count(figure));
    $(id).className = figure > 0 && level ? level : "";
  }

  setText("unresolved", format.count(sums.unresolved));
  setText("unresolved-note", `${format.count(sums.restored)} restored`);
  setLevel($("tile-unresolved"), sums.unresolved > 0 ? "warn" : null);
}

function showCharts(message) {
  for (const point of message.points) {
    points.set(point[0], point);
  }
  for (const second of points.keys()) {
    if (second <= message.now - message.window_seconds || second > message.now) {
      points.delete(second);
    }
  }
  const shown = [...points.values()].sort((a, b) => a[0] - b[0]);
  const seconds = shown.map((point) => point[0]);
  rates.show([seconds, shown.map((point) => point[1]), shown.map((point) => point[4] || null)]);
  const which = chosen.time === "mask" ? 6 : 7;
  times.show([seconds, ...[0, 1, 2].map((index) => shown.map((point) => point[which][index]))]);

  const { sums } = message;
  $("rate-chart").setAttribute("aria-label", `Chart of the requests of each of the last 300 seconds: ${format.rate(message.rate)} a second now, ${format.count(sums.requests)} in all, ${format.count(sums.blocked)} blocked`);
  const percentiles = message[chosen.time];
  $("time-chart").setAttribute("aria-label", `Chart of the time added to each ${chosen.time === "mask" ? "request" : "answer"} over the last 300 seconds: p50 ${format.time(percentiles.p50)}, p95 ${format.time(percentiles.p95)}, p99 ${format.time(percentiles.p99)}`);
  replaceRows("rate-table", rateRows(shown));
  replaceRows("time-table", timeRows(message));
}

function showEvents(message) {
  const events = message[chosen.events];
  // neither empty columns nor columns that come and go with a single event
  $("events").classList.toggle("minimal", !message.about.is_detailed || !events.some((event) => event.route));
  replaceRows("events", eventRows(events), "events-empty");
  setText("events-empty", chosen.events === "problems" ? "No problems." : "No event yet.");
}

function untold(what) {
  return `The gateways tell no ${what}: the plugin's event_detail is minimal.`;
}

function show(message) {
  last = message;
  showLink(message);
  const [level, text] = verdict(message);
  $("verdict").dataset.level = level;
  setText("verdict", text);
  showFigures(message);
  showCharts(message);
  replaceRows("kinds", kindRows(message.kinds), "kinds-empty");
  replaceRows("routes", routeRows(message.routes), "routes-empty");
  const { masked, would_mask, requests } = message.sums;
  setText("kinds-empty", masked + would_mask > 0 ? untold("kinds") : "Nothing masked in the last five minutes.");
  setText("routes-empty", requests > 0 ? untold("routes") : "No request in the last five minutes.");
  showEvents(message);
}


/** Listens to the monitor for as long as the page is open. */
function connect() {
  const source = new EventSource("live");
  let heard = performance.now();

  source.onmessage = ({ data }) => {
    heard = performance.now();
    show(JSON.parse(data));
  };

  const watch = setInterval(() => {
    // a browser tries again by itself after a broken connection, but not after a refusal or on a silent one
    const isSilent = performance.now() - heard > SILENCE_MS;
    if (isSilent || source.readyState !== EventSource.OPEN) {
      showState("away", last ? `No monitor since ${format.clockTime(last.now * 1000)}, trying again` : "No monitor yet, trying again");
      $("verdict").dataset.level = "warn";
      setText("verdict", "No new figures: the monitor does not answer.");
    }
    if (isSilent || source.readyState === EventSource.CLOSED) {
      clearInterval(watch);
      source.close();
      connect();
    }
  }, RETRY_MS);
}


function choose(attribute, redraw) {
  const buttons = document.querySelectorAll(`button[data-${attribute}]`);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      chosen[attribute] = button.dataset[attribute];
      for (const other of buttons) {
        other.setAttribute("aria-pressed", String(other === button));
      }
      if (last) {
        redraw(last);
      }
    });
  }
}

function setUpTheme() {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const apply = () => {
    $("theme").setAttribute("aria-pressed", String(isDark()));
    rates.redraw();
    times.redraw();
  };
  $("theme").addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    const isSystems = (theme === "dark") === system.matches;
    try {
      // the choice that the system makes anyway goes on following it
      if (isSystems) {
        localStorage.removeItem("theme");
      } else {
        localStorage.setItem("theme", theme);
      }
    } catch {
      // without storage the choice lasts as long as the page
    }
    if (isSystems) {
      delete root.dataset.theme;
    } else {
      root.dataset.theme = theme;
    }
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}


choose("time", showCharts);
choose("events", showEvents);
setUpTheme();
connect();
