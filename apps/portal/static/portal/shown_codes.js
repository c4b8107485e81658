// Recovery codes can be copied, printed and downloaded. Nothing of them leaves the page otherwise.
const codes = [...document.querySelectorAll("[data-codes] li")].map((item) => item.textContent.trim());
const actions = document.querySelector("[data-code-actions]");
const text = `${actions.dataset.title}\n\n${codes.join("\n")}\n`;

actions.querySelector("[data-copy]").addEventListener("click", async () => {
  await navigator.clipboard.writeText(text);
  document.querySelector("[data-copy-status]").textContent = actions.dataset.copied;
});
actions.querySelector("[data-print]").addEventListener("click", () => print());
actions.querySelector("[data-download]").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = actions.dataset.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
});
actions.hidden = false;
