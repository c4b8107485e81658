"""Serves this folder, and what the page must know of the demo: where Gatehouse is, and a key that names the customer."""

import json
import os
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEMO = HERE.parents[2] / ".data" / "demo.json"
FACTS = json.loads(Path(os.environ.get("GATEHOUSE_DEMO", DEMO)).read_text(encoding="utf-8"))
# Nothing else of the file: a key of the scope `auth` may stand in a page, the other secrets may not.
FOR_THE_PAGE = json.dumps({"url": FACTS["base_url"], "apiKey": FACTS["api_key"]}).encode()


class Files(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/gatehouse.json":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(FOR_THE_PAGE)


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "5501"))
    print(f"http://localhost:{port}")
    ThreadingHTTPServer(("127.0.0.1", port), partial(Files, directory=str(HERE))).serve_forever()
