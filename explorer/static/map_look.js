// What the map looks like: colours, sizes, the order of drawing, and the words on it. Joined to links.js.
// Nothing here writes HTML: texts go through textContent.

const NAMED = 60; // points in view that have their names written beside them; the route answers as many

// Where few points are in view they are called by name: words and numbers, as far as there is room.
async function nameShown() {
  if (!map?.view) return;
  const opened = map;
  const [x0, x1, y0, y1] = shownRegion();
  const latents = [];
  for (let i = 0; i < map.values.length && latents.length <= NAMED; i += 1) {
    const [x, y] = placeOf(i);
    if (x > x0 && x < x1 && y > y0 && y < y1) latents.push(i);
  }
  const names = latents.length && latents.length <= NAMED ? await refsOf(latents) : [];
  if (map !== opened) return;
  for (const old of map.over.querySelectorAll(".sp-mapname")) old.remove();
  const labels = map.words.filter((word) => !word.named);
  const named = names.map(({ latent, name }) =>
    Object.assign(make("span", map.over, "sp-mapname", name || `#${latent}`), { place: placeOf(latent), named: true }));
  map.words = [...labels, ...named];
  redraw();
}

function redraw() {
  if (!map?.places || map.frame || !cloud) return;
  map.frame = requestAnimationFrame(() => { if (map) { map.frame = 0; drawMap(devicePixelRatio || 1); } });
}

function drawMap(ratio) {
  const { width, height } = box();
  if (!width || !height) return;
  map.view ??= viewSaid(); // map_select.js
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
  cloud.canvas.dataset.whole = String(map.view.scale <= wholeScale(width, height) * 1.01);
  cloud.canvas.dataset.drawn = String(map.values.length);
}

// How large the whole map is drawn; where it is shown there is nowhere to move it, so that swipes up and down are the page's.
function wholeScale(width, height) {
  const size = `${width}x${height}`;
  if (map.sized !== size) [map.sized, map.wholeScale] = [size, whole().scale];
  return map.wholeScale;
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
