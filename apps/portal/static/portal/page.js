// Moves the token from the address into the form, and out of the address bar and the history.
// The part after the # is sent to no server, so only this script can.
const field = document.querySelector("[data-token]");
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (field && token) {
  field.value = token;
  field.closest(".field").hidden = true;
  field.type = "hidden"; // password managers would take it for the name that belongs to the new password
  history.replaceState(null, "", location.pathname);
  document.querySelector("input[type=password]")?.focus();
}
