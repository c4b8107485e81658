// A secret that is shown once: copied by a button, and gone from the page when the operator leaves it.
const status = document.querySelector("[data-copy-status]");

for (const button of document.querySelectorAll("[data-copies]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const shown = document.getElementById(button.dataset.copies);
    status.textContent = (await copied(shown)) ? button.dataset.copied : button.dataset.failed;
  });
}

async function copied(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  getSelection().removeAllRanges();
  getSelection().addRange(range); // seen, and copied by hand where neither way below is allowed
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    return document.execCommand("copy"); // without TLS a browser has no clipboard object
  }
}

// Browsers may keep a whole page to show it again at "back", whatever its headers say.
addEventListener("pagehide", () => {
  for (const shown of document.querySelectorAll("[data-secret]")) shown.textContent = "";
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
