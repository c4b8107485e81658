// Makes forms better where scripts run; each works without.

// The texts that scripts show stand in the page, in its language.
const texts = document.querySelector("template[data-texts]")?.dataset ?? {};

// A form is sent once, however often its button is pressed. After a way back to the page it can be sent again.
for (const form of document.querySelectorAll("form[data-once]")) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (sent) return event.preventDefault();
    if (!navigator.onLine && texts.offline) {
      event.preventDefault();
      return say(form, texts.offline);
    }
    sent = true;
    form.setAttribute("aria-busy", "true");
    setTimeout(again, 10_000); // mail and network can be slow; the server takes a second form for what it is
  });
  const again = () => {
    sent = false;
    form.removeAttribute("aria-busy");
  };
  addEventListener("pageshow", again);
}

/** A message at the form, read aloud. */
export function say(form, text) {
  let place = form.querySelector("[data-said]");
  if (!place) {
    place = document.createElement("p");
    place.dataset.said = "";
    place.className = "fault";
    place.setAttribute("role", "alert");
    form.prepend(place);
  }
  place.textContent = text;
}
