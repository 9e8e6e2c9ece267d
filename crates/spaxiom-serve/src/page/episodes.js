// Two moments beside each other, on one axis of minutes.

import { ask, drawn, $, readable } from "./net.js";
import { palette, legend, OTHERS } from "./colors.js";
import { showPlan } from "./plan.js";

/** Rows of events on one axis; each ends at its own moment, and goes on a little. */
function axis(rows) {
  const width = 1060, left = 240, height = 26 + 34 * rows.length;
  const events = rows.flatMap(({ events }) => events);
  const from = Math.min(-1, ...events.map(({ secs }) => secs / 60)), to = Math.max(0.5, ...events.map(({ secs }) => secs / 60));
  const x = (secs) => left + ((secs / 60 - from) / (to - from)) * (width - left - 20);
  const { color, names, hasOthers } = palette(events.map(({ type }) => type));
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Events before and after each moment, in minutes" });
  svg.append(drawn("line", { x1: x(0), x2: x(0), y1: 0, y2: height - 22 }));
  for (let at = 0; at <= 6; at++) {
    const minutes = from + ((to - from) * at) / 6;
    svg.append(drawn("text", { x: x(60 * minutes), y: height - 6, "text-anchor": "middle" }, minutes.toFixed(Math.abs(to - from) > 12 ? 0 : 1)));
  }
  rows.forEach(({ name, events }, at) => {
    const y = 17 + 34 * at;
    svg.append(drawn("text", { x: left - 12, y: y + 4, "text-anchor": "end", class: at === 0 ? "asked" : "" }, name));
    for (const { secs, type, zone, time } of events) {
      const dot = drawn("circle", { cx: x(secs), cy: y, r: secs === 0 ? 7 : 5, fill: color(type), "fill-opacity": 0.85 });
      dot.append(drawn("title", {}, `${type} ${zone} ${readable(time)}`));
      svg.append(dot);
    }
  });
  $("axis").replaceChildren(svg);
  legend($("legend"), [...names.map((name) => [name, color(name)]), ...(hasOthers ? [OTHERS] : [])]);
}

export async function showEpisodes(view) {
  const ids = [...new Set([view.like || view.beside, view.hit].filter(Boolean))];
  $("episodes").hidden = ids.length === 0;
  if (ids.length === 0) return;
  const contexts = await Promise.all(ids.map((event_id) => ask("/v1/context", { event_id, before: 20, after: 8 })));
  axis(contexts.map(({ site, event, before, after }) => ({ name: `${site} ${readable(event.time).slice(0, 16)}`, events: [...before, event, ...after] })));
  $("episodes-title").textContent = ids.length === 2 ? "Two moments beside each other" : "One moment";
  $("why").textContent = "";
  if (ids.length === 2) {
    const { shared, parts, similarity } = await ask("/v1/explain", { event_a: ids[0], event_b: ids[1] });
    $("why").textContent = `Similarity ${similarity.toFixed(2)}; ${shared.length} events in the same order. What it loses without a part: ${parts.slice(0, 3).join(", ")}.`;
  }
  await showPlan(contexts[contexts.length - 1]);
}
