// How many events there were on each day; dragging over days limits everything to them.

import { ask, $ } from "./net.js";

let plot = null, shownFor = "";

export async function showTimeline(limits, brush) {
  // Days outside the chosen ones stay, so that another span can be chosen.
  const { from, to, ...rest } = limits;
  const wanted = JSON.stringify(rest);
  if (wanted === shownFor) return;
  shownFor = wanted;
  const { counts } = await ask("/v1/count", { by: "day", ...rest });
  $("timeline-section").hidden = counts.length < 2;
  if (counts.length < 2) return;
  const days = counts.map(({ name }) => Date.parse(`${name}T00:00:00Z`) / 1000), n = counts.map(({ count }) => count);
  const style = getComputedStyle(document.documentElement), own = style.getPropertyValue("--own").trim(), soft = style.getPropertyValue("--soft").trim();
  const axis = { stroke: soft, grid: { show: false }, ticks: { show: false } };
  const day = (secs) => new Date(1000 * secs).toISOString().slice(0, 10);
  plot?.destroy();
  plot = new uPlot({
    width: $("timeline").clientWidth,
    height: 110,
    tzDate: (secs) => uPlot.tzDate(new Date(1000 * secs), "Etc/UTC"),
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false, setScale: false } },
    axes: [{ ...axis, values: (_, days) => days.map((secs) => day(secs).slice(5)) }, { ...axis, size: 60 }],
    series: [{}, { stroke: own, fill: own, paths: uPlot.paths.bars({ size: [0.85, 30] }), points: { show: false } }],
    hooks: {
      setSelect: [(chart) => {
        const { left, width } = chart.select;
        if (width < 2) return;
        const [first, last] = [left, left + width].map((at) => chart.posToVal(at, "x"));
        // A day begins in the middle of its bar.
        const [from, end] = [Math.round(first / 86400) * 86400, Math.round(last / 86400) * 86400];
        brush(day(from), day(Math.max(end, from) + 86400));
      }],
    },
  }, [days, n], $("timeline"));
  $("timeline").dataset.days = days.length;
}

addEventListener("resize", () => plot?.setSize({ width: $("timeline").clientWidth, height: 110 }));
