"""hostile_backend.py is a file server made of Python's http.server, which decodes and normalises paths on its own.

    python3 peers/hostile_backend.py '{"port":…,"log":"<file>"}'

Every method is served alike, and every answer claims to be ours, in headers and trailers. It appends one line of JSON to the
file for each request, before it answers, and ends when stdin closes.
"""

import http.server
import json
import os
import re
import sys
import threading

options = json.loads(sys.argv[1])
log = open(options["log"], "a", buffering=1)
ROOT = "/srv"  # nothing is read from it: only the translation of paths counts
INTERESTING = re.compile(r"^pay(-|$|door)|^x-.*method|^upgrade$|^http2-settings$")
FORGED = ["Pay", "Pay-Balance", "Pay-Token", "PAY-X", "Pay_Balance", "Paydoor-Account"]


def interesting(pairs):
    named = ((name.lower().replace("_", "-"), value.strip()) for name, value in pairs)
    return {name: value for name, value in named if INTERESTING.search(name)}


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def __init__(self, *args):
        super().__init__(*args, directory=ROOT)

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.serve
        raise AttributeError(name)

    def do_GET(self):
        self.serve()

    def do_HEAD(self):
        self.serve()

    def resource(self):
        """The file that SimpleHTTPRequestHandler would open, on a file system that ignores case."""
        path = self.translate_path(self.path)[len(ROOT):].lower().rstrip("/")
        if path in ("/health", "/book"):
            return path[1:]
        if path == "/paid/secret":
            return "secret"
        for name in ("open", "paid"):
            if path == "/" + name or path.startswith("/" + name + "/"):
                return name
        return "other"

    def read_body(self):
        """Returns the length of the body and the trailers."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return len(self.rfile.read(int(self.headers.get("Content-Length", 0)))), []
        length = 0
        while size := int(self.rfile.readline().split(b";")[0], 16):
            length += len(self.rfile.read(size))
            self.rfile.readline()
        trailers = []
        while line := self.rfile.readline().strip():
            trailers.append(line.decode("latin-1").partition(":")[::2])
        return length, trailers

    def serve(self):
        kind = self.resource()
        length, trailers = self.read_body()
        variant = self.headers.get("X-Variant", "")
        log.write(json.dumps({
            "variant": variant, "method": self.command, "target": self.path, "resource": kind, "body": length,
            "headers": interesting(self.headers.items()), "trailers": interesting(trailers),
        }) + "\n")
        if self.path.endswith("?hints"):
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\nPay-Balance: forged\r\n\r\n")
            self.wfile.flush()
        self.send_response(402 if self.path.endswith("?402") else 404 if kind == "other" else 200)
        for name in FORGED:
            self.send_header(name, "forged")
        self.send_header("X-Echo", variant)
        self.send_header("Cache-Control", "public")
        self.send_header("Connection", "keep-alive, Pay")
        self.send_header("Trailer", "Pay-Balance, X-Sum")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command != "HEAD":
            body = b"PRICED CONTENT" if kind in ("secret", "paid", "book") else kind.encode()
            self.wfile.write(b"%x\r\n%s\r\n0\r\nPay-Balance: forged\r\nPay: forged\r\nX-Sum: 1\r\n\r\n" % (len(body), body))

    def log_message(self, format, *args):
        """Says nothing: what arrived is in the log file."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Says nothing: half a request closes its connection."""


server = Server(("127.0.0.1", options["port"]), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
os._exit(0)
