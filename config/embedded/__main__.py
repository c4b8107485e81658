"""`python -m config.embedded status|stop [FOLDER]`; `keep FOLDER durable|fast` is what `ensure` starts."""

import sys
from pathlib import Path

from config.embedded import EmbeddedEngineError, keeper, status, stop

USAGE = "usage: python -m config.embedded status|stop [FOLDER]\n"


def main(arguments: list[str]) -> int:
    action = arguments[0] if arguments else ""
    folder = Path(arguments[1] if len(arguments) > 1 else ".data")
    if action == "keep":
        return keeper.keep(folder, durable=arguments[2:] != ["fast"])
    if action == "status":
        sys.stdout.write(f"{status(folder)}\n")
        return 0
    if action == "stop":
        stop(folder)
        return 0
    sys.stderr.write(USAGE)
    return 2


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except EmbeddedEngineError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None
