import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `headwater dev` starts Vite by itself and serves page and backend on one port. `npm run dev` alone
// serves the page only; then say where the backend is: VITE_CONVEX_URL=http://127.0.0.1:3210
export default defineConfig({
  plugins: [react()],
  build: { chunkSizeWarningLimit: 1000 },
});
