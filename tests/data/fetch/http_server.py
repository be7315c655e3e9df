"""A file server for the tests of downloads. Says its port on stdout, ends when stdin does.

    http_server.py FOLDER LOG

The first part of a path says how to behave, the rest is the file:
    /ok/F                 sends it, Range understood
    /no-range/F           ignores Range
    /cut=N/F              the first request ends after N bytes of the body; later ones are right
    /stall=N/F            the first request falls silent after N bytes
    /slow=N/F             N bytes a second
    /fail=S,K/F           the first K requests get status S
    /status=S/F           always status S
    /wrong/F              one byte is another
    /wrong-range/F        a Range is answered from one byte further on
    /longer/F             one byte more than there is
    /endless/F            no length, and no end
    /redirect/F           to /ok/F
One line a request goes to LOG: path, Range or "-", status.
"""
import http.server
import os
import re
import sys
import threading
import time

folder, log = sys.argv[1:3]
seen = {}
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def note(self, status):
        with lock, open(log, "a") as file:
            file.write(f"{self.path} {self.headers.get('Range', '-')} {status}\n")

    def reply_empty(self, status, headers=()):
        self.note(status)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        _, behaviour, name = self.path.split("?")[0].split("/", 2)
        how, _, value = behaviour.partition("=")
        with lock:
            count = seen[self.path] = seen.get(self.path, 0) + 1
        if how == "redirect":
            return self.reply_empty(302, [("Location", f"/ok/{name}")])
        if how == "status":
            return self.reply_empty(int(value))
        if how == "fail" and count <= int(value.split(",")[1]):
            return self.reply_empty(int(value.split(",")[0]))
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            return self.reply_empty(404)
        with open(path, "rb") as file:
            body = bytearray(file.read())
        if how == "wrong":
            body[len(body) // 2] ^= 1
        if how == "longer":
            body.append(0)
        if how == "endless":
            return self.send_without_end(body)
        self.send(how, value, count, body)

    def send_without_end(self, body):
        self.note(200)
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                self.wfile.write(body)
        except OSError:  # the client has had enough
            pass

    def send(self, how, value, count, body):
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(match.group(1)) if match and how != "no-range" else 0
        if match and first >= len(body):
            return self.reply_empty(416, [("Content-Range", f"bytes */{len(body)}")])
        status = 206 if match and how != "no-range" else 200
        if status == 206 and how == "wrong-range":
            first += 1
        self.note(status)
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
        body = body[first:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if how in ("cut", "stall") and count == 1:
            self.wfile.write(body[: int(value)])
            self.wfile.flush()
            if how == "stall":
                time.sleep(30)
            self.close_connection = True
            return
        try:
            step = max(1, int(value) // 20) if how == "slow" else len(body) or 1
            for at in range(0, len(body), step):
                self.wfile.write(body[at : at + step])
                if how == "slow":
                    time.sleep(0.05)
        except OSError:  # the client has gone
            self.close_connection = True


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.handle_error = lambda *_: None  # clients that are killed leave in the middle
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
os._exit(0)
