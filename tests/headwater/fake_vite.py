"""A package called vite, made in a moment, whose server tells what it was asked."""

from __future__ import annotations

import json
from pathlib import Path

_SERVER = """
import { createServer as listen } from "node:http";
export async function createServer({ server }) {
  const httpServer = listen((request, response) => {
    let body = "";
    request.on("data", (more) => (body += more)).on("end", () => {
      const { method, url, headers } = request;
      response.writeHead(request.url.startsWith("/teapot") ? 418 : 200, {
        "Content-Type": "application/json",
        "Access-Control-Allow-Origin": "*",
      });
      response.end(JSON.stringify({ method, url, headers, body }));
      if (url === "/end") process.exit(3);
    });
  });
  console.log("hello from vite");
  return {
    httpServer,
    listen: () => new Promise((done) => httpServer.listen(server.port, server.host, done)),
  };
}
"""


def make_frontend(frontend: Path, server: str = _SERVER) -> Path:
    """A frontend that is built by Vite, with that package installed."""
    package = frontend / "node_modules" / "vite"
    package.mkdir(parents=True)
    about = {"devDependencies": {"vite": "*"}}
    (frontend / "package.json").write_text(json.dumps(about))
    (package / "package.json").write_text('{"type": "module", "exports": "./index.js"}')
    (package / "index.js").write_text(server)
    return frontend
