// The map of moments: like lies near like. A canvas, which every browser draws; the table says the same to a screen reader.

import { ask, $, readable } from "./net.js";
import { palette, hourColor, legend, OTHERS } from "./colors.js";

const canvas = $("map");
let points = null, view = { x: 0, y: 0, scale: 1 }, colors = [], hits = [], onPick = () => {};

/** Asks for the moments that pass the limits, unless they are there. */
let shownFor = "";

export async function showMap(limits, color, hitIds, pick) {
  onPick = pick;
  const wanted = JSON.stringify(limits);
  if (wanted !== shownFor) {
    points = await ask("/v1/layout", { ...limits, n: 20000 });
    shownFor = wanted;
    fit();
    const some = points.truncated ? `${points.id.length} of ${points.total} moments, evenly chosen` : `${points.total} moments`;
    $("map-told").textContent = `${some}. Drag to move, scroll to zoom, click for moments like one.`;
  }
  // Hits may be among the moments that were not chosen: they are asked for by themselves.
  const found = hitIds.length ? await ask("/v1/layout", { ids: hitIds }) : { id: [] };
  hits = found.id.map((id, at) => ({ id, x: found.x[at], y: found.y[at] }));
  canvas.dataset.hits = hits.length;
  await paint(color);
  draw();
}

async function paint(color) {
  if (!points) return;
  const { type, types, zone, zones, site, sites, time } = points;
  if (color === "hour") {
    colors = time.map((time) => hourColor(Number(time.slice(11, 13))));
    legend($("map-legend"), [0, 4, 8, 12, 16, 20].map((hour) => [`${hour}:00`, hourColor(hour)]));
    return;
  }
  if (color === "label") {
    const { labels } = await ask("/v1/labels");
    const said = new Map(labels.map(({ hit_id, verdict }) => [hit_id, verdict]));
    const of = { good: "#009e73", bad: "#d55e00" };
    colors = points.id.map((id) => of[said.get(id)] ?? "#bbb");
    legend($("map-legend"), [["good hit", of.good], ["bad hit", of.bad], ["no label", "#bbb"]]);
    return;
  }
  const [numbers, names] = { type: [type, types], zone: [zone, zones], site: [site, sites] }[color];
  const named = numbers.map((number) => names[number]);
  const chosen = palette(named);
  colors = named.map(chosen.color);
  legend($("map-legend"), [...chosen.names.map((name) => [name, chosen.color(name)]), ...(chosen.hasOthers ? [OTHERS] : [])]);
}

/** All points in the middle of the canvas. */
function fit() {
  const range = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  const [left, right] = range(points.x), [top, bottom] = range(points.y);
  const scale = 0.92 * Math.min(canvas.clientWidth / (right - left || 1), canvas.clientHeight / (bottom - top || 1));
  view = { x: (left + right) / 2, y: (top + bottom) / 2, scale };
}

const onScreen = (x, y) => [(x - view.x) * view.scale + canvas.clientWidth / 2, (y - view.y) * view.scale + canvas.clientHeight / 2];
const toScreen = (at) => onScreen(points.x[at], points.y[at]);

let isDrawn = true;

export function draw() {
  if (!isDrawn) return;
  isDrawn = false;
  requestAnimationFrame(() => {
    isDrawn = true;
    if (!points) return;
    const ratio = devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = canvas;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    // Where there are hits, the others step back.
    pen.globalAlpha = hits.length ? 0.35 : 0.75;
    const size = Math.max(1.5, Math.min(4, 200 / Math.sqrt(points.id.length)));
    for (let at = 0; at < points.id.length; at++) {
      const [x, y] = toScreen(at);
      if (x < 0 || y < 0 || x > width || y > height) continue;
      pen.fillStyle = colors[at];
      pen.fillRect(x - size / 2, y - size / 2, size, size);
    }
    pen.globalAlpha = 1;
    pen.lineWidth = 2;
    pen.strokeStyle = getComputedStyle(canvas).color;
    pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--own");
    for (const hit of hits) {
      pen.beginPath();
      pen.arc(...onScreen(hit.x, hit.y), 6, 0, 7);
      pen.fill();
      pen.stroke();
    }
    canvas.dataset.points = points.id.length;
  });
}

/** The point nearest to a place of the canvas, if one is near. */
function near(x, y, within) {
  let best = -1, least = within * within;
  for (let at = 0; at < (points?.id.length ?? 0); at++) {
    const [px, py] = toScreen(at), far = (px - x) ** 2 + (py - y) ** 2;
    if (far < least) [best, least] = [at, far];
  }
  return best;
}

function zoom(factor, x, y) {
  const [dx, dy] = [x - canvas.clientWidth / 2, y - canvas.clientHeight / 2];
  view = { x: view.x + (dx / view.scale) * (1 - 1 / factor), y: view.y + (dy / view.scale) * (1 - 1 / factor), scale: view.scale * factor };
  draw();
}

let drag = null;
canvas.addEventListener("pointerdown", (event) => {
  drag = { x: event.offsetX, y: event.offsetY, moved: 0 };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  const { offsetX: x, offsetY: y } = event;
  if (drag) {
    view = { ...view, x: view.x - (x - drag.x) / view.scale, y: view.y - (y - drag.y) / view.scale };
    drag = { x, y, moved: drag.moved + Math.abs(x - drag.x) + Math.abs(y - drag.y) };
    draw();
    return;
  }
  const at = near(x, y, 8);
  canvas.title = at < 0 ? "" : `${points.types[points.type[at]]} ${points.zones[points.zone[at]]} ${points.sites[points.site[at]]} ${readable(points.time[at])}`;
});
canvas.addEventListener("pointerup", ({ offsetX, offsetY }) => {
  const isClick = drag && drag.moved < 4;
  drag = null;
  if (!isClick) return;
  const hit = hits.find(({ x, y }) => Math.hypot(onScreen(x, y)[0] - offsetX, onScreen(x, y)[1] - offsetY) < 7);
  const at = near(offsetX, offsetY, 12);
  if (hit || at >= 0) onPick(hit?.id ?? points.id[at]);
});
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, event.offsetX, event.offsetY);
}, { passive: false });
canvas.addEventListener("keydown", (event) => {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight], step = 40 / view.scale;
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
  if (moves[event.key]) view = { ...view, x: view.x + moves[event.key][0], y: view.y + moves[event.key][1] };
  else if (event.key === "+" || event.key === "-") return zoom(event.key === "+" ? 1.3 : 1 / 1.3, width / 2, height / 2);
  else if (event.key === "Enter") {
    const at = near(width / 2, height / 2, Infinity);
    return at >= 0 && onPick(points.id[at]);
  } else return;
  event.preventDefault();
  draw();
});
new ResizeObserver(draw).observe(canvas);
