// The map's card (a latent's pictures and figures), the list of what was selected, and the picture to save. Joined to
// links.js. Nothing here writes HTML: texts go through textContent.

const SHOWN_REFS = 60; // the same as explorer/views/map.py
const HIDE_MS = 160;
const SHARP = 3; // of saved pictures
const SHEET_PX = 520; // on a page no wider, as in the style sheet, the card lies at its bottom: beside a finger it hides the map
let card = null;
let cardOf = null; // the latent that the card shows or waits for
let hiding = 0;
let selectionIn = null; // the section that shows the selection

function make(name, parent, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  parent?.append(made);
  return made;
}

function forgetMap() {
  hideCard();
  chosenList = null;
}

async function showCard(latent, at) {
  clearTimeout(hiding);
  card ??= makeCard();
  const known = cardOf === latent;
  if (!known) blankCard(latent);
  cardOf = latent;
  placeCard(at);
  if (known) return;
  try {
    const answer = await fetch(`tip/${map.config.version}/${latent}`);
    if (!answer.ok) throw new Error(answer.statusText);
    const tip = await answer.json();
    if (cardOf === latent) { fillCard(tip); placeCard(at); }
  } catch {
    if (cardOf === latent) card.figures.textContent = "its pictures cannot be had now";
  }
}

function makeCard() {
  const root = make("div", document.body, "sp-mapcard");
  root.dataset.spa = "";
  const parts = { root, link: make("a", root, "sp-ref"), pictures: make("div", root, "sp-nine"), figures: make("dl", root) };
  for (let i = 0; i < 9; i += 1) make("img", parts.pictures).alt = "";
  root.addEventListener("pointerdown", () => { parts.pressed = true; });
  root.addEventListener("click", (event) => cardClicked(event, parts), true);
  return parts;
}

// A tap on the map ends with a click, which lands on the card where the card has just come up under the finger.
function cardClicked(event, { pressed }) {
  const byKey = event.detail === 0;
  if (pressed || byKey) { setTimeout(hideCard); return; }
  event.preventDefault();
  event.stopPropagation();
}

function blankCard(latent) {
  card.pressed = false;
  card.root.dataset.latent = "";
  card.link.href = `latent?latent=${latent}`;
  card.link.textContent = `#${latent}`;
  card.pictures.dataset.said = "";
  card.figures.replaceChildren();
  for (const picture of card.pictures.children) { picture.hidden = true; picture.removeAttribute("src"); }
}

function fillCard(tip) {
  card.root.dataset.latent = String(tip.latent);
  card.link.textContent = tip.text;
  const shown = tip.pictures.filter((picture) => picture.src);
  card.pictures.dataset.said = tip.dead ? "active in no picture of this store" : shown.length ? "" : "no pictures in this store";
  [...card.pictures.children].forEach((picture, i) => {
    picture.hidden = !shown[i];
    if (shown[i]) { picture.alt = shown[i].alt; picture.src = shown[i].src; }
  });
  card.figures.replaceChildren();
  if (tip.hint) make("dd", card.figures, "sp-hint", tip.hint);
  for (const [name, value] of tip.figures) { make("dt", card.figures, "", name); make("dd", card.figures, "", value); }
}

function placeCard(at) {
  const app = document.querySelector('[data-testid="stApp"]');
  card.root.style.colorScheme = app ? getComputedStyle(app).colorScheme : "";
  card.root.hidden = false;
  card.root.style.pointerEvents = mapPointer === "mouse" ? "none" : ""; // never between a mouse and the points
  const sheet = mapPointer !== "mouse" && innerWidth <= SHEET_PX;
  card.root.classList.toggle("sp-sheet", sheet);
  if (sheet) { card.root.style.left = card.root.style.top = ""; return; }
  const size = card.root.getBoundingClientRect();
  const left = at.clientX + 18 + size.width < innerWidth - 8 ? at.clientX + 18 : at.clientX - 18 - size.width;
  card.root.style.left = `${Math.max(8, Math.min(left, innerWidth - size.width - 8))}px`;
  card.root.style.top = `${Math.max(8, Math.min(at.clientY - 40, innerHeight - size.height - 8))}px`;
}

function hideSoon() {
  clearTimeout(hiding);
  hiding = setTimeout(hideCard, HIDE_MS);
}

