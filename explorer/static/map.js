// The map: where it looks, what its points look like, and what fingers, wheel and keys do. The points come as one file of
// numbers (explorer/map_routes.py); pictures and names come when they are pointed at (map_panel.js). Joined to links.js.

const NEAR_PX = 12; // so close to a point the pointer means it
const ZOOM = 1.5;
let map = null; // the map on the page: {root, config, places, values, view, …}
let cloud = null; // one for all maps: browsers allow few of them
let mapTool = "move";
let mapPointer = "mouse";
let urlTimer = 0;

function followMap() {
  const root = document.querySelector("[data-map]");
  if (root === map?.root) return;
  if (map) { map.size.disconnect(); map = null; }
  if (root) openMap(root);
  else forgetMap();
}

async function openMap(root) {
  const config = JSON.parse(root.dataset.map);
  const opened = { root, config, marked: bits(config.marked), selected: selectedSet(), fingers: new Map(), frame: 0 };
  map = opened;
  layers(opened);
  drawSelection(); // it outlasts another colour
  opened.size = new ResizeObserver(redraw);
  opened.size.observe(root);
  try {
    const answer = await fetch(config.points);
    if (!answer.ok) throw new Error(answer.statusText);
    const numbers = new Float32Array(await answer.arrayBuffer());
    if (map !== opened) return;
    const n = numbers.length / 3;
    opened.places = new Float32Array(2 * n);
    opened.values = new Float32Array(n);
    for (let i = 0; i < n; i += 1) {
      opened.places[2 * i] = numbers[3 * i];
      opened.places[2 * i + 1] = numbers[3 * i + 1];
      opened.values[i] = numbers[3 * i + 2];
    }
    redraw();
  } catch {
    if (map === opened) mapSays(opened, "The points cannot be had now. Reload the page to try again.");
  }
}

// One bit a latent, in base64.
function bits(text) {
  const bytes = text ? Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)) : [];
  return (latent) => bytes.length > 0 && ((bytes[latent >> 3] >> (latent & 7)) & 1) === 1;
}

function layers({ root, config }) {
  if (!cloud) {
    const canvas = document.createElement("canvas");
    canvas.className = "sp-mapcanvas";
    cloud = PointCloud.on(canvas);
    if (cloud) { cloud.restored = () => { if (map) map.painted = ""; redraw(); }; listenToMap(canvas); }
  }
  root.replaceChildren();
  if (!cloud) { mapSays({ root }, "This browser has no WebGL to draw the map with; the list beside works without."); return; }
  delete cloud.canvas.dataset.drawn;
  root.append(cloud.canvas);
  map.over = make("div", root, "sp-mapover");
  map.words = config.words.map(([text, x, y]) => Object.assign(make("span", map.over, "", text), { place: [x, y] }));
  map.ring = make("i", map.over, "sp-mapring");
  map.spot = make("i", map.over, "sp-mapspot");
  map.ring.hidden = map.spot.hidden = true;
  map.drag = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  map.drag.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  map.over.append(map.drag);
  tools(root);
}

function mapSays({ root }, sentence) {
  make("p", root, "sp-mapsaid", sentence).setAttribute("role", "alert");
}

function tools(root) {
  const bar = make("div", root, "sp-maptools");
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "map");
  const tool = (text, hint, act, name) => {
    const button = make("button", bar, "", text);
    button.type = "button";
    button.dataset.tip = hint;
    button.setAttribute("aria-label", hint);
    if (name) { button.dataset.tool = name; button.setAttribute("aria-pressed", String(name === mapTool)); }
    button.addEventListener("click", act);
  };
  const choose = (name) => () => {
    mapTool = name;
    for (const one of bar.querySelectorAll("[data-tool]")) one.setAttribute("aria-pressed", String(one.dataset.tool === name));
    cloud.canvas.dataset.tool = name;
  };
  cloud.canvas.dataset.tool = mapTool;
  tool("move", "drag to move the map", choose("move"), "move");
  tool("box", "drag a box around latents to list them (or hold Shift)", choose("box"), "box");
  tool("lasso", "draw around latents to list them", choose("lasso"), "lasso");
  tool("+", "closer", () => zoom(ZOOM));
  tool("−", "farther", () => zoom(1 / ZOOM));
  tool("all", "show the whole map", () => { map.view = whole(); moved(true); });
  tool("PNG", "save what you see as a picture, three times as sharp", savePicture);
}

// Where it looks

const box = () => ({ width: map.root.clientWidth, height: map.root.clientHeight });
const toScreen = ([x, y]) => {
  const { width, height } = box();
  return [(x - map.view.x) * map.view.scale + width / 2, height / 2 - (y - map.view.y) * map.view.scale];
};
const toPlane = ([left, top]) => {
  const { width, height } = box();
  return [map.view.x + (left - width / 2) / map.view.scale, map.view.y - (top - height / 2) / map.view.scale];
};

function looking([x0, x1, y0, y1], room = 1) {
  const { width, height } = box();
  const scale = Math.min(width / (x1 - x0 || 1), height / (y1 - y0 || 1)) * room;
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale };
}

function whole() {
  const edges = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < map.places.length; i += 1) {
    const axis = 2 * (i & 1);
    edges[axis] = Math.min(edges[axis], map.places[i]);
    edges[axis + 1] = Math.max(edges[axis + 1], map.places[i]);
  }
  return looking(edges, 0.93);
}

function shownRegion() {
  const { width, height } = box();
  const [x0, y1] = toPlane([0, 0]);
  const [x1, y0] = toPlane([width, height]);
  return [x0, x1, y0, y1].map((value) => Number(value.toPrecision(6)));
}

