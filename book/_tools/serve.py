"""Show a folder as a website, to this machine alone: `serve.py FOLDER PORT`."""

import argparse
import errno
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"


def server(folder: str, port: int) -> ThreadingHTTPServer:
    """A server of a folder's files that is not running yet; port 0 is any free one.

    Raises:
        OSError: The port is taken, or not for everybody.
        OverflowError: There is no such port.
    """
    return ThreadingHTTPServer((HOST, port), partial(SimpleHTTPRequestHandler, directory=folder))


def main(arguments: list[str] | None = None) -> int:
    """Serve until Ctrl-C; return 0, or 1 after saying what is wrong with the port."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("port", type=int)
    given = parser.parse_args(arguments)
    try:
        website = server(given.folder, given.port)
    except (OSError, OverflowError) as error:
        taken = getattr(error, "errno", None) == errno.EADDRINUSE
        reason = "is taken" if taken else f"cannot be had: {getattr(error, 'strerror', error)}"
        other = given.port + 1 if taken else 8000
        print(f"Port {given.port} {reason}. Say: make serve PORT={other}", file=sys.stderr)
        return 1
    with website:
        print(f"http://{HOST}:{website.server_port} (Ctrl-C ends it)", flush=True)
        try:
            website.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
