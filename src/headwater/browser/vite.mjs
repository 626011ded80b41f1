// Runs the project's own Vite for `headwater dev`, which passes this text to node in `frontend/`.
// It ends when standard input ends: then whoever started it is gone, however that ended.
import { createServer } from "vite";

process.stdin.on("end", () => process.exit(0)).resume();
const server = await createServer({
  clearScreen: false,
  server: { host: "127.0.0.1", port: 0, open: false },
});
await server.listen();
console.log(`headwater-vite-port ${server.httpServer.address().port}`);
