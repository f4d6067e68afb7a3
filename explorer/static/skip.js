// The keyboard's short ways. Streamlit's own "Skip to main content" leads to the page's main part, which begins with our
// header: from there it goes on to what follows it. Other skips name where they lead. And "+" on a card in hand is its
// button, which is no stop of its own.

function skipPressed(event) {
  const skip = event.target.closest?.('[data-testid="stSkipToContent"], [data-skip]');
  if (!skip) return;
  const part = document.querySelector(".sp-header")?.closest('[data-testid="stElementContainer"]');
  const place = skip.dataset.skip ? document.querySelector(skip.dataset.skip) : part?.nextElementSibling;
  if (!place) return;
  event.preventDefault();
  place.tabIndex = -1;
  place.focus();
}

function addPressed(event) {
  if (event.key !== "+" || typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  const add = event.target.closest?.(".sp-card, .sp-stripcard")?.querySelector("[data-add]");
  if (add) toggle(Number(add.dataset.add)); // lists.js
}

function installSkips() {
  document.addEventListener("click", skipPressed);
  document.addEventListener("keydown", addPressed);
}
