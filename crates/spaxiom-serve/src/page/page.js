// The explorer: asks the server what a person asks, and draws two moments on one axis.
// Whatever the store says is put in as text, never as markup. Every view is an address.

const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#332288", "#999933", "#ddcc77", "#117733", "#aa4499"];
const LIMITS = ["types", "zones", "sites"];
const $ = (id) => document.getElementById(id);

/** What the address asks for: text, the moment that hits are like, the open hit, the one beside it, limits. */
function asked() {
  const address = new URLSearchParams(location.search);
  const limits = Object.fromEntries(LIMITS.map((name) => [name, address.getAll(name)]));
  const one = (name) => address.get(name) ?? "";
  return { text: one("q"), like: one("like"), hit: one("hit"), beside: one("with"), ...limits };
}

/** Goes to another view, so that the browser can go back. */
function go(changes) {
  const next = { ...asked(), ...changes };
  const address = new URLSearchParams();
  for (const [name, value] of [["q", next.text], ["like", next.like], ["hit", next.hit], ["with", next.beside]]) if (value) address.set(name, value);
  for (const name of LIMITS) for (const value of next[name]) address.append(name, value);
  history.pushState(null, "", `?${address}`);
  show();
}

async function ask(path, body) {
  const headers = { ...(body && { "content-type": "application/json" }) };
  const token = sessionStorage.getItem("token");
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(path, { headers, ...(body && { method: "POST", body: JSON.stringify(body) }) });
  if (response.status === 401) return askWithToken(path, body);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? response.statusText);
  return answer;
}

// The token is kept for this tab alone, until it is closed.
function askWithToken(path, body) {
  return new Promise((resolve, reject) => {
    const input = document.getElementById("token");
    const form = input.form;
    form.hidden = false;
    input.focus();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem("token", input.value.trim());
      form.hidden = true;
      ask(path, body).then(resolve, reject);
    }, { once: true });
  });
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function drawn(name, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

const readable = (time) => time.replace("T", " ").replace(/\.\d+/, "");

function chips(view) {
  const chip = (label, changes) => element("li", {}, element("button", { type: "button", "aria-label": `Remove ${label}`, onclick: () => go({ hit: "", beside: "", ...changes }) }, `${label} ✕`));
  const limits = LIMITS.flatMap((name) => view[name].map((value) => chip(value, { [name]: view[name].filter((other) => other !== value) })));
  $("chips").replaceChildren(...(view.like ? [chip("like one moment", { like: "" })] : []), ...limits);
}

function curl(path, body) {
  $("curl").textContent = `curl -s ${location.origin}${path} -H 'content-type: application/json' -d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`;
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
  const row = element("tr", { "aria-selected": String(hit.id === view.hit) }, ...cells, element("td", {}, similar, ` ${hit.similarity.toFixed(2)}`), element("td", { class: "wide" }, followed), element("td", {}, open, " ", similarTo));
  return row;
}

/** Rows of events on one axis of minutes; each ends at its own moment, and goes on a little. */
function axis(rows) {
  const width = 1060, left = 240, height = 26 + 34 * rows.length;
  const events = rows.flatMap(({ events }) => events);
  const from = Math.min(-1, ...events.map(({ secs }) => secs / 60)), to = Math.max(0.5, ...events.map(({ secs }) => secs / 60));
  const x = (secs) => left + ((secs / 60 - from) / (to - from)) * (width - left - 20);
  const types = [...new Set(events.map(({ type }) => type))];
  const color = (type) => COLORS[types.indexOf(type)] ?? "#bbb";
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
  $("legend").replaceChildren(...types.map((type) => {
    const mark = element("i");
    mark.style.background = color(type);
    return element("li", {}, mark, type);
  }));
}

async function episodes(view) {
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
}

async function hits(view) {
  const limits = Object.fromEntries(LIMITS.map((name) => [name, view[name]]));
  const isAsked = view.text || view.like || LIMITS.some((name) => view[name].length);
  const rows = $("hits").tBodies[0];
  if (!isAsked) {
    rows.replaceChildren();
    $("understood").textContent = "Ask in words, or choose a limit.";
    return;
  }
  const [path, body] = view.like ? ["/v1/similar", { event_id: view.like, k: 15, ...limits }] : ["/v1/search", { text: view.text, k: 15, ...limits }];
  curl(path, body);
  const found = await ask(path, body);
  const relax = found.relax.map(({ name, count }) => `without “${name}” ${count}`).join(", ");
  $("understood").textContent = `${found.interpreted_query} — ${found.total} events pass${relax ? `; ${relax}` : ""}`;
  rows.replaceChildren(...found.hits.map((hit) => hitRow(hit, view, found.provenance.usual_similarity)));
}

async function alerts() {
  const { alerts } = await ask("/v1/alerts", {});
  $("alerts").hidden = alerts.length === 0;
  const row = ({ since, state, site, zone, text }) => element("tr", {}, ...[readable(since), state, site, zone, text].map((text) => element("td", {}, text)));
  document.querySelector("#alerts tbody").replaceChildren(...alerts.slice(0, 20).map(row));
}

/** The latest view wins: an answer to an earlier question is not shown. */
let latest = 0;

async function show() {
  const view = asked(), turn = ++latest;
  $("text").value = view.text;
  chips(view);
  $("understood").classList.remove("error");
  try {
    await Promise.all([hits(view), episodes(view)]);
  } catch (error) {
    if (turn !== latest) return;
    $("understood").classList.add("error");
    $("understood").textContent = error.message;
  }
  document.body.dataset.shown = String(turn);
}

async function begin() {
  const store = await ask("/v1/store");
  $("store").textContent = `${store.events} events of ${store.sites.length} sites, ${readable(store.first)} to ${readable(store.last)}; vectors of ${store.provenance.run}`;
  for (const select of document.querySelectorAll("[data-limit]")) {
    const name = select.dataset.limit;
    select.replaceChildren(element("option", { value: "" }, "any"), ...store[name].map((value) => element("option", { value }, value)));
    select.addEventListener("change", () => {
      if (select.value) go({ hit: "", beside: "", [name]: [...new Set([...asked()[name], select.value])] });
      select.value = "";
    });
  }
  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    go({ text: $("text").value.trim(), like: "", hit: "", beside: "" });
  });
  addEventListener("popstate", show);
  await Promise.all([show(), alerts()]);
}

begin().catch((error) => {
  $("store").classList.add("error");
  $("store").textContent = error.message;
});
