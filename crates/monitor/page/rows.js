// Rows of the tables. Texts go in as text, whatever an event holds.
import * as format from "./format.js";

const STEP_SECONDS = 30;

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function row(head, ...cells) {
  const made = document.createElement("tr");
  const first = element("th", { scope: "row" });
  first.append(...[head].flat());
  made.append(first);
  for (const cell of cells) {
    made.append(cell instanceof Node ? cell : element("td", {}, cell));
  }
  return made;
}

function figure(number, level) {
  return element("td", { className: number > 0 && level ? level : "" }, format.count(number));
}

/** The points of the charts, half minutes together. */
export function rateRows(points) {
  const steps = new Map();
  for (const [second, ...figures] of points) {
    const start = second - (second % STEP_SECONDS);
    const sums = steps.get(start) ?? [0, 0, 0, 0, 0];
    steps.set(start, sums.map((sum, index) => sum + figures[index]));
  }
  return [...steps].sort(([a], [b]) => b - a).map(([start, [requests, masked, restored, blocked, unresolved]]) =>
    row(format.clockTime(start * 1000), figure(requests), figure(masked), figure(restored), figure(blocked, "bad"), figure(unresolved, "warn")));
}

export function timeRows({ mask, restore }) {
  return [["Request", mask], ["Answer", restore]].map(([name, { p50, p95, p99, max, count }]) =>
    row(name, format.time(p50), format.time(p95), format.time(p99), format.time(max), format.count(count)));
}

export function kindRows(kinds) {
  const most = Math.max(...kinds.map(({ count }) => count));
  const all = kinds.reduce((sum, { count }) => sum + count, 0);
  return kinds.map(({ name, category, count }) => {
    const bar = element("span", { className: "bar" });
    bar.dataset.category = category;
    bar.style.width = `${(100 * count) / most}%`;
    const share = element("td", {}, bar, element("span", { className: "hidden" }, `${Math.round((100 * count) / all)} %`));
    const made = row(name, format.count(count), share);
    made.firstChild.title = `${name} (${category})`;
    return made;
  });
}

export function routeRows(routes) {
  return routes.map(({ service, route, requests, masked, blocked, unresolved, mask_microseconds, timed }) =>
    row(
      [route, element("span", { className: "soft" }, service && service !== route ? `  ${service}` : "")],
      figure(requests),
      figure(masked),
      figure(blocked, "bad"),
      figure(unresolved, "warn"),
      format.time(timed > 0 ? mask_microseconds / timed : null),
    ));
}

/** What an event says, and how bad it is. */
function story(event) {
  const because = event.reason ? `: ${format.words(event.reason)}` : "";
  switch (event.type) {
    case "data_masked":
      if (event.outcome === "dry_run") {
        return [`Would have masked ${format.several(event.masked, "identifier")}`];
      }
      return [event.outcome === "masked" ? `Masked ${format.several(event.masked, "identifier")}` : "Nothing to mask"];
    case "data_unmasked": {
      const restored = event.restored > 0 ? `Restored ${format.several(event.restored, "token")}` : "Nothing to restore";
      if (event.outcome === "failed") {
        return [`${restored}, then failed`, "bad"];
      }
      if (event.unresolved > 0) {
        return [`${restored}, ${format.count(event.unresolved)} unresolved`, "warn"];
      }
      return [event.outcome === "incomplete" ? `${restored}, ended early` : restored];
    }
    case "restore_skipped":
      return [`Answer not looked at${because}`, event.is_problem ? "warn" : undefined];
    case "mask_blocked":
      return [event.outcome === "blocked" ? `Blocked${because}` : `Let through unmasked${because}`, "bad"];
    default:
      return [`Redis trouble, ${event.operation}${because}${event.count > 1 ? ` (${format.count(event.count)} times)` : ""}`, "warn"];
  }
}

export function eventRows(events) {
  return events.map((event) => {
    const [text, level] = story(event);
    const mark = element("span", { className: "mark", ariaHidden: "true" });
    mark.dataset.type = event.type;
    if (level) {
      mark.dataset.level = level;
    }
    const at = element("time", { dateTime: new Date(event.at).toISOString() }, format.clockTime(event.at));
    const kinds = (event.kinds ?? []).map(([kind, count]) => `${kind} ${format.count(count)}`).join(", ");
    const made = element("tr", {},
      element("td", {}, at),
      element("td", { className: level ?? "" }, mark, text),
      element("td", {}, format.time(event.microseconds)),
      element("td", { className: "soft" }, event.bytes === undefined ? "–" : format.bytes(event.bytes)),
      element("td", { className: "detail" }, event.route ?? "–"),
      element("td", { className: "detail mono soft", title: event.request_id ?? "" }, event.request_id?.slice(0, 8) ?? "–"),
      element("td", { className: "detail mono soft kinds", title: kinds }, kinds || "–"));
    made.dataset.key = event.key;
    return made;
  });
}
