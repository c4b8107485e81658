// Buttons that use or make a passkey, and send it with the form that they stand in.
import { available, create, get } from "../portal/webauthn.js";

for (const button of document.querySelectorAll("button[data-passkey], button[data-new-passkey]")) {
    if (!available()) continue;
    button.hidden = false;
    button.addEventListener("click", () => ask(button));
}

async function ask(button) {
    const form = button.form;
    const said = form.querySelector("[data-passkey-said]");
    said.textContent = "";
    if (!form.reportValidity()) return;
    try {
        const { passkey, newPasskey } = button.dataset;
        const made = newPasskey ? await create(JSON.parse(newPasskey)) : await get(JSON.parse(passkey));
        form.elements.credential.value = JSON.stringify(made);
        form.requestSubmit();
    } catch (error) {
        const isThere = error.name === "InvalidStateError"; // the device has one of this operator's passkeys
        said.textContent = (isThere && button.dataset.there) || button.dataset.refused;
    }
}
