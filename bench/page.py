"""A bare page for players, served on loopback beside their scripts: nothing of Lectern's pages is on it."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from storage.embedded.ports import LOOPBACK

SCRIPTS = Path(__file__).resolve().parents[1] / "web" / "node_modules"
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--autoplay-policy=no-user-gesture-required"),
)
TYPES = {".js": "text/javascript", ".html": "text/html; charset=utf-8"}


@contextlib.contextmanager
def served(html: str, scripts: Mapping[str, Path]) -> Iterator[str]:
    """The page's address; `scripts` are served beside it by their names."""
    contents = {"/": (TYPES[".html"], html.encode())}
    contents |= {f"/{name}": (TYPES[".js"], path.read_bytes()) for name, path in scripts.items()}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = contents.get(self.path, ("text/plain", b""))
            self.send_response(200 if self.path in contents else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the class above
            """Nothing: who asks is known."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
