// A second writer, from docs/wire-format.md alone: write ids, stamps, tokens, and writes of the commonest operations.
// node second_writer.mjs wire-format-vectors.json: prints what it tried and what came out otherwise; exit 1 if anything.

import { readFileSync } from "node:fs";
import { blake2b } from "./blake2b.mjs";

const POLICIES = {
  Balance: "counter", "Profile/LoginCount": "counter", Tags: "set", Seen: "union", Limit: "max", Floor: "min", Status: "rank",
};
const REGIONS = ["us-east-1", "eu-west-1"];
const BOOKKEEPING = ["Id", "Version", "Timestamp", "LastUpdatedRegion", "IdempotencyKey", "Causality", "ExpiresAt"];
const kind = (path) => POLICIES[path] ?? "latest";
const max = (numbers) => numbers.reduce((a, b) => (a > b ? a : b), 0n);
const typed = (value) => (typeof value === "number" ? { N: String(value) } : { S: value });
const hash = (text) => blake2b(text, 12).toString("base64url");
const number = (id) => BigInt(`0x${Buffer.from(id, "base64url").toString("hex")}`);

const ledgerStamp = (nowMs, newest, code, id, mark) => {
  const tick = max([BigInt(nowMs) * 10000n, newest / 10n ** 8n + 1n]);
  return tick * 10n ** 8n + BigInt(code) * 10n ** 6n + (number(id) + mark) % 10n ** 6n;
};
const clientStamp = (ms, id) => BigInt(ms) * 10n ** 12n + number(id) % 10n ** 6n;

function token(causality) {
  const one = (name) => causality[name]?.N ?? "0";
  const folded = (name) => causality.Folded?.M[name].N ?? "0";
  const writes = Object.entries(causality.Writes.M).sort(([a], [b]) => (a < b ? -1 : 1));
  const entries = writes.map(([id, { NS }]) => `('${id}', ${[...NS].sort().join(", ")})`).join(", ");
  return hash(`(${one("Deleted")}, (${one("Horizon")}, ${folded("Count")}, ${folded("Sum")}), [${entries}])`);
}

function flat(image) {
  const leaves = Object.entries(image).filter(([name]) => !BOOKKEEPING.includes(name) && name !== "Profile");
  const members = Object.entries(image.Profile?.M ?? {}).map(([name, value]) => [`Profile/${name}`, value]);
  return Object.fromEntries([...leaves, ...members]);
}

function nested(leaves) {
  const image = {};
  for (const [path, value] of Object.entries(leaves)) {
    if (!path.startsWith("Profile/")) image[path] = value;
    else (image.Profile ??= { M: {} }).M[path.slice(8).replaceAll("~1", "/").replaceAll("~0", "~")] = value;
  }
  return image;
}

