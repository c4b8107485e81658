"""C2.3: 200 MiB go up and down with flat memory, in the page, in the browser and in the server; what is cancelled leaves nothing."""

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession

from apps.files.models import StoredObject, UserFile
from tests import factories
from tests.portal.gatehouse_js.app import Tab, app_in_a_browser
from tests.running import Running
from tests.worker import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

MIB = 1024 * 1024
LARGE = 200 * MIB
ENCRYPTED_ON_THE_DISK = (
    64 * MIB
)  # of which there is a file of the browser's, and an upload that can be stopped in its middle
ROOM_MIB = 170  # garbage that is not yet collected; a process that held the file would have 200 more than before

UPLOAD = """
  window.seen = []
  const file = document.querySelector('[type=file]').files[0]
  return g.upload(file, { onProgress: ({ loaded, total }) => seen.push([loaded, total]) })
"""
DOWNLOAD = """
  window.seen = []
  let length = 0, sum = 0
  const to = new WritableStream({ write(chunk) { length += chunk.length; sum += chunk[0] + chunk[chunk.length - 1] } })
  await g.download(given, { to, onProgress: ({ loaded, total }) => seen.push([loaded, total]) })
  return [length, sum > 0]
"""
CANCELLED_UPLOAD = """
  const stop = new AbortController()
  const file = document.querySelector('[type=file]').files[0]
  const onProgress = ({ loaded }) => { if (loaded > given) stop.abort() }
  return g.upload(file, { signal: stop.signal, onProgress }).catch((error) => error.name)
"""
CANCELLED_WHILE_ENCRYPTING = """
  const stop = new AbortController()
  const file = document.querySelector('[type=file]').files[0]
  setTimeout(() => stop.abort(new Error('enough')), 300)
  return g.upload(file, { signal: stop.signal }).catch((error) => error.message)
"""
CANCELLED_DOWNLOAD = """
  const stop = new AbortController()
  let aborted = null
  const to = new WritableStream({ write() { stop.abort() }, abort(reason) { aborted = reason.name } })
  const name = await g.download(given, { to, signal: stop.signal }).catch((error) => error.name)
  return [name, aborted]
"""
LEFT_IN_THE_BROWSER = """
  const root = await navigator.storage.getDirectory()
  const folder = await root.getDirectoryHandle('gatehouse-uploads', { create: true })
  const names = []
  for await (const name of folder.keys()) names.push(name)
  return names
"""


class Memory:
    """How much more than at first each process has had, whenever it was looked at."""

    def __init__(self, pids: Callable[[], list[int]]) -> None:
        self._pids = pids
        self.before = {pid: resident(pid) for pid in pids()}
        self.grown = 0

    def look(self) -> None:
        self.grown = max(self.grown, *(resident(pid) - self.before.get(pid, 0) for pid in self._pids()))


def resident(pid: int) -> int:
    """MiB that this process has in memory and that are no file's."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:  # it has ended
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) // 1024


def descendants(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has ended
            found += [one for child in task.read_text(encoding="ascii").split() for one in descendants(int(child))]
    return found


def browser_of(profile: Path) -> int:
    """The process that has started all the others of the browser with this profile."""
    mine = [pid for pid in descendants(os.getpid()) if str(profile).encode() in command_of(pid)]
    return next(pid for pid in mine if b"--type=" not in command_of(pid))


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def watched(tab: Tab, code: str, given: Any, memories: list[Memory]) -> Any:
    """What this code returns; memory is looked at meanwhile."""
    tab.page.evaluate(
        "([code, given]) => { window.ended = null; run(code, given).then((r) => { ended = r }) }", [code, given]
    )
    while not tab.page.evaluate("ended"):
        for memory in memories:
            memory.look()
        tab.page.wait_for_timeout(50)
    ended = tab.page.evaluate("ended")
    assert "value" in ended, ended
    return ended["value"]


def heap(session: CDPSession) -> int:
    """MiB of JavaScript's, buffers included, after a collection of garbage."""
    session.send("HeapProfiler.collectGarbage")
    usage = session.send("Runtime.getHeapUsage")
    return int(usage["usedSize"] + usage.get("backingStorageSize", 0)) // MIB


def test_200_mib_go_up_and_down_with_flat_memory_and_what_is_cancelled_leaves_nothing(
    running_without_mails: Running, tmp_path: Path
) -> None:
    running = running_without_mails
    chosen, smaller, profile = tmp_path / "large.pdf", tmp_path / "smaller.pdf", tmp_path / "profile"
    for path, size in ((chosen, LARGE), (smaller, ENCRYPTED_ON_THE_DISK)):
        with path.open("wb") as file:
            file.write(b"%PDF-1.7\n")
            file.truncate(size - 1)
            file.seek(0, os.SEEK_END)
            file.write(b"\n")
    with app_in_a_browser(running, profile=profile, largest_file_bytes=LARGE, total_file_bytes=2 * LARGE) as (
        app,
        customer,
    ):
        user = factories.user(customer)
        tab = app.tab()
        tab.store(factories.session(user))
        tab.page.set_input_files("[type=file]", chosen)
        cdp = tab.page.context.new_cdp_session(tab.page)
        before = heap(cdp)
        memories = [
            Memory(partial(descendants, running.server.process.pid)),
            Memory(partial(descendants, browser_of(profile))),
        ]

        sent = watched(tab, UPLOAD, None, memories)
        assert (sent["name"], sent["size"], sent["media_type"]) == ("large.pdf", LARGE, "application/pdf")
        assert_progress(tab, at_least=LARGE)
        assert tab.run(LEFT_IN_THE_BROWSER) == []
        assert watched(tab, DOWNLOAD, sent["id"], memories) == [LARGE, True]
        assert_progress(tab, at_least=LARGE)
        grown = [memory.grown for memory in memories]
        assert max(grown) < ROOM_MIB, grown
        assert heap(cdp) - before < 10

        assert tab.run(CANCELLED_DOWNLOAD, sent["id"]) == ["AbortError", "AbortError"]
        assert tab.run(CANCELLED_WHILE_ENCRYPTING) == "enough"
        tab.page.set_input_files("[type=file]", smaller)
        assert tab.run(CANCELLED_UPLOAD, 4 * MIB) == "AbortError"
        assert tab.run(LEFT_IN_THE_BROWSER) == []
        assert [one["id"] for one in tab.run("return g.files.list()")["results"]] == [sent["id"]]
        wait_until(lambda: StoredObject.objects.count() == 1)  # the server has noticed that the rest will not come
        tab.run("return g.files.remove(given)", sent["id"])
        assert not UserFile.objects.exists()
        too_large = tab.fails("return g.upload(new Blob([new Uint8Array(given)]))", LARGE + 1)
        assert (too_large["status"], too_large["type"]) == (413, "file_too_large")


def assert_progress(tab: Tab, *, at_least: int) -> None:
    """It was told often, in order, and at last of all."""
    seen = tab.page.evaluate("seen")
    assert len(seen) > 10
    assert [loaded for loaded, _ in seen] == sorted(loaded for loaded, _ in seen)
    assert seen[-1][0] == seen[-1][1] >= at_least
