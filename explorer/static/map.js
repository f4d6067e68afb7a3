// The map: where it looks, what its points look like, and what fingers, wheel and keys do. The points come as one file of
// numbers (explorer/map_routes.py); pictures and names come when they are pointed at (map_panel.js); what it looks like is
// in map_look.js. Joined to links.js.

const NEAR_PX = 12; // so close to a point the pointer means it
const ZOOM = 1.5;
let map = null; // the map on the page: {root, config, places, values, view, …}
let cloud = null; // one for all maps: browsers allow few of them
let mapTool = "move";
let mapPointer = "mouse";
let urlTimer = 0;

function followMap() {
  const root = document.querySelector("[data-map]");
  if (root === map?.root) {
    if (map && document.querySelector("[data-map-selection]") !== selectionIn) drawSelection(); // its panel was drawn anew
    return;
  }
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
    followAddress(); // map_select.js
    requestAnimationFrame(() => requestAnimationFrame(nameShown)); // when it knows what is in view
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
  tool("all", "show the whole map", () => { if (map?.places) { map.view = whole(); moved(true); } });
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
  if (!map?.view) return; // its points are on their way
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
  const opened = map;
  urlTimer = setTimeout(() => {
    if (map !== opened) return; // another one is shown meanwhile, perhaps without its points yet
    const address = new URL(location.href);
    const view = all ? "" : shownRegion().join(",");
    if (view) address.searchParams.set("view", view);
    else address.searchParams.delete("view");
    for (const field of document.querySelectorAll(".sp-mapbar input[name=view]")) field.value = view;
    history.replaceState(history.state, "", address.href.replaceAll("%2C", ","));
    here = location.href;
    nameShown();
  }, 250);
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
  addEventListener("popstate", followAddress);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTimeout(redraw, 400));
  followMap();
}
