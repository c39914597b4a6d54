// node scripts/complete-lock.mjs [--check]
//
// Some registry mirrors carry the packages of their own platform only. A lock file made there lacks the others, and npm ci
// refuses it everywhere (EUSAGE). This adds them: name, exact version and platform; without a checksum, which only the
// registry knows. npm never fetches those of another platform, and fills in the rest where it does fetch.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const platforms = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

/**
 * The optional packages that the lock file's packages name and that it lacks.
 * @param {Record<string, { optionalDependencies?: Record<string, string>, dev?: boolean }>} packages
 * @returns {{ name: string, version: string, dev: boolean }[]}
 */
export function missingOptional(packages) {
  const missing = new Map();
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!resolves(packages, path, name)) missing.set(name, { name, version, dev: entry.dev === true });
    }
  }
  return [...missing.values()];
}

// As Node looks packages up: beside the dependent, then upwards.
function resolves(packages, path, name) {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    if (packages[`${from ? `${from}/` : ''}node_modules/${name}`]) return true;
    if (!from.includes('/node_modules/')) return Boolean(packages[`node_modules/${name}`]);
  }
}

/**
 * The lock file's entry for a package of another platform.
 * @param {{ name: string, version: string, dev: boolean }} missing
 */
export function entryFor({ name, version, dev }) {
  const words = name.replace(/^@[^/]*\//, '').split(/[-./]/);
  const os = words.filter((word) => platforms.includes(word));
  const cpu = words.filter((word) => processors.includes(word));
  if (os.length === 0 || !/^\d+\.\d+\.\d+[\w.-]*$/.test(version)) {
    throw new Error(`${name}@${version} is not plainly a package of one version and platform: add it by hand`);
  }
  const libc = words.some((word) => word.startsWith('musl')) ? { libc: ['musl'] } : {};
  return { version, cpu, ...(dev ? { dev } : {}), ...libc, optional: true, os };
}

function main() {
  const file = fileURLToPath(new URL('../package-lock.json', import.meta.url));
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const missing = missingOptional(lock.packages);
  if (missing.length === 0) return;
  if (process.argv.includes('--check')) {
    process.stderr.write(`package-lock.json lacks ${missing.length} packages: run node scripts/complete-lock.mjs\n`);
    process.exitCode = 1;
    return;
  }
  for (const one of missing) lock.packages[`node_modules/${one.name}`] = entryFor(one);
  const { '': root, ...others } = lock.packages;
  const sorted = Object.entries(others).sort(([a], [b]) => a.localeCompare(b, 'en'));
  lock.packages = { '': root, ...Object.fromEntries(sorted) };
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  process.stdout.write(`Added to package-lock.json: ${missing.map(({ name }) => name).join(', ')}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
