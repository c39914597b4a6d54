import { readFileSync, writeFileSync } from 'node:fs';
import { envExample } from '../platform/env-example.ts';

/** Writes the files that are made from code. `npm run gen -- --check` only says which are stale. */
const files: Record<string, string> = { '.env.example': envExample() };
const check = process.argv.includes('--check');
const root = new URL('..', import.meta.url);
const stale: string[] = [];
for (const [name, content] of Object.entries(files)) {
  const url = new URL(name, root);
  const current = (() => {
    try {
      return readFileSync(url, 'utf8');
    } catch {
      return undefined;
    }
  })();
  if (current === content) continue;
  stale.push(name);
  if (!check) writeFileSync(url, content);
}
process.stdout.write(
  stale.length === 0 ? 'Everything is up to date.\n' : `${check ? 'Stale' : 'Written'}: ${stale.join(', ')}\n`,
);
process.exitCode = check && stale.length > 0 ? 1 : 0;
