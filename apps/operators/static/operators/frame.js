"use strict";

// What unfold's widgets do not tell those who use a screen reader. They are made at moments of their own, before and
// after the page is loaded, so each is mended in the same task in which it is made.
addEventListener("DOMContentLoaded", () => {
  const labelOf = (field) => field?.id && document.querySelector(`label[for="${CSS.escape(field.id)}"]`);

  // Select2 puts its parts beside the field, but what opens at the end of the page: that says whose choices it looks up.
  const fieldOf = (part) =>
    part.closest(".select2")?.previousElementSibling ??
    document.getElementById((part.getAttribute("aria-controls") ?? "").replace(/^select2-(.+)-results$/, "$1"));

  const name = (part) => {
    const field = fieldOf(part);
    const label = labelOf(field);
    if (label) {
      label.id ||= `${field.id}_label`;
      part.setAttribute("aria-labelledby", [label.id, part.getAttribute("aria-labelledby")].filter(Boolean).join(" "));
    } else if (field) {
      part.setAttribute("aria-label", field.getAttribute("aria-label") || field.name);
    }
    part.toggleAttribute("data-named", Boolean(field));
  };

  const mend = () => {
    document.querySelectorAll(":is(.select2-selection, .select2-search__field):not([data-named])").forEach(name);
    // Each scrolling part calls itself a region of the same name; the menu and the list are landmarks already.
    for (const part of document.querySelectorAll(".simplebar-content-wrapper[role]")) {
      part.removeAttribute("role");
      part.removeAttribute("aria-label");
    }
    // What is chosen is a text, and read as the value of the choice: it is no field beside it.
    for (const chosen of document.querySelectorAll(".select2-selection__rendered[role=textbox]")) {
      chosen.removeAttribute("role");
      chosen.removeAttribute("aria-readonly");
    }
    for (const hint of document.querySelectorAll("span.help-tooltip[aria-label]:not([role])")) hint.setAttribute("role", "img");
  };

  mend();
  new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
});
