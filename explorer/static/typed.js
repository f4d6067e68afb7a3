// What a reader typed and has not sent: a form that is drawn anew gets it back, and the caret with it, unless the app
// says something else in that field by then. A page's later parts come seconds after its first ones on a busy machine.

const typed = new Map(); // form and field -> the field that it was typed into
let typedAt = "";
let inHand = null;

const typedName = (field) => [field.form.className, field.form.getAttribute("action"), field.name].join(" ");
const typable = (field) => field.form?.matches?.("form[data-form]") && field.matches("textarea, input:not([type=hidden], [type=checkbox], [type=radio], [type=range])");
const typedFields = () => [...document.querySelectorAll("form[data-form] :is(input, textarea)")].filter(typable);

function typedHere() {
  if (typedAt !== location.pathname) typed.clear(); // another page: it was given up
  typedAt = location.pathname;
  return typed;
}

function typedIn(event) {
  if (typable(event.target)) typedHere().set(typedName(event.target), event.target);
}

function typedSent(event) {
  for (const field of event.target.elements ?? []) if (typable(field)) typed.delete(typedName(field));
}

function giveBack() {
  if (!typedHere().size) return;
  const fields = new Map(typedFields().map((field) => [typedName(field), field]));
  for (const [name, old] of typed) {
    const field = fields.get(name);
    if (old.isConnected || !field) continue;
    if (field.defaultValue !== old.defaultValue) {
      typed.delete(name);
      continue;
    }
    field.value = old.value;
    typed.set(name, field);
    if (inHand === old && [document.body, null].includes(document.activeElement)) takeInHand(field, old);
  }
}

function takeInHand(field, old) {
  field.focus({ preventScroll: true });
  if (old.selectionStart !== null) field.setSelectionRange(old.selectionStart, old.selectionEnd);
}

function installTyped() {
  for (const field of typedFields()) if (field.value !== field.defaultValue) typedHere().set(typedName(field), field); // before us
  document.addEventListener("input", typedIn);
  document.addEventListener("submit", typedSent, true); // before its address is gone to
  document.addEventListener("focusin", (event) => { inHand = event.target; });
  document.addEventListener("pointerdown", (event) => { if (event.target !== inHand) inHand = null; });
  addEventListener("popstate", () => { if (!ours) typed.clear(); }); // Back: what the address says (`ours`: links.js)
  new MutationObserver(giveBack).observe(document.getElementById("root") ?? document.body, { childList: true, subtree: true });
}
