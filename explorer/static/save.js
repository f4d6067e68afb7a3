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
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = `${button.dataset.name}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// plotly reads the options when its button is pressed, so one button serves both kinds.
function saveFigure(button) {
  const plot = button.closest('[class*="st-key-plot-"]')?.querySelector(".js-plotly-plot");
  const camera = plot?.querySelector('.modebar-btn[data-title*="ownload"], .modebar-btn[data-attr="toimage"]');
  if (!plot?._context || !camera) return;
  plot._context.toImageButtonOptions = { format: button.dataset.save, filename: button.dataset.name, scale: 2 };
  camera.click();
}

function installSaves() {
  document.addEventListener("click", savePressed);
}
