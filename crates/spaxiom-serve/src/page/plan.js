// The floor plan of a site, with the way of what was going on through it.

import { ask, drawn, $ } from "./net.js";

const plans = new Map();

/** The middle of an outline, and its corners. */
function outline(shape) {
  if (shape.kind === "rectangle") {
    const { x, y, width, height } = shape;
    return { middle: [x + width / 2, y + height / 2], corners: [[x, y], [x + width, y], [x + width, y + height], [x, y + height]] };
  }
  if (shape.kind === "circle") {
    const corners = Array.from({ length: 24 }, (_, at) => [shape.x + shape.radius * Math.cos((at * Math.PI) / 12), shape.y + shape.radius * Math.sin((at * Math.PI) / 12)]);
    return { middle: [shape.x, shape.y], corners };
  }
  const mean = (axis) => shape.points.reduce((sum, point) => sum + point[axis], 0) / shape.points.length;
  return { middle: [mean(0), mean(1)], corners: shape.points };
}

/** Zones on a circle in the order in which they can be reached, where nobody knows their outlines: a plan of the ways. */
function around(zones) {
  const near = new Map(zones.map(({ name, neighbors }) => [name, new Set(neighbors)]));
  for (const { name, neighbors } of zones) for (const other of neighbors) near.get(other)?.add(name);
  const order = [], waiting = zones.map(({ name }) => name);
  while (waiting.length) {
    const next = waiting.findIndex((name) => [...near.get(name)].includes(order.at(-1)));
    order.push(...waiting.splice(Math.max(next, 0), 1));
  }
  const radius = 1.6 * zones.length;
  const place = (name) => {
    const angle = (2 * Math.PI * order.indexOf(name)) / order.length;
    return [2 * radius * Math.cos(angle), radius * Math.sin(angle)];
  };
  const ways = order.flatMap((name) => [...near.get(name)].filter((other) => other > name).map((other) => [place(name), place(other)]));
  const shapes = zones.map((zone) => {
    const [x, y] = place(zone.name);
    return [zone.name, { ...zone, ...outline({ kind: "circle", x, y, radius: 0.9 }) }];
  });
  return { shapes: new Map(shapes), ways };
}

/** What is known of a site: outlines, or which zone leads to which. */
async function planOf(site) {
  const { zones } = await ask("/v1/plan", { site });
  const drawable = zones.filter(({ shape }) => shape);
  if (drawable.length) return { shapes: new Map(drawable.map((zone) => [zone.name, { ...zone, ...outline(zone.shape) }])), ways: [] };
  return around(zones);
}

/** The zones of the events before the moment, and the way through them of whom it is about. */
export async function showPlan({ site, event, before }) {
  if (!plans.has(site)) plans.set(site, await planOf(site));
  const { shapes, ways } = plans.get(site);
  $("plan").hidden = shapes.size === 0;
  if (shapes.size === 0) return;
  const all = [...shapes.values()].flatMap(({ corners }) => corners);
  const [left, top] = [0, 1].map((axis) => Math.min(...all.map((corner) => corner[axis])));
  const [right, bottom] = [0, 1].map((axis) => Math.max(...all.map((corner) => corner[axis])));
  const size = Math.max(right - left, bottom - top), text = size / 60;
  const svg = drawn("svg", { viewBox: `${left - 3 * text} ${top - text} ${right - left + 6 * text} ${bottom - top + 2 * text}`, role: "img", "aria-label": `Floor plan of ${site} with the way up to the moment` });
  for (const [[x1, y1], [x2, y2]] of ways) svg.append(drawn("line", { x1, y1, x2, y2, "stroke-width": size / 1000 }));
  // Events of nobody in particular have no way: their zones are marked alone.
  const own = event.entity ? before.filter(({ entity }) => entity === event.entity) : [];
  const way = [...own, event].map(({ zone }) => zone).filter((zone, at, all) => shapes.has(zone) && zone !== all[at - 1]);
  const isPassed = new Set(before.map(({ zone }) => zone));
  for (const { name, kind, corners } of shapes.values()) {
    const zone = drawn("polygon", { points: corners.map((corner) => corner.join(",")).join(" "), class: name === event.zone ? "zone here" : isPassed.has(name) ? "zone passed" : "zone", "stroke-width": size / 1000 });
    zone.append(drawn("title", {}, `${name} (${kind})`));
    svg.append(zone);
  }
  if (way.length > 1) {
    const points = way.map((zone) => shapes.get(zone).middle.join(",")).join(" ");
    svg.append(drawn("polyline", { points, class: "way", "stroke-width": size / 300 }));
  }
  const here = shapes.get(event.zone);
  if (here) svg.append(drawn("circle", { cx: here.middle[0], cy: here.middle[1], r: size / 90, class: "here" }));
  // All names where there is room, otherwise those of the two ends of the way.
  const ends = [way[0], event.zone];
  for (const { name, middle } of shapes.values()) {
    if (shapes.size > 40 && !ends.includes(name)) continue;
    svg.append(drawn("text", { x: middle[0], y: middle[1] - text, "text-anchor": "middle", style: `font-size:${text}px` }, name));
  }
  $("plan").replaceChildren(svg);
}
