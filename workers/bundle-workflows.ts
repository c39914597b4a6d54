import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { failureConverterPath } from '../temporal/data-converter.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Everything that can end up in the bundle. */
const sources = ['workflows', 'contracts/workflows', 'temporal/failure-converter.ts'];
const { version: sdk } = createRequire(import.meta.url)('@temporalio/worker/package.json') as { version: string };

/** Where a bundle is kept, and whom it is told that it cannot be. */
export interface BundleOptions {
  folder?: string;
  warn?: (message: string) => void;
}

/** What could not be kept, by where it should have been: built once, however often the workers are made anew. */
const unkept = new Map<string, Promise<string>>();

/**
 * The workflows as one script for the SDK's sandbox, built once for each state of the sources and the SDK; answers with its
 * path. An image holds it already, and then nothing is written. Where there is none and it cannot be kept, this process
 * builds one for itself and says what spares it that.
 */
export async function workflowBundle(options: BundleOptions = {}): Promise<string> {
  const { folder = path.join(root, 'build'), warn = (message: string) => process.emitWarning(message) } = options;
  const target = path.join(folder, `workflows-${await fingerprint()}.js`);
  const before = unkept.get(target);
  if (before) return before;
  if (existsSync(target)) return target;
  const code = await build();
  return keep(target, code).catch((error: Error) => {
    warn(`${target} cannot be written (${error.message}). Build it beforehand: node workers/bundle-workflows.ts`);
    const ours = keepForOurselves(path.basename(target), code);
    unkept.set(target, ours);
    return ours;
  });
}

/** A module that has no place in a workflow fails the build. */
async function build(): Promise<string> {
  const problems: string[] = [];
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.join(root, 'workflows/index.ts'),
    failureConverterPath,
    logger: quietLogger((problem) => problems.push(problem)),
  });
  if (problems.length > 0) throw new Error(`the workflow bundle is not clean: ${problems.join('; ')}`);
  return code;
}

async function keep(target: string, code: string): Promise<string> {
  await mkdir(path.dirname(target), { recursive: true });
  // Two processes may build at once; a rename is all or nothing.
  const partial = `${target}.${process.pid}`;
  await writeFile(partial, code);
  await rename(partial, target);
  return target;
}

// A fresh folder that nobody else may enter: what stands there is run.
async function keepForOurselves(name: string, code: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'homing-bundle-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return keep(path.join(folder, name), code);
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256').update(sdk);
  for (const file of (await Promise.all(sources.map(filesOf))).flat().sort()) {
    hash.update(file).update(await readFile(path.join(root, file)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function filesOf(source: string): Promise<string[]> {
  if (source.endsWith('.ts')) return [source];
  const entries = await readdir(path.join(root, source), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

/** Warnings of the bundler are failures here; its progress is nobody's business. */
function quietLogger(onProblem: (problem: string) => void) {
  const problem = (message: string) => onProblem(message);
  return { log() {}, trace() {}, debug() {}, info() {}, warn: problem, error: problem };
}

// node workers/bundle-workflows.ts [folder]: makes the bundle beforehand, as the Dockerfile does. Not being able to keep it is
// a failure here.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fail = (message: string) => {
    throw new Error(message);
  };
  const [folder] = process.argv.slice(2);
  const made = await workflowBundle({ warn: fail, ...(folder ? { folder: path.resolve(folder) } : {}) });
  process.stdout.write(`${made}\n`);
}
