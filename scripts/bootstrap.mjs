// node scripts/bootstrap.mjs SCRIPT [arguments]
//
// Runs a TypeScript file of this project under the pinned Node, on a machine that may have nothing but git, npm and any
// Node from 20 on: installs the packages first when they are missing or are not those of package-lock.json.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isInstalled, markInstalled, pinnedNode } from './install-state.mjs';
import { isAlive, startedAt, withLock } from './lock.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const npmNote = join(root, '.homing', 'npm.json');
// Node keeps there what it has compiled: every process after the first one begins in half the time, and a suite has hundreds.
const compiled = process.env.NODE_COMPILE_CACHE ?? join(root, '.homing', 'compiled');
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Milliseconds that npm and its children get to end in. */
const graceMs = 2_000;
const say = (line) => process.stderr.write(`${line}\n`);

const [script, ...args] = process.argv.slice(2);
if (!script) {
  say('usage: node scripts/bootstrap.mjs SCRIPT [arguments]');
  process.exit(2);
}
try {
  if (!(await isInstalled(root)) || !pinnedNode(root)) await installOnce();
  const left = await run(pinnedNode(root), [resolve(root, script), ...args], { channel: true });
  if (left.signal === 'SIGKILL') sayWhatGoesOn();
  leaveAs(left);
} catch (error) {
  say(error.message);
  process.exit(1);
}

// Nothing can be done after a KILL, so what it had started goes on.
function sayWhatGoesOn() {
  say(`${script} was killed.`);
  const flags = args.includes('--state') ? ` -- --state ${args[args.indexOf('--state') + 1]}` : '';
  if (script.endsWith('start.ts')) say(`The services that it had started go on. Stop them: npm stop${flags}`);
  if (script.endsWith('test.ts'))
    say('The services that it had started go on until the next npm test, which stops them.');
}

// Beside node_modules, which npm ci removes: two terminals, or npm start and npm test at once, must not install over
// each other.
async function installOnce() {
  const waiting = (pid) => say(`Waiting for process ${pid}, which is installing the packages …`);
  await withLock(join(root, '.homing', 'install.lock'), install, { waiting });
}

async function install() {
  await endFormerNpm();
  if (!(await isInstalled(root))) {
    say('Installing the packages (npm ci). The first time this takes a minute or two …');
    const began = Date.now();
    const ticking = setInterval(() => say(`  npm ci: ${Math.round((Date.now() - began) / 1000)} s`), 10_000);
    const [npm, first] = npmCommand();
    // A machine set to production would leave out what starts and tests the project.
    const flags = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    const env = { ...process.env, NODE_ENV: 'development' };
    const left = await run(npm, [...first, ...flags], { env, onPid: noteNpm, group: true });
    clearInterval(ticking);
    if (left.signal) {
      say('Stopped while installing. The next start installs anew.');
      leaveAs(left);
    }
    if (left.code !== 0) throw new Error(`npm ci failed (exit code ${left.code}). Try it by hand: npm ci`);
    await markInstalled(root);
  }
  if (!pinnedNode(root)) await completeNode();
}

// An installer that was killed leaves its npm at work, and two of them in one folder ruin it.
async function endFormerNpm() {
  if (!existsSync(npmNote)) return;
  const former = JSON.parse(readFileSync(npmNote, 'utf8'));
  if (isAlive(former)) killGroup(former.pid, 'SIGKILL');
  while (isAlive(former)) await sleep(20);
}

function noteNpm(pid) {
  writeFileSync(npmNote, JSON.stringify({ pid, started: startedAt(pid) }));
}

// Where install scripts are switched off, npm leaves the package without its binary.
async function completeNode() {
  const folder = join(root, 'node_modules', 'node');
  await run(process.execPath, ['installArchSpecificPackage.js'], { cwd: folder });
  if (pinnedNode(root)) return;
  rmSync(join(root, 'node_modules', '.homing-install'), { force: true });
  throw new Error(
    'The pinned Node is missing (node_modules/node/bin/node): its install script did not run.\n' +
      'Try: npm rebuild node --foreground-scripts',
  );
}

// npm start names the npm that runs it; a bare `node scripts/bootstrap.mjs` takes the one on PATH.
function npmCommand() {
  const running = process.env.npm_execpath;
  return running?.endsWith('.js') ? [process.execPath, [running]] : ['npm', []];
}

/**
 * Runs a child on our terminal and hands on our signals. `channel`: the child learns of our death by losing it. `group`: it
 * has children of its own that would not hear, and no order to stop in: told to, all of them end within seconds, and the
 * answer is our signal, whatever the child made of it.
 */
function run(command, commandArgs, { channel = false, group = false, onPid, ...options } = {}) {
  const path = [join(root, 'node_modules', 'node', 'bin'), process.env.PATH].filter(Boolean).join(delimiter);
  return new Promise((done, failed) => {
    const child = spawn(command, commandArgs, {
      cwd: channel ? process.cwd() : root,
      stdio: channel ? ['inherit', 'inherit', 'inherit', 'ipc'] : [group ? 'ignore' : 'inherit', 'inherit', 'inherit'],
      detached: group,
      ...options,
      env: { ...(options.env ?? process.env), ...(channel ? { PATH: path, NODE_COMPILE_CACHE: compiled } : {}) },
    });
    if (child.pid) onPid?.(child.pid);
    let told;
    const handOn = (signal) => {
      if (!group) return child.kill(signal);
      if (!told) setTimeout(killGroup, graceMs, child.pid, 'SIGKILL').unref();
      told ??= signal;
      return killGroup(child.pid, 'SIGTERM');
    };
    for (const signal of signals) process.on(signal, handOn);
    const orphaned = whenOrphaned(() => handOn('SIGTERM'));
    child.on('error', failed);
    child.on('exit', (code, signal) => {
      for (const name of signals) process.off(name, handOn);
      clearInterval(orphaned);
      // What the leader left behind must not go on in a folder that the next start works in.
      if (told) killGroup(child.pid, 'SIGKILL');
      done(told ? { code: null, signal: told } : { code, signal });
    });
  });
}

function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // It is gone already.
  }
}

// npm hands a TERM to its shell only, and a shell dies without telling us: the scripts say `exec`, so that we stand in the
// shell's place, and for a shell that does not do so we look whether our parent is still there.
function whenOrphaned(then) {
  const parent = process.ppid;
  if (!process.env.npm_lifecycle_event) return undefined;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    then();
  }, 500);
  return timer;
}

// As the shell reports it: 128 and the signal's number.
function leaveAs({ code, signal }) {
  process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1));
}
