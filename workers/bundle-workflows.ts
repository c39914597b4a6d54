import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { failureConverterPath } from '../temporal/data-converter.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Everything that can end up in the bundle. */
const sources = ['workflows', 'contracts/workflows', 'temporal/failure-converter.ts'];
const { version: sdk } = createRequire(import.meta.url)('@temporalio/worker/package.json') as { version: string };

/**
 * The workflows as one script for the SDK's sandbox, built once for each state of the sources and the SDK. A module that
 * has no place in a workflow fails the build. Answers with the script's path.
 */
export async function workflowBundle(): Promise<string> {
  const target = path.join(root, 'build', `workflows-${await fingerprint()}.js`);
  if (existsSync(target)) return target;
  const problems: string[] = [];
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.join(root, 'workflows/index.ts'),
    failureConverterPath,
    logger: quietLogger((problem) => problems.push(problem)),
  });
  if (problems.length > 0) throw new Error(`the workflow bundle is not clean: ${problems.join('; ')}`);
  await mkdir(path.dirname(target), { recursive: true });
  // Two processes may build at once; a rename is all or nothing.
  const partial = `${target}.${process.pid}`;
  await writeFile(partial, code);
  await rename(partial, target);
  return target;
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
