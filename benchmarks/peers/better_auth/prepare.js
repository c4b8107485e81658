// Run beside its node_modules: `node prepare.js COUNT` makes the tables, and users whose addresses are verified.

import { getMigrations } from "better-auth/db/migration";
import { auth, pool } from "./auth.js";

const { runMigrations } = await getMigrations(auth.options);
await runMigrations();
const { internalAdapter } = await auth.$context;
const people = Array.from({ length: Number(process.argv[2]) }, (_, number) => `user${number}@example.com`);
await Promise.all(people.map((email) => internalAdapter.createUser({ name: "", email, emailVerified: true })));
await pool.end();
