import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const markerOf = (root) => join(root, 'node_modules', '.homing-install');

/**
 * Whether node_modules is what package-lock.json says. The marker holds the hash of the lock file that was installed; when
 * it differs, npm's own record of the tree decides, so that `npm install PACKAGE` by hand does not cost a second install.
 * @param {string} root folder of package-lock.json
 * @returns {Promise<boolean>}
 */
export async function isInstalled(root) {
  const lock = await readFile(join(root, 'package-lock.json'), 'utf8');
  const marker = await readFile(markerOf(root), 'utf8').catch(() => '');
  if (marker.trim() === hashOf(lock)) return true;
  const record = await readFile(join(root, 'node_modules', '.package-lock.json'), 'utf8').catch(() => undefined);
  if (!record || !sameTree(JSON.parse(lock).packages, JSON.parse(record).packages)) return false;
  await markInstalled(root);
  return true;
}

/**
 * Writes down that node_modules is what package-lock.json says now.
 * @param {string} root
 */
export async function markInstalled(root) {
  await writeFile(markerOf(root), `${hashOf(await readFile(join(root, 'package-lock.json'), 'utf8'))}\n`);
}

/**
 * The pinned Node inside node_modules, or undefined where its package is not complete.
 * @param {string} root
 */
export function pinnedNode(root) {
  const path = join(root, 'node_modules', 'node', 'bin', 'node');
  return existsSync(path) ? path : undefined;
}

function hashOf(content) {
  return createHash('sha256').update(content).digest('hex');
}

// Packages for other platforms are in the lock file and not in the tree: optional ones may be missing.
function sameTree(wanted, found) {
  const missing = Object.entries(wanted).some(
    ([path, entry]) => path !== '' && !entry.optional && !entry.devOptional && !found[path],
  );
  const other = Object.entries(found).some(
    ([path, entry]) => wanted[path]?.version !== entry.version || wanted[path]?.integrity !== entry.integrity,
  );
  return !missing && !other;
}
