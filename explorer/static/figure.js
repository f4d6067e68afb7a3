// A figure of latents for a paper: the server's SVG with the page's own font in it, or that drawn as a PNG. Without this
// script the link to the SVG works all the same, in whatever font its reader has.

const FIGURE_SCALE = 3; // pixels of the PNG to a CSS pixel: 300 to the inch at a column's width

async function figurePressed(event) {
  const asked = event.target.closest?.("[data-figure]");
  if (!asked || !plain(event)) return;
  event.preventDefault();
  if (asked.ariaBusy === "true") return;
  asked.ariaBusy = "true";
  try {
    const { svg, name } = await readFigure(asked.dataset.href);
    const blob = new Blob([svg], { type: "image/svg+xml" });
    saveBlob(asked.dataset.figure === "png" ? await drawnFigure(blob) : blob, `${name}.${asked.dataset.figure}`);
  } catch (error) {
    asked.dataset.tip = error.message;
    asked.setAttribute("aria-description", error.message); // readers do not see tips
    placeTip(asked);
  }
  asked.ariaBusy = "false";
}

async function readFigure(address) {
  const answer = await fetch(new URL(address, document.baseURI)).catch(() => null);
  if (!answer) throw new Error("the server does not answer: try again");
  const text = await answer.text();
  if (!answer.ok) throw new Error(text.trim());
  const font = await figureFont();
  return { svg: text.replace(">", () => `><defs><style>${font}</style></defs>`), name: fileName(answer) };
}

// The server's own name for the file, which a link without this script would get, too; without its ".svg".
function fileName(answer) {
  const said = /filename\*=UTF-8''([^;]+)\.svg/.exec(answer.headers.get("content-disposition") ?? "");
  return said ? decodeURIComponent(said[1]) : "sparsight";
}

async function drawnFigure(blob) {
  const image = new Image();
  image.src = URL.createObjectURL(blob);
  try {
    await image.decode();
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [image.naturalWidth * FIGURE_SCALE, image.naturalHeight * FIGURE_SCALE];
    sheet.getContext("2d").drawImage(image, 0, 0, sheet.width, sheet.height);
    return await new Promise((done, failed) =>
      sheet.toBlob((made) => (made ? done(made) : failed(new Error("this browser cannot draw it: take the SVG"))), "image/png"));
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

function installFigures() {
  document.addEventListener("click", figurePressed);
}
