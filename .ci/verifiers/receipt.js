// Verifies a receipt by jose: `node receipt.js RECEIPT JWKS`.
import { readFileSync } from "node:fs";
import { createLocalJWKSet, jwtVerify } from "jose";

const [receipt, jwks] = process.argv.slice(2).map((name) => readFileSync(name, "utf8"));
const rules = { algorithms: ["EdDSA"], typ: "liveness-receipt+jwt" };
const { payload } = await jwtVerify(receipt, createLocalJWKSet(JSON.parse(jwks)), rules);
console.log(`a receipt by ${payload.iss}, for entry ${payload.log.index}`);
