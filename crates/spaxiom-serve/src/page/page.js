// The explorer: asks the server what a person asks. Whatever the store says is put in as text, never as markup.
// Every view is an address.

import { ask, element, listen, readable, $ } from "./net.js";
import { showEpisodes } from "./episodes.js";
import { showMap } from "./map.js";
import { showTimeline } from "./timeline.js";

const LIMITS = ["types", "zones", "sites"];
const SPANS = ["from", "to", "time_of_day"];

/** What the person may do here. */
let rights = [];

/** What the address asks for: text, the moment that hits are like, the open hit, the one beside it, limits, colors. */
function asked() {
  const address = new URLSearchParams(location.search);
  const one = (name) => address.get(name) ?? "";
  const limits = Object.fromEntries(LIMITS.map((name) => [name, address.getAll(name)]));
  const spans = Object.fromEntries(SPANS.map((name) => [name, one(name)]));
  return { text: one("q"), like: one("like"), hit: one("hit"), beside: one("with"), color: one("color") || "type", ...limits, ...spans };
}

/** Goes to another view, so that the browser can go back. */
function go(changes) {
  const next = { ...asked(), ...changes };
  const address = new URLSearchParams();
  const color = next.color === "type" ? "" : next.color;
  for (const [name, value] of [["q", next.text], ["like", next.like], ["hit", next.hit], ["with", next.beside], ["color", color], ...SPANS.map((name) => [name, next[name]])]) {
    if (value) address.set(name, value);
  }
  for (const name of LIMITS) for (const value of next[name]) address.append(name, value);
  history.pushState(null, "", `?${address}`);
  show();
}

const limitsOf = (view) => Object.fromEntries([...LIMITS, ...SPANS].map((name) => [name, view[name]]));

function chips(view) {
  const chip = (label, changes) => element("li", {}, element("button", { type: "button", "aria-label": `Remove ${label}`, onclick: () => go({ hit: "", beside: "", ...changes }) }, `${label} ✕`));
  const limits = LIMITS.flatMap((name) => view[name].map((value) => chip(value, { [name]: view[name].filter((other) => other !== value) })));
  const spans = SPANS.filter((name) => view[name]).map((name) => chip(`${name.replaceAll("_", " ")} ${view[name]}`, { [name]: "" }));
  $("chips").replaceChildren(...(view.like ? [chip("like one moment", { like: "" })] : []), ...limits, ...spans);
}

function curl(path, body) {
  $("curl").textContent = `curl -s ${location.origin}${path} -H 'content-type: application/json' -d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`;
}

/** Two buttons that say whether a hit is like what was asked for. */
function verdicts(hit, view) {
  if (!view.like || !rights.includes("acknowledge")) return [];
  const button = (verdict, label) => element("button", { type: "button", "aria-pressed": "false", "aria-label": `${label} hit`, onclick: async ({ target }) => {
    await ask("/v1/label", { event_id: view.like, hit_id: hit.id, verdict });
    for (const other of target.parentNode.querySelectorAll("[aria-pressed]")) other.setAttribute("aria-pressed", String(other === target));
  } }, label);
  return [" ", button("good", "Good"), " ", button("bad", "Bad")];
}

function hitRow(hit, view, usual) {
  const similar = element("meter", { min: Math.min(usual.median, 0), max: 1, low: usual.p99, optimum: 1, value: hit.similarity, title: `99 of 100 pairs of moments are below ${usual.p99}` });
  const followed = hit.followed.slice(0, 3).map(({ name, count }) => `${count} ${name}`).join(", ");
  // The hit that was open before stands beside the one that is opened now.
  const beside = view.hit && view.hit !== hit.id ? view.hit : view.beside;
  const open = element("button", { type: "button", onclick: () => go({ hit: hit.id, beside }) }, view.like || view.hit ? "Compare" : "Open");
  const similarTo = element("button", { type: "button", onclick: () => go({ text: "", like: hit.id, hit: "", beside: "" }) }, "Similar");
  const folded = hit.folded ? ` (+${hit.folded})` : "";
  const cells = [readable(hit.time) + folded, hit.site, hit.zone, hit.type].map((text) => element("td", {}, text));
  const actions = element("td", {}, open, " ", similarTo, ...verdicts(hit, view));
  return element("tr", { "aria-selected": String(hit.id === view.hit) }, ...cells, element("td", {}, similar, ` ${hit.similarity.toFixed(2)}`), element("td", { class: "wide" }, followed), actions);
}

/** Shows hits, and gives their ids. */
async function hits(view) {
  const limits = limitsOf(view);
  const isAsked = view.text || view.like || LIMITS.some((name) => view[name].length) || SPANS.some((name) => view[name]);
  const rows = $("hits").tBodies[0];
  $("hits-section").hidden = !isAsked;
  if (!isAsked) {
    rows.replaceChildren();
    $("understood").textContent = "Ask in words, choose a limit, drag over days, or click a moment on the map.";
    return [];
  }
  const { time_of_day, ...like } = limits;
  const [path, body] = view.like ? ["/v1/similar", { event_id: view.like, k: 15, ...like }] : ["/v1/search", { text: view.text, k: 15, ...limits }];
  curl(path, body);
  const found = await ask(path, body);
  const relax = found.relax.map(({ name, count }) => `without “${name}” ${count}`).join(", ");
  $("understood").textContent = `${found.interpreted_query} — ${found.total} events pass${relax ? `; ${relax}` : ""}`;
  rows.replaceChildren(...found.hits.map((hit) => hitRow(hit, view, found.provenance.usual_similarity)));
  return found.hits.map(({ id }) => id);
}

