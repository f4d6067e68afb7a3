// What box or lasso hold. The address says their outline in the map's own coordinates (`box=x0,x1,y0,y1`,
// `lasso=x,y,x,y,…`), so that reload, Back and a shared link find it again; which latents lie in it is found out anew each
// time, with the even-odd rule. Joined to links.js.

const CORNERS = 40; // of a lasso: an address must not be long
const MAX_NUMBERS = 400; // of one that is read, as in explorer/views/map_query.py
let chosenList = null; // {latents, region}; region where it was a box

const fiveFigures = (value) => Number(value.toPrecision(5));

// What was drawn becomes the address; null clears it. Back undoes.
function select(press) {
  const url = new URL(location.href);
  for (const name of ["box", "lasso"]) url.searchParams.delete(name);
  const corners = press?.path.map(toPlane);
  const few = press?.kind === "lasso" ? fewCorners(corners) : corners;
  if (few?.length > 2) { // a line surrounds nothing
    const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
    const region = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const said = press.kind === "box" ? region : few.flat();
    url.searchParams.set(press.kind, said.map(fiveFigures).join(","));
  }
  url.search = url.search.replaceAll("%2C", ",");
  go(url.href, true); // links.js
}

// A line through few of its points that stays close to all of them: within a pixel, or as close as CORNERS allow.
function fewCorners(corners) {
  let kept = corners;
  for (let reach = 1 / map.view.scale; kept.length > CORNERS; reach *= 1.4) kept = straightened(corners, reach);
  return kept;
}

function straightened(corners, reach) {
  const [from, to] = [corners[0], corners.at(-1)];
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const away = ([x, y]) => length
    ? Math.abs((to[0] - from[0]) * (from[1] - y) - (from[0] - x) * (to[1] - from[1])) / length
    : Math.hypot(x - from[0], y - from[1]);
  let [farthest, at] = [reach, 0];
  for (let i = 1; i < corners.length - 1; i += 1) if (away(corners[i]) > farthest) [farthest, at] = [away(corners[i]), i];
  if (!at) return [from, to];
  return [...straightened(corners.slice(0, at + 1), reach).slice(0, -1), ...straightened(corners.slice(at), reach)];
}

// The numbers of a parameter; null where it does not say at least `least` of them, in pairs.
function numbersOf(name, least) {
  const said = new URLSearchParams(location.search).get(name);
  const numbers = (said ?? "").split(",").map((part) => (part.trim() ? Number(part) : NaN));
  return numbers.length >= least && numbers.length <= MAX_NUMBERS && numbers.length % 2 === 0 && numbers.every(Number.isFinite) ? numbers : null;
}

// Shows the selection that the address says; on Back the part of the plane, too.
function followAddress(event) {
  if (!map?.places || !location.pathname.endsWith("/map")) return;
  for (const field of document.querySelectorAll(".sp-mapbar :is(input[name=box], input[name=lasso])")) {
    field.value = new URLSearchParams(location.search).get(field.name) ?? "";
  }
  if (event && !ours) map.view = viewSaid();
  chosenList = selectionSaid();
  map.selected = selectedSet();
  redraw();
  drawSelection(); // map_panel.js
}

// The part of the plane that the address says, or else the surroundings of the latent in the middle, or everything.
function viewSaid() {
  const [x0, x1, y0, y1] = inOrder(numbersOf("view", 4) ?? []);
  if (x0 < x1 && y0 < y1) return looking([x0, x1, y0, y1]);
  return map.config.around ? looking(map.config.around) : whole();
}

function selectionSaid() {
  const [box, lasso] = [numbersOf("box", 4), numbersOf("lasso", 6)];
  if (box?.length === 4) return { latents: latentsIn(outlineOf(box)), region: inOrder(box) };
  return lasso && { latents: latentsIn(lasso), region: null };
}

const inOrder = ([x0, x1, y0, y1]) => [Math.min(x0, x1), Math.max(x0, x1), Math.min(y0, y1), Math.max(y0, y1)];
const outlineOf = ([x0, x1, y0, y1]) => [x0, y0, x1, y0, x1, y1, x0, y1];
const selectedSet = () => (chosenList ? new Set(chosenList.latents) : null);

function latentsIn(outline) {
  const latents = [];
  for (let i = 0; i < map.values.length; i += 1) if (within(...placeOf(i), outline)) latents.push(i);
  return latents;
}

function within(x, y, outline) {
  let inside = false;
  for (let i = 0, j = outline.length - 2; i < outline.length; j = i, i += 2) {
    const [xi, yi, xj, yj] = [outline[i], outline[i + 1], outline[j], outline[j + 1]];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}