function zoom(by, at) {
  const { width, height } = box();
  const held = toPlane(at ?? [width / 2, height / 2]);
  map.view.scale *= by;
  const now = toPlane(at ?? [width / 2, height / 2]);
  map.view.x += held[0] - now[0];
  map.view.y += held[1] - now[1];
  moved();
}

// The address says what is shown, so that Back and a shared link show it again; it is no step of its own.
function moved(all = false) {
  redraw();
  hideCard();
  clearTimeout(urlTimer);
  urlTimer = setTimeout(() => {
    if (!map) return;
    const address = new URL(location.href);
    const view = all ? "" : shownRegion().join(",");
    if (view) address.searchParams.set("view", view);
    else address.searchParams.delete("view");
    for (const field of document.querySelectorAll(".sp-mapbar input[name=view]")) field.value = view;
    history.replaceState(history.state, "", address.href.replaceAll("%2C", ","));
    here = location.href;
  }, 250);
}

// What it looks like

function redraw() {
  if (!map?.places || map.frame || !cloud) return;
  map.frame = requestAnimationFrame(() => { if (map) { map.frame = 0; drawMap(devicePixelRatio || 1); } });
}

function drawMap(ratio) {
  const { width, height } = box();
  if (!width || !height) return;
  map.view ??= map.config.view ? looking(map.config.view) : whole();
  const app = document.querySelector('[data-testid="stApp"]');
  const dark = getComputedStyle(app ?? document.body).colorScheme.includes("dark");
  paint(dark ? "dark" : "light");
  cloud.draw(map.view, width, height, ratio, dark ? [0.95, 0.95, 0.94] : [0.11, 0.12, 0.14]);
  placeWords();
  const { chosen } = map.config;
  map.ring.hidden = chosen === null;
  if (chosen !== null) move(map.ring, placeOf(chosen));
  if (!map.spot.hidden && map.pointed !== undefined) move(map.spot, placeOf(map.pointed));
  cloud.canvas.dataset.view = shownRegion().join(",");
  cloud.canvas.dataset.drawn = String(map.values.length);
}

// Words that would lie over an earlier one wait until there is room.
function placeWords() {
  const taken = [];
  for (const word of map.words) {
    const [left, top] = toScreen(word.place);
    word.wide ??= word.offsetWidth;
    const free = taken.every(([x, y, wide]) => Math.abs(x - left) > (wide + word.wide) / 2 + 4 || Math.abs(y - top) > 18);
    word.style.visibility = free ? "" : "hidden";
    if (free) taken.push([left, top, word.wide]);
    move(word, word.place);
  }
}

const placeOf = (latent) => [map.places[2 * latent], map.places[2 * latent + 1]];

function move(thing, place) {
  const [left, top] = toScreen(place);
  thing.style.translate = `${left}px ${top}px`;
}

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

// Colours, sizes and the order of drawing: without a colour first, what the words find last.
function paint(theme) {
  const state = [theme, map.selected ? map.selected.size : -1].join();
  if (map.painted === state && map.paintedFor === map.selected) return;
  [map.painted, map.paintedFor] = [state, map.selected];
  const { config, values, places, marked, selected } = map;
  const stops = config.colors[theme].map(rgb);
  const grey = rgb(config.grey[theme]);
  const searching = config.marked !== "";
  const rank = (i) => (marked(i) ? 2 : 0) + (Number.isNaN(values[i]) ? 0 : 1);
  const ranks = Uint8Array.from(values, (_, i) => rank(i));
  const order = Uint32Array.from(values.keys()).sort((a, b) => ranks[a] - ranks[b] || a - b);
  const n = values.length;
  const [ordered, colors, looks] = [new Float32Array(2 * n), new Uint8Array(4 * n), new Float32Array(2 * n)];
  order.forEach((latent, i) => {
    const value = values[latent];
    const found = marked(latent);
    const color = Number.isNaN(value) ? grey : config.steps ? stops[value] : between(stops, value);
    const faint = (searching && !found) || (selected && !selected.has(latent));
    colors.set(color, 4 * i);
    colors[4 * i + 3] = faint ? 46 : found ? 255 : config.opacity * 255;
    ordered.set(placeOf(latent), 2 * i);
    looks[2 * i] = (found ? Math.max(1.6 * config.size, 7) : config.size) * (ranks[latent] === 0 ? 0.85 : 1);
    looks[2 * i + 1] = found ? 1.3 : 0;
  });
  cloud.set(ordered, colors, looks);
}

function between(stops, value) {
  const at = Math.min(Math.max(value, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  return stops[low].map((part, i) => part + (stops[low + 1][i] - part) * (at - low));
}

// The latent nearest to a place on the screen; undefined where none is near.
function latentAt([left, top]) {
  if (!map?.view) return undefined;
  const [x, y] = toPlane([left, top]);
  let nearest;
  let best = (NEAR_PX / map.view.scale) ** 2;
  for (let i = 0; i < map.values.length; i += 1) {
    const away = (map.places[2 * i] - x) ** 2 + (map.places[2 * i + 1] - y) ** 2;
    if (away < best) [best, nearest] = [away, i];
  }
  return nearest;
}

function installMap() {
  new MutationObserver(followMap).observe(document.getElementById("root") ?? document.body, { childList: true, subtree: true });
  document.addEventListener("submit", (event) => { // a number goes to another place: the view does not stay
    const fields = event.target.closest?.(".sp-mapbar form")?.elements;
    if (fields && /^#?\s*\d+$/.test(fields.q.value.trim())) fields.view.value = "";
  }, true);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTimeout(redraw, 400));
  followMap();
}
