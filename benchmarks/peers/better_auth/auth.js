// better-auth over PostgreSQL, with codes by mail. Its cookie cache is off, as is its default.

import { betterAuth } from "better-auth";
import { emailOTP } from "better-auth/plugins";
import { Pool } from "pg";

export const pool = new Pool({ connectionString: process.env.DATABASE_URL });

export const auth = betterAuth({
  database: pool,
  secret: process.env.SECRET,
  baseURL: "http://localhost",
  // It counts what the one address of the load generator does.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  // No mail is sent, which favours this peer.
  plugins: [emailOTP({ sendVerificationOTP: async () => {} })],
});