function hideCard() {
  clearTimeout(hiding);
  cardOf = null;
  if (card) card.root.hidden = true;
  if (map?.spot) map.spot.hidden = true;
}

function drawSelection() {
  const section = document.querySelector("[data-map-selection]");
  selectionIn = section;
  if (!section) return;
  section.replaceChildren();
  section.hidden = !chosenList;
  if (!chosenList) return;
  const { latents, region } = chosenList;
  const n = latents.length;
  make("h2", make("div", section, "sp-head"), "", `${n.toLocaleString("en")} latent${n === 1 ? "" : "s"} selected`);
  const some = latents.slice(0, LIST_LIMIT);
  const ways = make("p", section, "sp-maplinks");
  const grid = region ? `region=${region.map((value) => value.toPrecision(7)).join(",")}` : `latents=${some.join(",")}`;
  if (n) {
    make("a", ways, "", "open as grid").href = `latents?${grid}`;
    make("a", ways, "", "open as list").href = addressOf({ latents: some });
    pressable(ways, "add to your list", () => addAll(some));
  }
  pressable(ways, "clear", () => select(null));
  if (n > LIST_LIMIT) make("p", section, "sp-dim", `A list holds the first ${LIST_LIMIT}.${region ? " The grid holds all." : ""}`);
  const list = make("ul", section, "sp-maplist");
  for (const latent of some.slice(0, SHOWN_REFS)) {
    make("a", make("li", list), "sp-ref", `#${latent}`).href = `latent?latent=${latent}`;
  }
  if (n > SHOWN_REFS) make("p", section, "sp-dim", `${(n - SHOWN_REFS).toLocaleString("en")} more than these ${SHOWN_REFS}`);
  if (n) nameRefs(list, some.slice(0, SHOWN_REFS));
}

function pressable(parent, text, act) {
  const button = make("button", parent, "", text);
  button.type = "button";
  button.addEventListener("click", act);
}

async function nameRefs(list, latents) {
  (await refsOf(latents)).forEach((ref, i) => {
    const item = list.children[i];
    item.firstChild.textContent = ref.text;
    if (!ref.pictures.length) return;
    const thumbs = Object.assign(make("a", null, "sp-thumbs"), { href: item.firstChild.href, tabIndex: -1, ariaHidden: "true" });
    for (const src of ref.pictures) Object.assign(make("img", thumbs), { alt: "", loading: "lazy", src });
    item.prepend(thumbs);
  });
}

// What latents are called, and addresses of their pictures; nothing where that cannot be had: their numbers stand there already.
async function refsOf(latents) {
  try {
    const answer = await fetch(`refs/${map.config.version}?latents=${latents.join(",")}`);
    return answer.ok ? await answer.json() : [];
  } catch {
    return [];
  }
}

function addAll(latents) {
  const list = myList();
  const all = [...new Set([...list.latents, ...latents])];
  if (all.length > LIST_LIMIT) { complain(`A list holds at most ${LIST_LIMIT} latents`); return; }
  keep({ latents: all, title: list.title });
}

// What is seen, on the page's own colour, with the words.
function savePicture() {
  if (!map?.view) return;
  const { width, height } = box();
  const sheet = Object.assign(document.createElement("canvas"), { width: width * SHARP, height: height * SHARP });
  const pen = sheet.getContext("2d");
  const style = getComputedStyle(map.root);
  pen.fillStyle = style.backgroundColor;
  pen.fillRect(0, 0, sheet.width, sheet.height);
  drawMap(SHARP);
  pen.drawImage(cloud.canvas, 0, 0, sheet.width, sheet.height);
  pen.scale(SHARP, SHARP);
  pen.font = `600 13px ${style.fontFamily}`;
  [pen.textAlign, pen.textBaseline, pen.lineJoin, pen.lineWidth] = ["center", "middle", "round", 4];
  for (const word of map.words) {
    if (word.style.visibility) continue;
    const [left, top] = toScreen(word.place);
    [pen.strokeStyle, pen.fillStyle] = [style.backgroundColor, style.color];
    const below = word.named ? 14 : 0;
    pen.strokeText(word.textContent, left, top + below);
    pen.fillText(word.textContent, left, top + below);
  }
  drawMap(devicePixelRatio || 1);
  sheet.toBlob((blob) => saveBlob(blob, "sparsight-map.png"));
}
