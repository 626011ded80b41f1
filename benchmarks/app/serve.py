"""Serve the measured backend, with the engine's counters on a second port.

python -m benchmarks.app.serve --project FOLDER --port 4000 --stats-port 4001
"""

import argparse
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from headwater.loader import load
from headwater.options import ServerOptions
from headwater.server import Server
from headwater.settings import Limits


def serve_stats(server: Server, port: int) -> None:
    """Answer every request with the counters, from a thread that sleeps otherwise."""
    counters = server.hub.engine.counters

    class Stats(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = {
                "cpu_s": time.process_time(),
                "executions": counters.query_runs,
                "encodings": counters.results_encoded,
            }
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    listening = HTTPServer(("127.0.0.1", port), Stats)
    threading.Thread(target=listening.serve_forever, daemon=True, name="stats").start()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--stats-port", type=int, required=True)
    options = parser.parse_args()
    limits = Limits()
    server = Server(
        ServerOptions(options.project, port=options.port), load(options.project), limits
    )
    listening = socket.create_server(("127.0.0.1", options.port), backlog=2048)
    server.run([listening], lambda: serve_stats(server, options.stats_port))


if __name__ == "__main__":
    main()
