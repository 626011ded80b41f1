// Drives ConvexHttpClient of "convex/browser": `node http_client.mjs URL`.
import { ConvexHttpClient } from "convex/browser";
import { decodeArgs, logger, reference, serve } from "./driver.mjs";

const client = new ConvexHttpClient(process.argv[2], { logger });
let consistent = client; // one of these reads at one timestamp

serve({
  identifyAdmin: ({ key, identity }) => client.setAdminAuth(key, identity),
  clearAuth: () => client.clearAuth(),
  identify: ({ token }) => client.setAuth(token),
  query: ({ path, args }) => client.query(reference(path), decodeArgs(args)),
  consistent: ({ path, args, anew }) => {
    if (anew) consistent = new ConvexHttpClient(process.argv[2], { logger });
    return consistent.consistentQuery(reference(path), decodeArgs(args));
  },
  mutation: ({ path, args }) => client.mutation(reference(path), decodeArgs(args)),
  action: ({ path, args }) => client.action(reference(path), decodeArgs(args)),
});
