"""The secrets of a development machine: made once, kept in `.data/keys.json` (mode 0600)."""

import json
import os
from pathlib import Path

from apps.core.secret_values import fresh_secrets


def generate() -> dict[str, str]:
    """A fresh SECRET_KEY, MASTER_KEYS and SERVICE_ENCRYPTION_KEY, as environment variables hold them."""
    return fresh_secrets()


def load(data_dir: Path) -> dict[str, str]:
    """The keys of this data folder, made on first use. Safe when several processes start at once."""
    path = data_dir / "keys.json"
    if not path.exists():
        _create(path)
    keys: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return keys


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"keys.{os.getpid()}.json")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(generate(), file)
    try:
        os.link(draft, path)  # Fails if another process was first: then its keys count.
    except FileExistsError:
        pass
    finally:
        draft.unlink()
