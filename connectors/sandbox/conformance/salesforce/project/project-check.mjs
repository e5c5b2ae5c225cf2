// Reads a Salesforce project in source format and converts it into what a deployment sends, with the library under
// Salesforce's own command line, and holds each file against the types of the Metadata API. It makes no call.
// usage: node project-check.mjs PROJECT
import { ComponentSet, MetadataConverter } from '@salesforce/source-deploy-retrieve';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const project = process.argv[2];
const source = join(project, 'force-app');
const types = readFileSync(createRequire(import.meta.url).resolve('@salesforce/types/metadata').replace(/\.js$/, '.d.ts'), 'utf8');
const problems = [];

// members of a type: name -> what TypeScript says of it; null: no such type
const membersOf = (type) => {
  const body = types.match(new RegExp(`export type ${type} = (?:\\w+ & )*\\{\n([^}]*)\\}`));
  return body && new Map([...body[1].matchAll(/^ {4}(\w+)\??: ([^;]+);$/gm)].map(([, name, of]) => [name, of]));
};
const wordsOf = (type) => types.match(new RegExp(`export type ${type} = ('[^;]+);`))?.[1].split(' | ').map((w) => w.slice(1, -1));

const holdAgainst = (type, value, where) => {
  const words = wordsOf(type);
  if (words && !words.includes(value)) problems.push(`${where}: ${value} is no ${type}`);
  const number = type === 'number' && !/^-?\d+$/.test(value);
  const flag = type === 'boolean' && !/^(true|false)$/.test(value);
  if (number || flag) problems.push(`${where}: ${value} is no ${type}`);
  const members = membersOf(type);
  if (!members) return;
  for (const [name, child] of Object.entries(value)) {
    if (name.startsWith('@') || name === 'fullName') continue;
    const of = members.get(name);
    if (!of) { problems.push(`${where}: ${type} has no ${name}`); continue; }
    if (Array.isArray(child) && !of.endsWith('[]')) problems.push(`${where}: ${name} stands twice`);
    for (const one of [child].flat()) holdAgainst(of.replace('[]', ''), one, `${where}/${name}`);
  }
};

const set = ComponentSet.fromSource(source);
const parts = set.getSourceComponents().toArray().flatMap((c) => [c, ...c.getChildren()]);
const files = readdirSync(source, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
for (const file of files) {
  const part = parts.find((p) => p.xml === file);
  if (!part) { problems.push(`${file}: no component of it`); continue; }
  const text = readFileSync(file, 'utf8');
  const wellFormed = XMLValidator.validate(text);
  if (wellFormed !== true) { problems.push(`${file}: ${wellFormed.err.msg}`); continue; }
  const content = new XMLParser({ ignoreAttributes: true, parseTagValue: false, ignoreDeclaration: true }).parse(text)[part.type.name];
  if (!content) { problems.push(`${file}: not a ${part.type.name}`); continue; }
  if (content.fullName && content.fullName !== part.name) problems.push(`${file}: is named ${content.fullName}`);
  holdAgainst(part.type.name, content, basename(file));
}

const out = mkdtempSync(join(tmpdir(), 'project-'));
const { packagePath } = await new MetadataConverter().convert(set, 'metadata', { type: 'directory', outputDirectory: out });
const manifest = new XMLParser({ isArray: (name) => name === 'members' || name === 'types' }).parse(readFileSync(join(packagePath, 'package.xml'), 'utf8'));
rmSync(out, { recursive: true });
const sent = manifest.Package.types.map((t) => `${t.members.length} ${t.name}`);
if (files.length === 0) problems.push('nothing to deploy');
for (const p of problems) console.log(`FAIL ${p}`);
console.log(`${files.length} files, to deploy: ${sent.join(', ')}; ${problems.length} failed`);
process.exit(problems.length ? 1 : 0);
