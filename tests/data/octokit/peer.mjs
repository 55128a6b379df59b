// Reads {verb, secret, payload, signature} from stdin, answers with JSON: a signature or a verdict.
import { readFileSync } from "node:fs";
import { sign, verify } from "./webhooks-methods-6.0.0.mjs";

const { verb, secret, payload, signature } = JSON.parse(readFileSync(0, "utf8"));
const answer = verb === "sign" ? await sign(secret, payload) : await verify(secret, payload, signature);
process.stdout.write(JSON.stringify(answer));
