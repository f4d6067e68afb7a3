// The link script, mounted once in the frame. It keeps the session over plain clicks on our links (pushState, then
// popstate, which Streamlit's own handler answers with a rerun), sends forms the same way, and adds the keyboard,
// tooltips and "copy". Without it every link and form still works, by a full load.
// Nothing here writes HTML: texts go through textContent.

const INSTALLED = "sparsightLinks";
const scrolls = new Map(); // address -> how far down it was left
let here = location.href;
let ours = false;

const page = () => document.querySelector('[data-testid="stMain"]');
const plain = (event) =>
  !event.defaultPrevented && !event.button && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
const typing = (element) =>
  element?.isContentEditable || /^(input|select|textarea)$/i.test(element?.tagName ?? "");

function go(address, stay = false) {
  const url = new URL(address, location.href);
  if (url.href === location.href) return;
  leave();
  history.pushState({}, "", url.href);
  here = url.href;
  ours = true;
  dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  ours = false;
  if (page() && !stay) page().scrollTop = 0;
}

function leave() {
  scrolls.set(here, page()?.scrollTop ?? 0);
  hideTip();
}

// Back and Forward: the page comes back where it was left, as soon as it is long enough again.
function returned() {
  if (ours) return;
  stopTurning();
  leave();
  here = location.href;
  const wanted = scrolls.get(here) ?? 0;
  const until = performance.now() + 2000;
  const stop = () => { clearInterval(timer); removeEventListener("wheel", stop); removeEventListener("touchstart", stop); };
  const timer = setInterval(() => {
    const main = page();
    if (main && main.scrollHeight - main.clientHeight >= wanted) main.scrollTop = wanted;
    if (performance.now() > until || (main && Math.abs(main.scrollTop - wanted) < 2 && performance.now() > until - 1400)) stop();
  }, 60);
  addEventListener("wheel", stop, { passive: true });
  addEventListener("touchstart", stop, { passive: true });
}

function clicked(event) {
  stopTurning();
  const copy = event.target.closest?.("[data-copy], [data-copy-text]");
  if (copy && plain(event)) {
    event.preventDefault();
    copied(copy);
    return;
  }
  const mark = event.target.closest?.(".sp-q"); // a tap neither hovers nor, on some phones, focuses
  if (mark) placeTip(mark);
  const link = event.target.closest?.("[data-spa] a[href]");
  if (!link || !plain(event) || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if ("leaves" in link.dataset) return; // an address of the server, no page
  event.preventDefault();
  if (missed(event, link)) return;
  go(link.href, Boolean(link.closest("[data-stay]"))); // what changes a part of the page leaves the reader there
  if (link.dataset.to) document.querySelector(link.dataset.to)?.scrollIntoView({ block: "start" });
}

// Of a double click on a link the second half falls on what the next page has there: that was not meant.
let lastClick = { at: -Infinity, x: 0, y: 0, text: "" };

function missed(event, link) {
  const last = lastClick;
  lastClick = { at: event.timeStamp, x: event.clientX, y: event.clientY, text: link.textContent };
  const soon = event.detail > 0 && event.timeStamp - last.at < 500; // 0: a key
  return soon && Math.hypot(event.clientX - last.x, event.clientY - last.y) < 12 && link.textContent !== last.text;
}

function submitted(event) {
  const form = event.target.closest?.("form[data-form]");
  if (!form) return;
  event.preventDefault();
  const kept = new URLSearchParams(form.dataset.keep ?? ""); // names that the page's sanitiser takes out of forms
  const said = [...kept, ...new FormData(form)].map(([name, value]) => [name, latest(form, name) ?? String(value).trim()]);
  const fields = said.filter(([, value]) => value);
  delete form.dataset.touched;
  const number = form.matches(".sp-search") && /^#?\s*(\d{1,9}|\d{1,3}(?:,\d{3}){1,2})$/.exec(fields[0]?.[1] ?? "");
  document.activeElement?.blur();
  if (number) {
    form.reset();
    go(`latent?latent=${Number(number[1].replaceAll(",", ""))}`);
  } else {
    const query = new URLSearchParams(fields).toString();
    go(form.getAttribute("action") + (query ? `?${query}` : ""), form.hasAttribute("data-stay"));
  }
}

// While a page is on its way its form is still the last one's. What nobody changed in it is what the address says by
// then, so that of two quick choices the first is not lost; undefined: what the field says.
function latest(form, name) {
  const field = form.elements[name];
  const here = form.matches("[data-auto]") && new URL(form.action).pathname === location.pathname;
  if (!here || name === form.dataset.touched || !field?.form || field.type === "hidden") return undefined;
  const drawn = field.options
    ? Math.max(0, [...field.options].findIndex((option) => option.defaultSelected)) === field.selectedIndex
    : field.value === field.defaultValue;
  return drawn ? new URLSearchParams(location.search).get(name) ?? "" : undefined;
}

// A choice is enough, but for one in a fold that can close (on a phone): there several are made, then applied.
function changed(event) {
  const field = event.target;
  if (!field.matches?.("form[data-auto] :is(select, input[list])")) return;
  const fold = field.closest("details")?.querySelector("summary");
  const known = !field.list || [...field.list.options].some((option) => option.value === field.value);
  if (!known || fold?.offsetParent) return;
  field.form.dataset.touched = field.name;
  field.form.requestSubmit();
}

function pressed(event) {
  if (event.key === "Escape") {
    hideTip();
    if (document.activeElement?.closest?.(".sp-search")) document.activeElement.blur();
  }
  if (!plain(event) || typing(event.target)) return;
  if (event.key === "/") {
    const box = document.querySelector(".sp-search input");
    if (!box) return;
    event.preventDefault();
    box.focus();
    box.select();
  } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    if (!document.querySelector(`a[data-key="${event.key}"]`)) return;
    event.preventDefault();
    if (turns.length > (event.repeat ? 0 : 20)) return; // a key that is held turns as fast as pages come
    turns.push(event.key);
    turn();
  }
}

