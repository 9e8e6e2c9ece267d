// Questions to the server, with the token of this tab where the server wants one.

export const $ = (id) => document.getElementById(id);

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** An element of SVG. */
export function drawn(name, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    // A style that stands in an attribute is an inline style, which the page's policy forbids.
    if (key === "style") made.style.cssText = value;
    else made.setAttribute(key, value);
  }
  made.textContent = text;
  return made;
}

export const readable = (time) => time.replace("T", " ").replace(/\.\d+/, "");

const authorization = () => {
  const token = sessionStorage.getItem("token");
  return token ? { authorization: `Bearer ${token}` } : {};
};

export async function ask(path, body) {
  const headers = { ...authorization(), ...(body && { "content-type": "application/json" }) };
  const response = await fetch(path, { headers, ...(body && { method: "POST", body: JSON.stringify(body) }) });
  if (response.status === 401) {
    await token();
    return ask(path, body);
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? response.statusText);
  return answer;
}

/** One question for the token, whoever asks first. */
let entering = null;

// The token is kept for this tab alone, until it is closed.
function token() {
  entering ??= new Promise((resolve) => {
    const input = $("token"), form = $("enter");
    form.hidden = false;
    input.focus();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem("token", input.value.trim());
      form.hidden = true;
      entering = null;
      resolve();
    }, { once: true });
  });
  return entering;
}

/** Calls `take(kind, data)` for what is new, and `take("open")` once that is heard, until `signal` aborts; goes on after a break where it left off. */
export async function listen(take, signal) {
  let last = "";
  while (!signal.aborted) {
    try {
      const headers = { ...authorization(), ...(last && { "last-event-id": last }) };
      const response = await fetch("/v1/stream", { headers, signal });
      if (!response.ok) throw new Error(response.statusText);
      take("open");
      let text = "";
      for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
        text += part;
        const messages = text.split("\n\n");
        text = messages.pop();
        for (const message of messages) {
          const field = (name) => message.split("\n").find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1).trim();
          last = field("id") ?? last;
          if (field("data")) take(field("event"), JSON.parse(field("data")));
        }
      }
    } catch (error) {
      if (signal.aborted) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}
