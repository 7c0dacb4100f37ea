// Makes a TypeScript client of a module's OpenAPI document. Node 24 runs it as it is:
//
//     manage.py monolift openapi inventory --output inventory.json
//     node generate.ts inventory.json inventory.ts

import { readFileSync, writeFileSync } from "node:fs";

type Schema = Record<string, any>;

const RUNTIME = `// Generated from an OpenAPI document; do not edit.
import { createHash, createHmac, randomUUID } from "node:crypto";

export type Key = { id: string; secret: string; issuer: string };

/** A declared refusal, or no answer: then it may have happened. */
export class Failure extends Error {
  status: number;
  code: string;
  fields: Record<string, unknown>;
  constructor(status: number, told: Record<string, any>) {
    super(told.reason || told.code);
    this.status = status;
    this.code = told.code;
    this.fields = told.fields ?? {};
  }
}

const base64url = (data: string) => Buffer.from(data).toString("base64url");

export class Client {
  url: string;
  audience: string;
  key: Key;
  caller: string;

  /** \`audience\` is the deployable at \`url\`; \`caller\` a name for its logs. */
  constructor(url: string, audience: string, key: Key, caller = "") {
    this.url = url.replace(/\\/$/, "");
    this.audience = audience;
    this.key = key;
    this.caller = caller;
  }

  sign(path: string, body: string): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      kid: this.key.id, iss: this.key.issuer, aud: this.audience, iat: now, exp: now + 30,
      htm: "POST", htu: path, sha: createHash("sha256").update(body).digest("hex"),
    };
    const signed = "m1." + base64url(JSON.stringify(claims));
    return signed + "." + createHmac("sha256", this.key.secret).update(signed).digest("base64url");
  }

  async call(path: string, args: unknown, milliseconds: number, key?: string): Promise<any> {
    const target = new URL(this.url).pathname.replace(/\\/$/, "") + path
      + (key === undefined ? "" : "?key=" + encodeURIComponent(key) + "&repeated=1");
    const body = JSON.stringify(args);
    const answer = await fetch(new URL(target, this.url), {
      method: "POST",
      body,
      redirect: "error",
      signal: AbortSignal.timeout(milliseconds),
      headers: {
        "Authorization": "Bearer " + this.sign(target, body),
        "Content-Type": "application/json",
        "Monolift-Deadline": String(milliseconds),
        ...(this.caller ? { "Monolift-Caller": this.caller } : {}),
      },
    });
    const told = await answer.json();
    if (answer.status !== 200) throw new Failure(answer.status, told);
    return told;
  }
`;

function typed(schema: Schema): string {
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (schema.anyOf) return schema.anyOf.map(typed).join(" | ");
  if (schema.enum) return schema.enum.map((one: unknown) => JSON.stringify(one)).join(" | ");
  if ("const" in schema) return JSON.stringify(schema.const);
  switch (schema.type) {
    case "integer":
    case "number":
      return "number";
    case "array":
      if (schema.prefixItems) return `[${schema.prefixItems.map(typed).join(", ")}]`;
      return `(${typed(schema.items)})[]`;
    case "object":
      if (schema.properties) return fields(schema);
      return `Record<string, ${schema.additionalProperties ? typed(schema.additionalProperties) : "unknown"}>`;
    default:
      return schema.type ?? "unknown";
  }
}

function fields(schema: Schema): string {
  const lines = Object.entries<Schema>(schema.properties).map(
    ([name, part]) => `${name}${schema.required?.includes(name) ? "" : "?"}: ${typed(part)}`,
  );
  return `{ ${lines.join("; ")} }`;
}

const [from, to] = process.argv.slice(2);
const document = JSON.parse(readFileSync(from, "utf8"));
let text = RUNTIME;
for (const [path, { post }] of Object.entries<Schema>(document.paths)) {
  const method = post.operationId.split(".").at(-1);
  const args = typed(post.requestBody.content["application/json"].schema);
  const answer = typed(post.responses["200"].content["application/json"].schema);
  const keyed = post.parameters.some((one: Schema) => one.name === "key");
  const milliseconds = Math.round(post["x-timeout"] * 1000);
  text += `
  /** ${post.summary} */
  ${method}(args: ${args}${keyed ? ", key: string = randomUUID()" : ""}): Promise<${answer}> {
    return this.call(${JSON.stringify(path)}, args, ${milliseconds}${keyed ? ", key" : ""});
  }
`;
}
text += "}\n";
for (const [name, schema] of Object.entries<Schema>(document.components.schemas)) {
  if (name !== "Failure") text += `\nexport type ${name} = ${typed(schema)};\n`;
}
writeFileSync(to, text);
