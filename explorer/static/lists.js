// The reader's own list of latents: kept in this browser, one list per SAE, changed by the "+" of every latent, shown in a
// quiet tray, and opened as an address that says it all. Joined to links.js, which mounts it: one script, one scope.
// Nothing here writes HTML: texts go through textContent.

const LIST_LIMIT = 500; // the same as explorer/views/collection.py: longer addresses fail in proxies and mails
const SAE_DIGITS = 8; // the same as explorer/links.py
const UNDO_MS = 15000;
let memory = {}; // where the browser keeps nothing for us
let undoable = null; // {list, said}: what "undo" brings back, and what happened to it
let undoTimer = 0;
let tray = null;
let said = ""; // a sentence instead of the count

const listOf = () => document.querySelector("[data-list-of]")?.dataset.listOf; // fingerprint of the store's SAE
const listKey = () => {
  const sae = listOf();
  return sae ? `sparsight-list-${sae}` : null;
};
// With the mark of the SAE: in another store the same numbers are other latents.
const addressOf = (list) =>
  `list?latents=${list.latents.join(",")}` + (list.title ? `&title=${encodeURIComponent(list.title)}` : "") +
  `&sae=${listOf()?.slice(0, SAE_DIGITS) ?? ""}`;
const sameLatents = (a, b) => a.join() === b.join();

function myList() {
  const key = listKey();
  let kept = null;
  try {
    kept = JSON.parse(localStorage.getItem(key));
  } catch { /* no storage, or not ours */ }
  kept ??= memory[key];
  const latents = Array.isArray(kept?.latents) ? kept.latents.filter((n) => Number.isInteger(n) && n >= 0) : [];
  return { latents: [...new Set(latents)].slice(0, LIST_LIMIT), title: typeof kept?.title === "string" ? kept.title : "" };
}

function keep(list) {
  const key = listKey();
  if (!key) return;
  memory[key] = list;
  try {
    localStorage.setItem(key, JSON.stringify(list));
  } catch { /* private windows: the list lasts as long as the page */ }
  refreshLists();
}

function toggle(latent) {
  const list = myList();
  const at = list.latents.indexOf(latent);
  if (at >= 0) list.latents.splice(at, 1);
  else if (list.latents.length >= LIST_LIMIT) { complain(`A list holds at most ${LIST_LIMIT} latents`); return; }
  else list.latents.push(latent);
  undoable = null;
  said = "";
  keep(list.latents.length ? list : { latents: [], title: "" });
}

// Another list instead of one's own; for a while it can be taken back.
function exchange(list, what) {
  const before = myList();
  clearTimeout(undoTimer);
  undoable = before.latents.length ? { list: before, said: what } : null;
  undoTimer = setTimeout(() => { undoable = null; refreshLists(); }, UNDO_MS);
  said = "";
  keep(list);
}

const clearList = () => exchange({ latents: [], title: "" }, "list cleared");

function joinList(shown) {
  const mine = myList();
  const latents = [...new Set([...mine.latents, ...shown.latents])];
  const added = latents.length - mine.latents.length;
  if (latents.length > LIST_LIMIT) { complain(`A list holds at most ${LIST_LIMIT} latents: these would make ${latents.length}`); return; }
  exchange({ latents, title: mine.title }, `${added} added to your list`);
}

function restoreList() {
  const list = undoable?.list;
  undoable = null;
  if (list) keep(list);
}

function complain(sentence) {
  said = sentence;
  setTimeout(() => { said = ""; refreshLists(); }, 4000);
  refreshLists();
}

// The list that the page shows, where it is the list page.
function shownList() {
  const section = document.querySelector("[data-this-list]");
  if (!section) return null;
  return { latents: section.dataset.thisList.split(",").filter(Boolean).map(Number), title: section.dataset.title ?? "" };
}

// Editing one's own list on the list page edits what is kept; editing somebody else's does not.
function follow(address) {
  const shown = shownList();
  if (!shown || !sameLatents(shown.latents, myList().latents)) return;
  const query = new URL(address, location.href).searchParams;
  const latents = (query.get("latents") ?? "").split(",").filter(Boolean).map(Number);
  undoable = null;
  keep({ latents, title: query.get("title") ?? query.get("list_title") ?? "" });
}

