// Points of a plot that are pictures: pointing at one shows its thumbnail, a click opens it. plotly has no list of
// plots, so each is taken up when the pointer first comes over it. Texts go through textContent; pictures are our own
// thumbnails.

const PICTURE_PLOTS = '[class*="st-key-plot-pictures"] .js-plotly-plot';
const pointed = new WeakMap(); // plot -> its `on` when it was taken up: plotly makes a new one with every purge
let pointCard = null;

function takeUpPlot(event) {
  const plot = event.target.closest?.(PICTURE_PLOTS);
  if (!plot) {
    hidePoint();
    return;
  }
  if (!plot.on || pointed.get(plot) === plot.on) return;
  pointed.set(plot, plot.on);
  plot.on("plotly_hover", showPoint);
  plot.on("plotly_unhover", hidePoint);
  plot.on("plotly_click", openPoint);
}

function pointOf(event) {
  const data = event.points?.[0]?.customdata;
  return data ? { href: data[0], src: data[1], caption: data[2], label: data[3], place: data[4] } : null;
}

function showPoint(event) {
  const point = pointOf(event);
  if (!point) return;
  pointCard ??= makePointCard();
  const [picture, caption, label, place] = pointCard.children;
  picture.hidden = !point.src.startsWith("thumb/");
  if (!picture.hidden && picture.getAttribute("src") !== point.src) picture.setAttribute("src", point.src);
  caption.textContent = point.caption;
  label.textContent = point.label === point.caption ? "" : point.label;
  place.textContent = point.place;
  const app = document.querySelector('[data-testid="stApp"]');
  pointCard.style.colorScheme = app ? getComputedStyle(app).colorScheme : "";
  pointCard.hidden = false;
  placePoint(event.event);
}

function placePoint(pointer) {
  const size = pointCard.getBoundingClientRect();
  const left = pointer.clientX + 16 + size.width < innerWidth ? pointer.clientX + 16 : pointer.clientX - 16 - size.width;
  pointCard.style.left = `${Math.max(8, left)}px`;
  pointCard.style.top = `${Math.max(8, Math.min(pointer.clientY - size.height / 2, innerHeight - size.height - 8))}px`;
}

function makePointCard() {
  const card = document.createElement("div");
  card.className = "sp-pointcard";
  card.setAttribute("aria-hidden", "true"); // the pictures are in the page as links, too
  const picture = document.createElement("img");
  picture.alt = "";
  card.append(picture, ...["b", "span", "span"].map((kind) => document.createElement(kind)));
  document.body.append(card);
  return card;
}

function hidePoint() {
  if (pointCard) pointCard.hidden = true;
}

function openPoint(event) {
  const href = pointOf(event)?.href;
  if (!href?.startsWith("inspect?")) return;
  hidePoint();
  const pointer = event.event;
  if (pointer?.ctrlKey || pointer?.metaKey) window.open(href, "_blank", "noopener");
  else go(href); // links.js
}

function installPoints() {
  document.addEventListener("pointerover", takeUpPlot);
  addEventListener("popstate", hidePoint);
  document.addEventListener("scroll", hidePoint, { capture: true, passive: true });
}
