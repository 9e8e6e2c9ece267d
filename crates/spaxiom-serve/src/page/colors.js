// Colors that people with any color vision tell apart, and a legend for them.

import { element } from "./net.js";

const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#332288", "#999933", "#ddcc77", "#117733", "#aa4499"];
const OTHER = "#999";

/** Gives each name a color, the most frequent first; the rest share one. */
export function palette(names) {
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const ordered = [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  const colors = new Map(ordered.slice(0, COLORS.length).map((name, at) => [name, COLORS[at]]));
  return { color: (name) => colors.get(name) ?? OTHER, names: ordered.slice(0, COLORS.length), hasOthers: ordered.length > COLORS.length };
}

/** Hours around the clock: night is dark, noon is bright. */
export const hourColor = (hour) => `hsl(${210 + 150 * Math.sin((Math.PI * hour) / 24)} 70% ${25 + 40 * Math.sin((Math.PI * hour) / 24)}%)`;

export function legend(into, entries) {
  into.replaceChildren(...entries.map(([name, color]) => {
    const mark = element("i");
    mark.style.background = color;
    return element("li", {}, mark, name || "(none)");
  }));
}

export const OTHERS = ["others", OTHER];
