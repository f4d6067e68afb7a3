// What a reader edits. Sliders of a code: letting one go writes all of them into the address (`edit=12:0,340:2.5`), so that Back undoes.
// The form of a latent's name: opening it leads into it.

const KEYS_REST = 600; // milliseconds after the last key: an address for every arrow key would bury Back
let editTimer = 0;
let editByKeys = false;

const sliderOf = (event) => event.target.closest?.("input[type=range][data-edit]");
const fourFigures = (value) => String(Number(Number(value).toPrecision(4)));

function editMoved(event) {
  const slider = sliderOf(event);
  if (slider) slider.closest(".sp-hands").querySelector("output").textContent = Number(slider.value).toFixed(slider.max < 2 ? 3 : 2);
}

function editChanged(event) {
  const slider = sliderOf(event);
  if (!slider) return;
  clearTimeout(editTimer);
  editTimer = setTimeout(() => slider.isConnected && sendEdit(slider), editByKeys ? KEYS_REST : 0);
}

function sendEdit(slider) {
  const moved = (one) => one.hasAttribute("data-edited") || one.value !== one.dataset.was;
  const sliders = [...document.querySelectorAll("input[type=range][data-edit]")].filter(moved);
  const url = new URL(location.href);
  for (const name of ["edit", "add", "to"]) url.searchParams.delete(name);
  url.searchParams.set("edit", sliders.map((one) => `${one.dataset.edit}:${fourFigures(one.value)}`).join(","));
  url.search = url.search.replaceAll("%3A", ":").replaceAll("%2C", ",");
  go(url.href, true); // links.js
  if (document.activeElement === slider) focusAgain(slider);
}

// The rows are drawn anew: the slider that was in hand is in hand again.
function focusAgain(old) {
  const until = performance.now() + 4000;
  const timer = setInterval(() => {
    const slider = document.querySelector(`input[type=range][data-edit="${old.dataset.edit}"]`);
    const free = document.activeElement === document.body || !document.activeElement;
    if (slider && slider !== old && free) slider.focus({ preventScroll: true });
    if ((slider && slider !== old) || performance.now() > until) clearInterval(timer);
  }, 50);
}

// Streamlit draws the form at the end of the document, which for who goes by Tab is behind all pictures of the page.
function formAsked(event) {
  const button = event.target.closest?.(".st-key-title-row [data-testid=stPopoverButton]");
  if (button?.getAttribute("aria-expanded") !== "false") return; // it closes, and keeps the focus itself
  const until = performance.now() + 4000;
  const timer = setInterval(() => {
    const form = document.querySelector("[data-testid=stPopoverBody]:has(textarea):has(button)"); // whole: Tab goes on in it
    const field = form?.querySelector("input"), lost = [button, document.body].includes(document.activeElement);
    if (field && lost) field.focus(); // again where it was drawn anew
    if ((field && !lost) || performance.now() > until) clearInterval(timer);
  }, 50);
}

function installEdits() {
  document.addEventListener("click", formAsked, true); // before Streamlit opens it
  document.addEventListener("input", editMoved);
  document.addEventListener("change", editChanged);
  document.addEventListener("keydown", (event) => { if (sliderOf(event)) editByKeys = true; });
  document.addEventListener("pointerdown", () => { editByKeys = false; });
}
