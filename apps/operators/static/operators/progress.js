// Shows how far background work is, until it is done: then the page is loaded once more.
const PAUSE = 2000;

async function look() {
    const shown = document.getElementById("progress");
    if (!shown || !shown.hasAttribute("data-under-way")) return;
    const answer = await fetch(location.href, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("progress");
    if (!fresh || !fresh.hasAttribute("data-under-way")) return location.reload();
    if (fresh.innerHTML !== shown.innerHTML) shown.innerHTML = fresh.innerHTML;
    setTimeout(look, PAUSE);
}

setTimeout(look, PAUSE);
