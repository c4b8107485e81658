// One key for each step at the desk of approvals (WCAG 2.1.4): never while somebody types, and they can be switched off.
const STORED = "gatehouse-approval-keys";
const PAUSE = 500; // milliseconds after a page has come: a key pressed twice decides about nobody whom the operator has not seen
const CAME = performance.now(); // not when it was asked for: while a slow page is on its way the one before it is shown

const desk = document.querySelector("[data-desk]");
const keysOn = desk && desk.querySelector("[data-keys-on]");

if (keysOn) {
  keysOn.checked = localStorage.getItem(STORED) !== "off";
  keysOn.addEventListener("change", () => localStorage.setItem(STORED, keysOn.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (!keysOn.checked || isTyped(event) || event.timeStamp < CAME + PAUSE) return;
    const key = event.key.toLowerCase();
    if (key === "r") {
      event.preventDefault(); // else the letter is the first of the reason
      desk.querySelector("textarea").focus();
      return;
    }
    const step = desk.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (step && !step.disabled) step.click();
  });
  for (const form of desk.querySelectorAll("form")) {
    let sent = false;
    form.addEventListener("submit", (event) => {
      if (sent) return event.preventDefault(); // a key pressed again before the button is disabled
      sent = true;
      setTimeout(() => form.querySelectorAll("button").forEach((button) => (button.disabled = true)));
    });
  }
}

function isTyped(event) {
  const { target } = event;
  return (
    event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.isComposing || target.isContentEditable ||
    target.closest("input:not([type=checkbox]), textarea, select, [role=dialog], [role=combobox]") !== null
  );
}
