// Figures as people read them.

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** 12,345; from a million on 1.2M. */
export function count(number) {
  return number >= 1e6 ? short.format(number) : whole.format(number);
}

/** 0.4, 12.3, 1,234 */
export function rate(number) {
  return number < 100 ? number.toFixed(number === Math.round(number) ? 0 : 1) : whole.format(Math.round(number));
}

/** 12 µs, 1.24 ms, 2.1 s; a dash where nothing was measured. */
export function time(microseconds) {
  if (microseconds === null || microseconds === undefined) {
    return "–";
  }
  if (microseconds < 1000) {
    return `${Math.round(microseconds)} µs`;
  }
  const [value, unit] = microseconds < 1e6 ? [microseconds / 1000, "ms"] : [microseconds / 1e6, "s"];
  return `${Number.isInteger(value) ? value : value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** 900 B, 1.2 kB, 3.4 MB */
export function bytes(number) {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  while (number >= 1000 && unit < units.length - 1) {
    number /= 1000;
    unit += 1;
  }
  return `${number < 10 && unit > 0 ? number.toFixed(1) : Math.round(number)} ${units[unit]}`;
}

/** 14:03:07 */
export function clockTime(milliseconds) {
  return clock.format(milliseconds);
}

/** BODY_TOO_LARGE becomes "body too large". */
export function words(text) {
  return text.toLowerCase().replaceAll("_", " ");
}

/** 1 request, 2 requests */
export function several(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}
