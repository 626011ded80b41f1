// What the three npm clients' drivers share: commands are JSON lines on stdin, what happened goes
// out as JSON lines on stdout. Values travel in Convex's own encoding, so nothing is lost between
// the client and the test that looks at it.
import readline from "node:readline";
import { ConvexError, convexToJson, jsonToConvex } from "convex/values";
import { makeFunctionReference } from "convex/server";

export function emit(event) {
  process.stdout.write(JSON.stringify(event) + "\n");
}

export function describeError(error) {
  const described = { name: error.name, message: String(error.message) };
  if (error instanceof ConvexError) described.data = convexToJson(error.data);
  return described;
}

export function decodeArgs(args) {
  return jsonToConvex(args ?? {});
}

export const encodeValue = (value) => convexToJson(value ?? null);

export const reference = (path) => makeFunctionReference(path);

// What `setAuth` takes: asks an address for a token, and says whether a fresh one is wanted.
export const tokenFetcher =
  (url) =>
  async ({ forceRefreshToken }) => {
    const answer = await fetch(`${url}&force=${forceRefreshToken}`);
    const token = answer.ok ? await answer.json() : null;
    emit({ event: "token", fresh: forceRefreshToken });
    return token;
  };

// Everything the client would print on the console becomes a "log" event.
export const logger = Object.fromEntries(
  ["logVerbose", "log", "warn", "error"].map((level) => [
    level,
    (...parts) => {
      if (level !== "logVerbose") emit({ event: "log", level, text: parts.join(" ") });
    },
  ]),
);

async function answer(handlers, command) {
  try {
    const value = await handlers[command.do](command);
    emit({ event: "result", id: command.id, ok: true, value: encodeValue(value) });
  } catch (error) {
    emit({ event: "result", id: command.id, ok: false, error: describeError(error) });
  }
}

// Starts every command at once, so that calls overlap as the test wants them to.
export function serve(handlers) {
  process.on("uncaughtException", (error) => emit({ event: "crash", error: describeError(error) }));
  process.on("unhandledRejection", (error) =>
    emit({ event: "crash", error: describeError(error) }),
  );
  const lines = readline.createInterface({ input: process.stdin });
  lines.on("line", (line) => void answer(handlers, JSON.parse(line)));
  lines.on("close", () => process.exit(0));
  emit({ event: "ready" });
}
