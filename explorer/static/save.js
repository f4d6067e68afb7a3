// Saving a plot from the browser: pictures through plotly's own button (hidden by the style sheet), data as they stand
// beside the plot. Nothing is sent anywhere.

function savePressed(event) {
  const button = event.target.closest?.("[data-save]");
  if (!button) return;
  if (button.dataset.save === "csv") saveTable(button);
  else saveFigure(button);
}

function saveTable(button) {
  const text = button.parentElement.querySelector("pre").textContent;
  saveBlob(new Blob([text], { type: "text/csv;charset=utf-8" }), `${button.dataset.name}.csv`);
}

function saveBlob(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// plotly reads the options when its button is pressed, so one button serves both kinds.
async function saveFigure(button) {
  const plot = button.closest('[class*="st-key-plot-"]')?.querySelector(".js-plotly-plot");
  const camera = plot?.querySelector('.modebar-btn[data-title*="ownload"], .modebar-btn[data-attr="toimage"]');
  if (!plot?._context || !camera) return;
  plot._context.toImageButtonOptions = { format: button.dataset.save, filename: button.dataset.name, scale: 2 };
  carryStyle((await figureFont()) + inks(plot));
  camera.click();
}

// What the style sheet colours anew, so that it can be read on this page: plotly's own words and numbers, and its notes.
const BASELINE = '[style*="47, 127, 209"]';
const AXES = [".xtitle", ".ytitle", ".x2title", ".y2title", ".xtick text", ".ytick text", ".x2tick text", ".y2tick text"];
const WORDS = [...AXES, ".legendtext", ".bartext-outside", `.annotation-text:not(${BASELINE})`, `.annotation-text${BASELINE}`];

// A saved figure gets the colours that its words have in the page, as the theme is now.
function inks(plot) {
  const cells = plot.closest('[class*="st-key-plot-labels"]') ? [".textpoint text"] : [];
  return [...WORDS, ...cells].map((words) => {
    const shown = plot.querySelector(words);
    return shown ? `${words} { fill: ${getComputedStyle(shown).fill} !important; }` : "";
  }).join("\n");
}

// A saved figure is drawn outside of the page, whose fonts it does not have: written in another one it is cut off at its
// edges. So it carries the page's own.
let fontRule = null; // a promise of an @font-face with the file inside; empty where there is none

const figureFont = () => (fontRule ??= readFont().catch(() => ""));

async function readFont() {
  const rules = [...document.styleSheets].flatMap((sheet) => { try { return [...sheet.cssRules]; } catch { return []; } });
  const face = rules.find((rule) => rule instanceof CSSFontFaceRule && isPlain(rule.style));
  const address = face.style.getPropertyValue("src").match(/url\(["']?([^"')]+)/)[1];
  const file = await (await fetch(new URL(address, face.parentStyleSheet.href ?? document.baseURI))).blob();
  const inside = await new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = failed;
    reader.readAsDataURL(file);
  });
  return `@font-face { font-family: "Source Sans"; font-weight: 200 900; src: url(${inside}); }`;
}

const isPlain = (style) =>
  style.getPropertyValue("font-family").includes("Source Sans") && style.getPropertyValue("font-style") !== "italic";

// plotly writes a figure with an XMLSerializer, once for each time it is saved.
function carryStyle(rules) {
  if (!rules) return;
  const plain = XMLSerializer.prototype.serializeToString;
  XMLSerializer.prototype.serializeToString = function (node) {
    XMLSerializer.prototype.serializeToString = plain;
    return plain.call(this, node).replace(">", () => `><defs><style>${rules}</style></defs>`);
  };
}

function installSaves() {
  document.addEventListener("click", savePressed);
}
