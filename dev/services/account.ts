import { lstatSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Report, shortHash } from './context.ts';

/** An account of this machine, to run a service as. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
}

/**
 * PostgreSQL and Elasticsearch refuse to run as root, which is what containers and CI machines often are. Answers with the
 * account to drop to, or undefined when we are not root and need none.
 */
export function serviceAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n').map(parseAccount);
  const named = (name: string) => accounts.find((account) => account.name === name);
  return named('postgres') ?? named('nobody') ?? { name: 'nobody', uid: 65_534, gid: 65_534 };
}

function parseAccount(line: string): Account {
  const [name = '', , uid, gid] = line.split(':');
  return { name, uid: Number(uid), gid: Number(gid) };
}

/**
 * The wanted folder where the account can reach it; else one in the system's state folder, named after it, so that the
 * same folder is found again. A clone under a closed home is the usual reason.
 */
export function reachableFolder(wanted: string, account: Account | undefined, report: Report): string {
  if (!account || isReachable(wanted, account)) return wanted;
  const folder = standIn(wanted);
  mkdirSync(folder, { mode: 0o755, recursive: true });
  // The parent is open to everybody: a folder that somebody else made there is not ours to use.
  if (!lstatSync(folder).isDirectory() || lstatSync(folder).uid !== process.getuid?.()) {
    throw new Error(
      `${folder} belongs to somebody else; remove it, or clone the project where ${account.name} can go.`,
    );
  }
  report(`${wanted} is closed to the account ${account.name}: using ${folder}`);
  return folder;
}

/** Takes a folder away, and what had to be kept elsewhere in its stead. */
export function removeFolder(wanted: string): void {
  rmSync(wanted, { recursive: true, force: true });
  const folder = standIn(wanted);
  // Its parent is open to everybody: what somebody else made there is not ours to remove.
  if (lstatSync(folder, { throwIfNoEntry: false })?.uid === process.getuid?.()) {
    rmSync(folder, { recursive: true, force: true });
  }
}

function standIn(wanted: string): string {
  return join(persistentTemp(), `homing-${shortHash(wanted)}`);
}

function isReachable(path: string, { uid, gid }: Account): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = statSync(folder, { throwIfNoEntry: false });
    const needed = found && (found.uid === uid ? 0o100 : found.gid === gid ? 0o010 : 0o001);
    if (found && needed && (found.mode & needed) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

// Unlike /tmp it is kept over a restart of the machine (FHS 5.15).
function persistentTemp(): string {
  return statSync('/var/tmp', { throwIfNoEntry: false })?.isDirectory() ? '/var/tmp' : tmpdir();
}