// Arrow keys that wait for the page that the one before them asked for: until then its links are the old page's.
const turns = [];
let turned = { links: null, until: 0 };
let turnTimer = 0;
const turnLinks = () => [...document.querySelectorAll("a[data-key]")].map((link) => link.href).join(" ");

function stopTurning() {
  turns.length = 0;
  turned.until = 0;
}

function turn() {
  clearTimeout(turnTimer);
  if (!turns.length) return;
  if (turnLinks() === turned.links && performance.now() < turned.until) {
    turnTimer = setTimeout(turn, 40);
    return;
  }
  const link = document.querySelector(`a[data-key="${turns.shift()}"]`);
  if (!link) {
    turns.length = 0;
    return;
  }
  turned = { links: turnLinks(), until: performance.now() + 3000 };
  go(link.href);
  turn();
}

// Copying needs a secure origin; elsewhere the old command still works.
async function copied(element) {
  const text = element.hasAttribute("data-copy")
    ? element.href
    : element.closest("section").querySelector("pre").textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  const said = element.textContent;
  element.textContent = "copied";
  setTimeout(() => { if (element.isConnected) element.textContent = said; }, 1400);
}

let tip = null;
let tipTimer = 0;

function showTip(event) {
  const target = event.target.closest?.("[data-tip]");
  if (!target) return;
  clearTimeout(tipTimer);
  tipTimer = setTimeout(() => placeTip(target), event.type === "focusin" ? 0 : 180);
}

function placeTip(target) {
  if (!target.isConnected) return;
  if (!tip) {
    tip = document.createElement("div");
    tip.className = "sp-tip";
    tip.setAttribute("aria-hidden", "true"); // readers have the aria-label
    document.body.append(tip);
  }
  const app = document.querySelector('[data-testid="stApp"]');
  tip.style.colorScheme = app ? getComputedStyle(app).colorScheme : "";
  tip.textContent = target.dataset.tip;
  tip.hidden = false;
  const at = target.getBoundingClientRect();
  const size = tip.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left + at.width / 2 - size.width / 2, innerWidth - size.width - 8));
  const below = at.bottom + 6 + size.height < innerHeight;
  tip.style.left = `${left}px`;
  tip.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - size.height - 6)}px`;
}

function hideTip() {
  clearTimeout(tipTimer);
  if (tip) tip.hidden = true;
}

// A picture that is not there, as in one's own copy of a data set that lacks it: its caption stands in its place.
function missing(picture) {
  if (!(picture instanceof HTMLImageElement) || !picture.getAttribute("src")?.startsWith("thumb/")) return;
  const words = document.createElement("span");
  words.className = "sp-noimg";
  words.textContent = picture.alt;
  picture.replaceWith(words);
}

export default function () {
  if (window[INSTALLED]) return;
  window[INSTALLED] = true;
  document.addEventListener("click", clicked);
  document.addEventListener("submit", submitted);
  document.addEventListener("change", changed);
  document.addEventListener("keydown", pressed);
  document.addEventListener("pointerover", showTip);
  document.addEventListener("focusin", showTip);
  document.addEventListener("pointerout", hideTip);
  document.addEventListener("focusout", hideTip);
  document.addEventListener("scroll", hideTip, { capture: true, passive: true });
  document.addEventListener("error", (event) => missing(event.target), { capture: true });
  for (const picture of [...document.images]) if (picture.complete && !picture.naturalWidth) missing(picture); // before us
  addEventListener("popstate", returned);
  installLists(); // lists.js
  installMap(); // map.js
  installSkips(); // skip.js
  installSaves(); // save.js
  installFigures(); // figure.js
  installPoints(); // points.js
  installEdits(); // edit.js
  installTyped(); // typed.js
  installPaste(); // paste.js
}
