// The map's mouse, fingers and keys: moving, zooming, pointing, opening, and drawing around latents. Joined to links.js.

const STILL_PX = 4; // a press that moved less is a click

const spotOf = (event) => {
  const edge = cloud.canvas.getBoundingClientRect();
  return [event.clientX - edge.left, event.clientY - edge.top];
};

function listenToMap(canvas) {
  canvas.tabIndex = 0;
  canvas.addEventListener("pointerenter", redraw); // the theme may be another one
  canvas.addEventListener("pointerdown", pressedMap);
  canvas.addEventListener("pointermove", draggedMap);
  canvas.addEventListener("pointerup", releasedMap);
  canvas.addEventListener("pointercancel", (event) => { map?.fingers.delete(event.pointerId); endDrag(); });
  canvas.addEventListener("pointerleave", () => { if (mapPointer === "mouse") pointAt(undefined); });
  canvas.addEventListener("wheel", (event) => {
    if (!map?.view) return;
    event.preventDefault();
    zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) * 0.0022), spotOf(event));
  }, { passive: false });
  canvas.addEventListener("dblclick", () => { if (map?.view) { select(null); } });
  canvas.addEventListener("keydown", keyOnMap);
}

function pressedMap(event) {
  if (!map?.view || event.button) return;
  mapPointer = event.pointerType || "mouse";
  cloud.canvas.setPointerCapture(event.pointerId);
  const spot = spotOf(event);
  map.fingers.set(event.pointerId, spot);
  const kind = event.shiftKey ? "box" : mapTool;
  map.press = map.fingers.size === 1 ? { from: spot, kind, path: [spot], still: true } : null; // two fingers zoom
  if (!map.press) endDrag();
}

function draggedMap(event) {
  if (!map?.view) return;
  const spot = spotOf(event);
  const before = map.fingers.get(event.pointerId);
  if (!before) { if (event.pointerType !== "touch") { mapPointer = "mouse"; pointAt(latentAt(spot), event); } return; }
  if (map.fingers.size === 2) { pinched(event.pointerId, before, spot); return; }
  map.fingers.set(event.pointerId, spot);
  const { press } = map;
  if (!press) return;
  if (Math.hypot(spot[0] - press.from[0], spot[1] - press.from[1]) > STILL_PX) press.still = false;
  if (press.still) return;
  press.scrolls ??= event.pointerType === "touch" && isScroll(press, spot);
  if (press.scrolls) return; // until the browser takes it
  pointAt(undefined);
  if (press.kind === "move") {
    map.view.x -= (spot[0] - before[0]) / map.view.scale;
    map.view.y += (spot[1] - before[1]) / map.view.scale;
    moved();
  } else {
    if (press.kind === "lasso") press.path.push(spot);
    else press.path = [press.from, [spot[0], press.from[1]], spot, [press.from[0], spot[1]]];
    map.drag.firstChild.setAttribute("d", `M${press.path.map((corner) => corner.join(" ")).join("L")}Z`);
  }
}

// A finger that begins up or down scrolls the page where the whole map is shown (`touch-action` in the style sheet).
function isScroll({ kind, from }, spot) {
  return kind === "move" && cloud.canvas.dataset.whole === "true" && Math.abs(spot[1] - from[1]) > Math.abs(spot[0] - from[0]);
}

function releasedMap(event) {
  if (!map?.view) return;
  map.fingers.delete(event.pointerId);
  const { press } = map;
  endDrag();
  if (!press) return;
  if (press.still) clickedMap(event, latentAt(press.from));
  else if (press.kind !== "move") select(press);
}

function endDrag() {
  if (!map) return;
  map.press = null;
  map.drag?.firstChild.setAttribute("d", "");
}

function pinched(id, before, spot) {
  const [other] = [...map.fingers].filter(([key]) => key !== id).map(([, place]) => place);
  const apart = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]);
  map.fingers.set(id, spot);
  map.view.x -= (spot[0] - before[0]) / 2 / map.view.scale;
  map.view.y += (spot[1] - before[1]) / 2 / map.view.scale;
  zoom(apart(spot) / Math.max(apart(before), 1), [(spot[0] + other[0]) / 2, (spot[1] + other[1]) / 2]);
}

function pointAt(latent, event) {
  if (!map) return;
  map.pointed = latent;
  map.spot.hidden = latent === undefined;
  cloud.canvas.dataset.over = latent === undefined ? "" : "latent";
  if (latent === undefined) { hideSoon(); return; }
  move(map.spot, placeOf(latent));
  showCard(latent, event);
}

// A finger cannot hover: it gets the card, which has the link.
function clickedMap(event, latent) {
  if (latent === undefined) { if (mapPointer !== "mouse") pointAt(undefined); return; }
  if (mapPointer !== "mouse") { pointAt(latent, event); return; }
  hideCard();
  if (event.ctrlKey || event.metaKey) open(`latent?latent=${latent}`, "_blank", "noopener");
  else go(`latent?latent=${latent}`);
}

function keyOnMap(event) {
  if (!map?.view || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = 60 / map.view.scale;
  const acts = {
    ArrowLeft: () => { map.view.x -= step; },
    ArrowRight: () => { map.view.x += step; },
    ArrowUp: () => { map.view.y += step; },
    ArrowDown: () => { map.view.y -= step; },
    "+": () => zoom(ZOOM),
    "=": () => zoom(ZOOM),
    "-": () => zoom(1 / ZOOM),
    Escape: () => select(null),
  };
  if (!acts[event.key]) return;
  event.preventDefault();
  event.stopPropagation(); // the page's own arrows
  acts[event.key]();
  moved();
}
