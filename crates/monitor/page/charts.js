// The two charts. uPlot draws on a canvas, which screen readers cannot see: each has a label and a table beside it.
/* global uPlot */
import * as format from "./format.js";

const AXIS_FONT = "12px Inter, system-ui, sans-serif";

function color(name, opacity) {
  // light-dark() is only resolved in a property that takes a colour
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g);
  probe.remove();
  return `rgb(${red} ${green} ${blue} / ${opacity ?? 1})`;
}

function axes(valueLabels, size, more) {
  const shared = {
    stroke: () => color("soft"),
    font: AXIS_FONT,
    ticks: { show: false },
  };
  return [
    { ...shared, grid: { show: false }, space: 50, size: 32, gap: 9, incrs: [60, 120, 300], values: (_, seconds) => seconds.map((s) => format.clockTime(s * 1000).slice(0, 5)) },
    { ...shared, grid: { stroke: () => color("line"), width: 1 }, size, space: 36, values: (_, values) => values.map(valueLabels), ...more },
  ];
}

/** While nobody points at the chart, its legend shows the last second. */
function restingLegend() {
  return {
    hooks: {
      setCursor: (plot) => {
        if (plot.cursor.left < 0) {
          plot.setLegend({ idx: plot.data[0].length - 1 }, false);
        }
      },
      setData: (plot) => {
        if (plot.cursor.left < 0) {
          plot.setLegend({ idx: plot.data[0].length - 1 }, false);
        }
      },
    },
  };
}

/** A chart in `element` that keeps its size. */
class Chart {
  #element;
  #options;
  #plot;
  #data;

  constructor(element, options) {
    this.#element = element;
    this.#options = options;
    new ResizeObserver(() => this.#fit()).observe(element);
  }

  show(data) {
    this.#data = data;
    if (this.#plot) {
      this.#plot.setData(data);
    } else {
      this.redraw();
    }
  }

  /** Takes up the colours again. */
  redraw() {
    this.#plot?.destroy();
    const size = this.#size();
    this.#plot = this.#data && size.width > 0 ? new uPlot({ ...size, ...this.#options() }, this.#data, this.#element) : null;
    this.#plot?.setLegend({ idx: this.#data[0].length - 1 }, false);
  }

  #size() {
    const height = parseFloat(getComputedStyle(this.#element).getPropertyValue("--plot-height"));
    return { width: this.#element.clientWidth, height };
  }

  #fit() {
    const size = this.#size();
    if (this.#plot && size.width > 0) {
      this.#plot.setSize(size);
    } else if (!this.#plot) {
      this.redraw();
    }
  }
}

const shared = {
  pxAlign: 0,
  padding: [8, 16, 0, 0],
  legend: { markers: { width: 0, fill: (plot, index) => plot.series[index].stroke() } },
  cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false }, sync: { key: "time" } },
};

const timeSeries = { label: "At", value: (_, seconds) => (seconds === null ? "–" : format.clockTime(seconds * 1000)) };

/** Requests, and the blocked ones among them. Data: seconds, requests, blocked. */
export function rateChart(element) {
  const value = (_, number) => (number === null || number === undefined ? "–" : format.count(number));
  return new Chart(element, () => ({
    ...shared,
    plugins: [restingLegend()],
    scales: { y: { range: (_, low, high) => [0, Math.max(5, high * 1.15)] } },
    axes: axes(format.count, 40),
    series: [
      timeSeries,
      { label: "Requests", value, stroke: () => color("accent"), fill: () => color("accent", 0.12), width: 1.75, points: { show: false } },
      {
        label: "Blocked",
        value: (_, number) => format.count(number ?? 0),
        stroke: () => color("bad"),
        fill: () => color("bad"),
        paths: uPlot.paths.bars({ size: [0.9, 6, 2] }),
        points: { show: false },
      },
    ],
  }));
}

/** Percentiles, on a logarithmic scale. Data: seconds, p50, p95, p99 in microseconds. */
export function timeChart(element) {
  const value = (_, microseconds) => format.time(microseconds);
  const line = (label, name, width) => ({ label, value, stroke: () => color(name), width, points: { show: false }, spanGaps: true });
  return new Chart(element, () => ({
    ...shared,
    plugins: [restingLegend()],
    scales: { y: { distr: 3, range: (_, low, high) => decades(low, high) } },
    axes: axes((microseconds) => format.time(microseconds), 58, { splits: (_, __, low, high) => powers(low, high) }),
    series: [timeSeries, line("p50", "accent", 2), line("p95", "second", 1.25), line("p99", "third", 1.25)],
  }));
}

/** The powers of ten from `low` to `high`. */
function powers(low, high) {
  const first = Math.round(Math.log10(low));
  return Array.from({ length: Math.round(Math.log10(high)) - first + 1 }, (_, index) => 10 ** (first + index));
}

/** Whole powers of ten around what there is. */
function decades(low, high) {
  if (!(low > 0) || !(high > 0)) {
    return [1, 1000];
  }
  const from = 10 ** Math.floor(Math.log10(low));
  const to = 10 ** Math.ceil(Math.log10(high * 1.05));
  return [from, Math.max(to, from * 100)];
}
