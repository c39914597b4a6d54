import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';

/** Transactions a second of a script by PostgreSQL's own load program, with prepared statements. */
export async function pgbench(
  { pgbench: program, appUrl }: { pgbench: string; appUrl: string },
  script: string,
  { clients, seconds }: { clients: number; seconds: number },
): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'homing-pgbench-'));
  const file = join(dir, 'script.sql');
  writeFileSync(file, script);
  try {
    const args = ['-n', '-M', 'prepared', '-f', file, '-c', clients, '-j', 2, '-T', seconds, appUrl];
    const output = await run(program, args.map(String));
    const tps = /^tps = ([\d.]+)/m.exec(output)?.[1];
    if (tps === undefined) throw new Error(`pgbench told no rate:\n${output}`);
    return Number(tps);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${command}: ${errors.slice(-800)}`)),
    );
  });
}