function listClicked(event) {
  const add = event.target.closest?.("[data-add]");
  if (add) toggle(Number(add.dataset.add));
  const shown = shownList();
  if (shown && event.target.closest?.("[data-take-list]")) exchange(shown, "your list was replaced");
  if (shown && event.target.closest?.("[data-join-list]")) joinList(shown);
  const edit = event.target.closest?.("a[data-list-edit]");
  if (edit && plain(event)) follow(edit.href);
}

function listSubmitted(event) {
  const form = event.target.closest?.("form[data-list-edit]");
  if (form) follow(`list?${new URLSearchParams(new FormData(form))}`);
}

function refreshLists() {
  const key = listKey();
  const list = key ? myList() : { latents: [], title: "" };
  const mine = new Set(list.latents);
  for (const button of document.querySelectorAll("[data-add]")) {
    const within = mine.has(Number(button.dataset.add));
    if (button.getAttribute("aria-pressed") === String(within) && button.dataset.drawn) continue;
    const words = within ? `remove #${button.dataset.add} from your list` : `add #${button.dataset.add} to your list`;
    button.setAttribute("aria-pressed", String(within));
    button.setAttribute("aria-label", words);
    button.dataset.tip = words;
    button.dataset.drawn = "1";
    button.textContent = (within ? "✓" : "+") + ("addText" in button.dataset ? " list" : "");
  }
  const shown = shownList();
  const here = shown !== null && sameLatents(shown.latents, list.latents);
  for (const button of document.querySelectorAll("[data-take-list]")) button.hidden = here || !shown?.latents.length;
  const joins = mine.size > 0 && shown?.latents.some((latent) => !mine.has(latent));
  for (const button of document.querySelectorAll("[data-join-list]")) button.hidden = !joins;
  // "List" among the pages is one's own, where there is one.
  const entry = document.querySelector('.sp-header nav a[href^="list"]');
  const address = list.latents.length ? addressOf(list) : "list";
  if (entry && entry.getAttribute("href") !== address) entry.setAttribute("href", address);
  drawTray(list, here);
}

function drawTray(list, here) {
  tray ??= makeTray();
  const n = list.latents.length;
  tray.root.hidden = !said && !undoable && (n === 0 || here);
  const count = `${n} latent${n === 1 ? "" : "s"} in your list`;
  tray.text.textContent = said || undoable?.said || (n ? count : "");
  tray.open.href = addressOf(list);
  tray.open.hidden = n === 0 || here;
  tray.clear.hidden = n === 0 || undoable !== null;
  tray.undo.hidden = !undoable;
  const app = document.querySelector('[data-testid="stApp"]');
  tray.root.style.colorScheme = app ? getComputedStyle(app).colorScheme : "";
}

function makeTray() {
  const root = document.createElement("div");
  root.className = "sp-tray";
  root.hidden = true;
  root.dataset.spa = "";
  root.setAttribute("role", "region");
  root.setAttribute("aria-label", "your list");
  const part = (name, text, act) => {
    const element = document.createElement(name);
    element.textContent = text;
    if (act) { element.type = "button"; element.addEventListener("click", act); }
    root.append(element);
    return element;
  };
  const text = part("span", "");
  text.setAttribute("role", "status");
  const parts = { root, text, open: part("a", "open"), clear: part("button", "clear", clearList), undo: part("button", "undo", restoreList) };
  document.body.append(root);
  return parts;
}

function installLists() {
  document.documentElement.classList.add("sp-scripted"); // "+" shows only where something answers it
  document.addEventListener("click", listClicked, true); // before links.js takes the click
  document.addEventListener("submit", listSubmitted);
  addEventListener("storage", refreshLists); // another tab
  let asked = false;
  new MutationObserver(() => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; refreshLists(); });
  }).observe(document.getElementById("root") ?? document.body, { childList: true, subtree: true });
  refreshLists();
}
