// Pasting a picture anywhere on Inspect is as good as choosing it: the browser gives it to what has the focus, and that is
// the drop zone only for those who know it. In a field it stays a paste, and what the drop zone takes itself is its own.

function picturePasted(event) {
  const zone = document.querySelector('[data-testid="stFileUploader"]');
  const field = zone?.querySelector('input[type="file"]');
  const pictures = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
  if (!field?.accept.includes(".jpg") || !pictures.length || zone.contains(event.target) || typing(event.target)) return;
  event.preventDefault();
  const chosen = new DataTransfer();
  chosen.items.add(pictures[0]);
  field.files = chosen.files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

function installPaste() {
  document.addEventListener("paste", picturePasted);
}
