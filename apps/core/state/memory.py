"""What a process remembers: a bounded set of values, the least lately used of which make way.

A value is forgotten by its subject. So all copies of one thing under several names go at once, and all of a customer too.
"""

from collections import OrderedDict, defaultdict, deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

from apps.core.state.subjects import EVERYTHING, Announcement, Subject

MOST_WHOLES = 4096
OWN_REMEMBERED = 1_000  # of its own announcements; heard again, one that it does not know is only applied twice

Address = tuple[str, Hashable]  # the kind's name, and the key


@dataclass(frozen=True, slots=True)
class Remembered:
    """A value, what it is about, and when it was asked for (`clock.now`)."""

    value: object
    subject: Subject
    asked_at: float


class Wholes(dict[Hashable, object]):
    """What was made of several remembered values: good until one of them is forgotten, or replaced by a newer one.

    The memory then begins another, so what was begun under the old one is stored where nobody looks any more.
    """

    def keep(self, key: Hashable, whole: object) -> None:
        if len(self) >= MOST_WHOLES:
            self.clear()
        self[key] = whole


class Memory:
    """Thread-safe. `generation` counts what was forgotten: a value read before that must not be stored after."""

    def __init__(self, *, most: int = 6_000) -> None:
        self.generation = 0
        self.wholes = Wholes()
        self._most = most
        self._lock = Lock()
        self._own: deque[str] = deque(maxlen=OWN_REMEMBERED)
        self._entries: OrderedDict[Address, Remembered] = OrderedDict()
        self._addresses: dict[Subject, tuple[Address, ...]] = {}  # mostly one: a set would take 170 bytes more
        self._subjects: dict[UUID, set[Subject]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, addresses: Sequence[Address]) -> dict[Address, Remembered]:
        """Those of the addresses that are known."""
        with self._lock:
            found = {address: entry for address in addresses if (entry := self._entries.get(address)) is not None}
            for address in found:
                self._entries.move_to_end(address)
        return found

    def put(self, values: Mapping[Address, Remembered], *, generation: int) -> None:
        """Store what was read under this generation. Nothing is stored if anything was forgotten since."""
        with self._lock:
            if generation != self.generation:
                return
            for address, remembered in values.items():
                if self._remove(address):  # it may have been of another subject
                    self.wholes = Wholes()
                self._entries[address] = remembered
                self._addresses[remembered.subject] = (*self._addresses.get(remembered.subject, ()), address)
                self._subjects[remembered.subject.customer_id].add(remembered.subject)
                if len(self._entries) > self._most:
                    self._remove(next(iter(self._entries)))

    def forget_own(self, announcement: Announcement) -> None:
        """What this process has announced itself, now that it is committed."""
        with self._lock:
            self._own.append(announcement.mark)
            self._forget(announcement.subjects)

    def forget(self, heard: Iterable[Announcement]) -> None:
        """What was announced, but for what this process had announced itself and knows."""
        with self._lock:
            for announcement in heard:
                if announcement.mark in self._own:
                    self._own.remove(announcement.mark)
                else:
                    self._forget(announcement.subjects)

    def forget_everything(self) -> None:
        with self._lock:
            self.generation += 1
            self.wholes = Wholes()
            self._entries.clear()
            self._addresses.clear()
            self._subjects.clear()

    def _forget(self, subjects: Iterable[Subject]) -> None:
        self.generation += 1
        self.wholes = Wholes()
        for subject in subjects:
            meant = self._subjects.get(subject.customer_id, ()) if subject.kind == EVERYTHING else (subject,)
            for address in [address for each in meant for address in self._addresses.get(each, ())]:
                self._remove(address)

    def _remove(self, address: Address) -> bool:
        """Whether there was one. Nothing empty stays behind: subjects come and go without end."""
        remembered = self._entries.pop(address, None)
        if remembered is None:
            return False
        subject = remembered.subject
        others = tuple(other for other in self._addresses[subject] if other != address)
        if others:
            self._addresses[subject] = others
        else:
            del self._addresses[subject]
            subjects = self._subjects[subject.customer_id]
            subjects.discard(subject)
            if not subjects:
                del self._subjects[subject.customer_id]
        return True
