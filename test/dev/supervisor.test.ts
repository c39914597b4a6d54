import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plainEnv, type Running, startProcess } from '../../dev/services/index.ts';
import { type Part, Supervisor } from '../../dev/supervisor.ts';
import { isRunning, nodeArgs, removeTempFolders, tempFolder, until } from './support.ts';

describe('the supervisor', function () {
  this.timeout(60_000);
  let folder: string;
  let supervisor: Supervisor;
  let lines: EventEmitter;
  let said: string[];

  beforeEach(() => {
    folder = tempFolder();
    said = [];
    lines = new EventEmitter();
    const report = (line: string) => {
      said.push(line);
      lines.emit('line', line);
    };
    supervisor = new Supervisor(report, { firstPauseMs: 10, roleGraceMs: 1_000, serviceGraceMs: 1_000 });
  });
  afterEach(() => supervisor.stop());
  after(removeTempFolders);

  const part = (name: string, kind: Part['kind'], code = '', answers = async () => {}): Part => ({
    name,
    kind,
    start: (signal) => startChild(name, code, answers, signal),
  });
  const startChild = (name: string, code: string, answers: () => Promise<void>, signal: AbortSignal) =>
    startProcess({
      ...{ name, command: process.execPath, args: nodeArgs(code), env: plainEnv(process.env), signal, answers },
      ...{ logFile: join(folder, `${name}.log`), answersWithinMs: 30_000 },
    });
  const saying = async (pattern: RegExp) => {
    while (!said.some((line) => pattern.test(line))) await once(lines, 'line');
  };

  it('says that one crashed, and starts it again', async () => {
    const first = await supervisor.run(part('api', 'role'));
    first.kill('SIGKILL');
    await saying(/api crashed \(killed by SIGKILL\)/);
    await saying(/api is up again/);
    assert.notEqual(supervisor.pids().api, first.pid);
    assert.ok(isRunning(supervisor.pids().api ?? 0));
  });

  it('keeps trying with growing pauses when it does not come up again, and says why', async () => {
    const flag = join(folder, 'may-start');
    writeFileSync(flag, '');
    const code = `if (!require('fs').existsSync(${JSON.stringify(flag)})) { console.log('no flag'); process.exit(4); }
      console.log('fit')`;
    const answers = async () => assert.match(readFileSync(join(folder, 'relay.log'), 'utf8'), /fit/);
    // The log is of one start only, so that an earlier "fit" does not count.
    const fresh: Part = {
      ...part('relay', 'role'),
      start: (signal) => {
        writeFileSync(join(folder, 'relay.log'), '');
        return startChild('relay', code, answers, signal);
      },
    };
    const first = await supervisor.run(fresh);
    rmSync(flag);
    first.kill('SIGKILL');
    await saying(/does not come up again: relay ended while starting \(exit code 4\)[^]*no flag/);
    writeFileSync(flag, '');
    await saying(/relay is up again/);
  });

  it('fails, and restarts nothing, when the first start fails', async () => {
    await assert.rejects(supervisor.run(part('api', 'role', 'process.exit(3)', () => new Promise(() => {}))), {
      message: /api ended while starting \(exit code 3\)/,
    });
    assert.deepEqual(supervisor.pids(), {});
  });

  it('stops roles before services', async () => {
    const log = join(folder, 'order');
    const note = (name: string) =>
      `process.on('SIGTERM', () => { require('fs').appendFileSync(${JSON.stringify(log)}, '${name} '); process.exit() }); console.log('ready')`;
    const ready = (name: string) => async () =>
      assert.match(readFileSync(join(folder, `${name}.log`), 'utf8'), /ready/);
    await supervisor.run(part('postgres', 'service', note('postgres'), ready('postgres')));
    await supervisor.run(part('api', 'role', note('api'), ready('api')));
    await supervisor.stop();
    assert.equal(readFileSync(log, 'utf8'), 'api postgres ');
  });

  it('leaves nothing behind: neither one that ignores the signal, nor the children of one', async () => {
    const pidFile = join(folder, 'child');
    const code = `process.on('SIGTERM', () => {});
      const child = require('child_process').spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"]);
      require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(child.pid))`;
    const stubborn = await supervisor.run(part('worker', 'role', code));
    await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8'));
    const child = Number(readFileSync(pidFile, 'utf8'));
    await supervisor.stop();
    assert.deepEqual([isRunning(stubborn.pid), isRunning(child)], [false, false]);
  });

  it('stops what is still starting', async () => {
    const logFile = join(folder, 'slow.log');
    const starting = supervisor.run(
      part('slow', 'service', 'console.log(process.pid)', () => Promise.reject(new Error('not yet'))),
    );
    const failed = assert.rejects(starting, { message: 'stopping' });
    await until(() => existsSync(logFile) && readFileSync(logFile, 'utf8').includes('\n'));
    const pid = Number(readFileSync(logFile, 'utf8'));
    await supervisor.stop();
    await failed;
    assert.equal(isRunning(pid), false);
  });

  it('does not restart what crashes while everything stops', async () => {
    let starts = 0;
    const counted: Part = {
      name: 'api',
      kind: 'role',
      start: async (signal): Promise<Running> => {
        starts += 1;
        return startChild('api', '', async () => {}, signal);
      },
    };
    const running = await supervisor.run(counted);
    const stopping = supervisor.stop();
    running.kill('SIGKILL');
    await stopping;
    assert.equal(starts, 1);
    assert.equal(said.length, 0);
  });
});
