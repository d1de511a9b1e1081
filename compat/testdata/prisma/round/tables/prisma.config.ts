import { PrismaPg } from "@prisma/adapter-pg";
import { defineConfig } from "prisma/config";

// With an adapter its engine is WebAssembly, which is in the package; the other one is downloaded.
export default defineConfig({
  engine: "js",
  experimental: { adapter: true },
  adapter: async () => new PrismaPg({ connectionString: process.env.DATABASE_URL }),
});
