// Codes and the wait for another: a pasted text gives its code, and the button counts down.

const CODE = /[0-9](?:[\s\u00a0-]?[0-9]){3,9}/;

for (const field of document.querySelectorAll("input[data-code]")) {
  field.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    const found = field.inputMode === "numeric" ? text.match(CODE)?.[0] : text.trim();
    if (!found) return; // as the browser would
    event.preventDefault();
    field.value = found.replace(/[\s\u00a0-]/g, "");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

for (const button of document.querySelectorAll("button[data-wait]")) {
  const until = performance.now() + 1000 * Number(button.dataset.wait);
  const name = button.textContent;
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? button.dataset.waiting.replace("…", left) : name;
    if (left > 0) return setTimeout(tick, 500);
    const said = document.querySelector("[data-said-ready]");
    if (said && Number(button.dataset.wait)) said.textContent = button.dataset.ready; // read aloud once, not each second
  };
  tick();
  addEventListener("pageshow", tick);
}