function write({ found, request, region, now_ms: nowMs }) {
  const causality = structuredClone(found?.Causality.M ?? { Writes: { M: {} } });
  const leaves = flat(found ?? {});
  const inner = (name) => (causality[name] ??= { M: {} }).M;
  const writes = inner("Writes");
  const [stamps, deltas, dots] = ["Stamps", "Deltas", "Dots"].map(inner);
  const executions = Object.entries(writes).flatMap(([id, { NS }]) => NS.map((text) => [id, BigInt(text)]));
  const others = ["Horizon", "Deleted", "Stamp"].map((name) => BigInt(causality[name]?.N ?? 0));
  const newest = max([...executions.map(([, s]) => s), ...others, ...Object.values(stamps).map(({ N }) => BigInt(N))]);
  const mark = executions.reduce((sum, [id, s]) => sum + number(id) + s, BigInt(causality.Folded?.M.Sum.N ?? 0)) % (1n << 96n);

  const id = hash(request.IdempotencyKey);
  const stamp = ledgerStamp(nowMs, newest, REGIONS.indexOf(region) + 1, id, mark);
  const valueStamp = "Timestamp" in request ? clientStamp(request.Timestamp, id) : stamp;
  writes[id] = { NS: [String(stamp)] };

  const standing = BigInt(causality.Stamp?.N ?? 0);
  const registers = new Map(Object.keys(leaves).filter((path) => kind(path) === "latest").map((path) => [path, standing]));
  for (const [path, { N }] of Object.entries(stamps)) registers.set(path, BigInt(N));
  let isSuperseded = true;
  const offer = (path, value) => {
    if (kind(path) === "latest" && registers.get(path) > valueStamp) return;
    if (kind(path) === "latest") registers.set(path, valueStamp);
    isSuperseded = false;
    if (value) leaves[path] = value;
    else delete leaves[path];
  };
  for (const [path, value] of Object.entries(request.Set ?? {})) offer(path, typed(value));
  for (const path of request.Remove ?? []) offer(path, null);
  for (const [path, delta] of Object.entries(request.Add ?? {})) {
    offer(path, { N: String(BigInt(leaves[path]?.N ?? 0) + BigInt(delta)) });
    (deltas[path] ??= { M: {} }).M[id] = { N: String(delta) };
  }
  for (const [path, elements] of Object.entries(request.AddToSet ?? {})) {
    const letter = Object.keys(typed(elements[0]))[0];
    offer(path, { [`${letter}S`]: [...new Set([...(leaves[path]?.[`${letter}S`] ?? []), ...elements.map(String)])].sort() });
    if (kind(path) !== "set") continue;
    for (const element of elements) ((dots[path] ??= { M: {} }).M[`${letter}:${element}`] ??= { NS: [] }).NS.push(String(stamp));
  }
  for (const [path, elements] of Object.entries(request.RemoveFromSet ?? {})) {
    offer(path, { SS: leaves[path].SS.filter((element) => !elements.includes(element)) });
    for (const element of elements) delete dots[path].M[`S:${element}`];
  }

  const wins = valueStamp > standing;
  const now = wins ? valueStamp : standing;
  causality.Stamp = { N: String(now) };
  for (const [path, at] of registers) {
    if (at !== now || !(path in leaves)) stamps[path] = { N: String(at) };
    else delete stamps[path];
  }
  for (const name of ["Stamps", "Deltas", "Dots"]) if (!Object.keys(causality[name].M).length) delete causality[name];
  const ofNewest = wins ? { LastUpdatedRegion: { S: region }, IdempotencyKey: { S: request.IdempotencyKey } }
    : { LastUpdatedRegion: found.LastUpdatedRegion, IdempotencyKey: found.IdempotencyKey };
  const version = String(Number(found?.Version.N ?? 0) + 1);
  const item = {
    Id: { S: request.Id }, ...nested(leaves), ...ofNewest,
    Version: { N: version }, Timestamp: { N: String(now / 10n ** 12n) }, Causality: { M: causality },
  };
  return { item, token: token(causality), status: isSuperseded ? "superseded" : "applied" };
}

const sorted = (value) => (value === null || typeof value !== "object" || Array.isArray(value) ? value
  : Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])])));
const text = (value) => JSON.stringify(sorted(value));

const vectors = JSON.parse(readFileSync(process.argv[2], "utf8"));
const tried = [];
const wrong = [];
const compare = (name, ours, theirs) => {
  tried.push(name);
  if (text(ours) !== text(theirs)) wrong.push({ name, ours, theirs });
};
for (const { idempotency_key: key, write_id: id, number: n } of vectors.write_ids) {
  compare("write_ids", [hash(key), String(number(hash(key)))], [id, n]);
}
for (const { now_ms: ms, newest, region_code: code, idempotency_key: key, mark, stamp } of vectors.stamps) {
  compare("stamps", String(ledgerStamp(ms, BigInt(newest), code, hash(key), BigInt(mark))), stamp);
}
for (const { timestamp_ms: ms, idempotency_key: key, stamp } of vectors.client_stamps) {
  compare("client_stamps", String(clientStamp(ms, hash(key))), stamp);
}
for (const vector of vectors.writes) {
  const { name, request, found, status, item, token: theirs } = vector;
  const isDelete = found?.Causality?.M.Deleted || request.Delete;
  const isMore = (found && !found.Causality) || item.Causality.M.Folded; // adopting and folding are not done here
  if (isDelete || isMore || !["applied", "superseded"].includes(status)) compare("tokens", token(item.Causality.M), theirs);
  else compare(name, write(vector), { item, token: theirs, status });
}
console.log(JSON.stringify({ tried, wrong }));
process.exit(wrong.length ? 1 : 0);
