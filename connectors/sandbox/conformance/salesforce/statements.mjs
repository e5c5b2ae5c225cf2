#!/usr/bin/env node
// Prints each distinct SOQL statement of a sandbox log (NDJSON on standard input), those in composite bodies included,
// one a line.
import { readFileSync } from 'node:fs';
const found = new Set();
const fromURL = (url) => {
  const q = new URL(url, 'http://sandbox').searchParams.get('q');
  if (q) found.add(q.replace(/\s+/g, ' '));
};
for (const line of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const { path, query, requestBody } = JSON.parse(line);
  fromURL(`${path}?${query ?? ''}`);
  if (!/\/(composite|batch|jobs\/query)$/.test(path) || !requestBody) continue;
  const body = typeof requestBody === 'string' ? JSON.parse(requestBody) : requestBody;
  for (const r of body.compositeRequest ?? body.batchRequests ?? []) fromURL(r.url);
  if (body.query) found.add(body.query.replace(/\s+/g, ' '));
}
if (found.size === 0) {
  console.error('the log holds no SOQL statement');
  process.exit(1);
}
for (const q of found) console.log(q);