/** What somebody chose for an alert and did not send yet: the rows are drawn anew whenever an alert comes. */
const chosen = new Map();

/** An alert with what can be done about it. */
function alertRow({ id, since, state, site, zone, text, outcome, event_id }) {
  const cells = [readable(since), outcome ? `${state}: ${outcome}` : state, site, zone, text].map((text) => element("td", {}, text));
  const open = event_id ? [element("button", { type: "button", onclick: () => go({ text: "", like: event_id, hit: "", beside: "" }) }, "Similar")] : [];
  const choice = element("select", { "aria-label": "What it was", onchange: () => chosen.set(id, choice.value) }, ...["", "true", "near", "false", "unknown"].map((value) => element("option", { value }, value || "not known yet")));
  choice.value = chosen.get(id) ?? "";
  const acknowledge = element("button", { type: "button", onclick: async () => {
    await ask("/v1/acknowledge", { alert_id: id, outcome: choice.value });
    await alerts();
  } }, "Acknowledge");
  const isOpen = state === "firing" || state === "pending" || state === "acknowledged";
  return element("tr", {}, ...cells, element("td", {}, ...open, ...(rights.includes("acknowledge") && isOpen ? [" ", choice, " ", acknowledge] : [])));
}

async function alerts() {
  const { alerts } = await ask("/v1/alerts", {});
  $("alerts").hidden = alerts.length === 0;
  document.querySelector("#alerts tbody").replaceChildren(...alerts.slice(0, 20).map(alertRow));
}

/** The latest events, as they come; the same one after another is one line. */
function live() {
  let stop = null;
  $("live").addEventListener("change", ({ target }) => {
    stop?.abort();
    $("now").hidden = !target.checked;
    if (!target.checked) return;
    stop = new AbortController();
    let latest = null;
    listen((kind, data) => {
      if (kind !== "event") return alerts();
      const key = `${data.type} ${data.zone ?? ""} ${data.site_id}`;
      if (latest?.key === key) {
        latest.count += 1;
        latest.line.textContent = `${readable(data.time)} ${key} ×${latest.count}`;
        return;
      }
      const line = element("button", { type: "button", onclick: () => go({ text: "", like: data.id, hit: "", beside: "" }) }, `${readable(data.time)} ${key}`);
      latest = { key, count: 1, line };
      $("now-list").prepend(element("li", {}, line));
      while ($("now-list").childElementCount > 20) $("now-list").lastChild.remove();
    }, stop.signal);
  });
}

/** The latest view wins: an answer to an earlier question is not shown. */
let latest = 0;

async function show() {
  const view = asked(), turn = ++latest;
  $("text").value = view.text;
  $("color").value = view.color;
  chips(view);
  $("understood").classList.remove("error");
  try {
    const limits = limitsOf(view);
    const [ids] = await Promise.all([hits(view), showEpisodes(view), showTimeline(limits, (from, to) => go({ from, to, hit: "", beside: "" }))]);
    if (turn !== latest) return;
    await showMap(limits, view.color, view.like ? [view.like, ...ids] : ids, (id) => go({ text: "", like: id, hit: "", beside: "" }));
  } catch (error) {
    if (turn !== latest) return;
    $("understood").classList.add("error");
    $("understood").textContent = error.message;
  }
  document.body.dataset.shown = String(turn);
}

async function begin() {
  const store = await ask("/v1/store");
  ({ rights } = await ask("/v1/me"));
  $("store").textContent = `${store.events} events of ${store.sites.length} sites, ${readable(store.first)} to ${readable(store.last)}; vectors of ${store.provenance.run}`;
  for (const select of document.querySelectorAll("[data-limit]")) {
    const name = select.dataset.limit;
    select.replaceChildren(element("option", { value: "" }, "any"), ...store[name].map((value) => element("option", { value }, value)));
    select.addEventListener("change", () => {
      if (select.value) go({ hit: "", beside: "", [name]: [...new Set([...asked()[name], select.value])] });
      select.value = "";
    });
  }
  for (const input of document.querySelectorAll("[data-span]")) {
    input.addEventListener("change", () => go({ hit: "", beside: "", [input.dataset.span]: input.value }));
  }
  $("color").addEventListener("change", () => go({ color: $("color").value }));
  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    go({ text: $("text").value.trim(), like: "", hit: "", beside: "" });
  });
  addEventListener("popstate", show);
  live();
  await Promise.all([show(), alerts()]);
}

begin().catch((error) => {
  $("store").classList.add("error");
  $("store").textContent = error.message;
});
