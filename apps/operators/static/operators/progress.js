// Shows how far background work is, until it is done: then the page is loaded once more.
const PAUSE = 2000;

async function look() {
    const shown = document.getElementById("progress");
    if (!shown || !shown.hasAttribute("data-under-way")) return;
    const page = await ask();
    if (page) {
        const fresh = page.getElementById("progress");
        if (!fresh || !fresh.hasAttribute("data-under-way")) return location.reload();
        if (fresh.innerHTML !== shown.innerHTML) shown.innerHTML = fresh.innerHTML;
    }
    setTimeout(look, PAUSE);
}

/** The page as it is now; null while the server cannot be reached or fails: that passes, and what is shown stays. */
async function ask() {
    try {
        const answer = await fetch(location.href, { credentials: "same-origin" });
        return answer.status < 500 ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
    } catch {
        return null;
    }
}

setTimeout(look, PAUSE);
