"""ministack on a free port of 127.0.0.1, for as long as standard input stays open.

Run by the Python of .venv-e2e, alone: nothing of the project is imported. The port is the one line on standard output;
what it says otherwise goes to standard error. Standard input is a pipe whose other end ends with the process that
started this one, however that dies; the functions' processes hang on pipes of this one in the same way.
"""

import os
import runpy
import shutil
import socket
import sys
import tempfile
from threading import Thread

LOOPBACK = "127.0.0.1"


def main() -> None:
    """Serve until standard input ends."""
    with socket.create_server((LOOPBACK, 0)) as listener, tempfile.TemporaryDirectory(prefix="ministack-") as folder:
        port = str(listener.getsockname()[1])
        # Functions are told this port; whatever server and functions write goes where it is removed.
        os.environ.update(GATEWAY_PORT=port, BIND_HOST=LOOPBACK, TMPDIR=folder)  # noqa: TID251 - its own settings
        tempfile.tempdir = folder
        answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
        print(port, file=answers, flush=True)
        listener.set_inheritable(False)
        sys.argv = ["hypercorn", "ministack.app:app", "--workers", "0", "--bind", f"fd://{listener.fileno()}"]
        runpy.run_module("hypercorn", run_name="__main__")


def _end_with_parent(folder: str) -> None:
    """Nothing is worth saving, and nothing may outlive whoever started this."""
    while os.read(0, 1):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main()
