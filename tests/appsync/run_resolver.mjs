// Runs one side of an AppSync resolver: file and contexts in, requests out. `util` stands in for AppSync's own.
import { readFileSync } from 'node:fs';

const typed = (value) => {
  if (value === null) return { NULL: true };
  if (Array.isArray(value)) return { L: value.map(typed) };
  switch (typeof value) {
    case 'string': return { S: value };
    case 'number': return { N: value };
    case 'boolean': return { BOOL: value };
    default: return { M: mapped(value) };
  }
};
const mapped = (object) => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, typed(value)]));
globalThis.util = {
  dynamodb: { toMapValues: mapped },
  error(message, type, data) { throw Object.assign(new Error(message), { type, data }); },
};

const [file, side, contexts] = process.argv.slice(2);
const source = readFileSync(file, 'utf8').replace(/^import .*$/m, '');
const resolver = await import(`data:text/javascript,${encodeURIComponent(source)}`);
const results = JSON.parse(contexts).map((context) => {
  try {
    return resolver[side](context) ?? null;
  } catch (error) {
    return { raised: error.message, type: error.type, data: error.data };
  }
});
process.stdout.write(JSON.stringify(results));
