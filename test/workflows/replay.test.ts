import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { Worker } from '@temporalio/worker';
import { workflowBundle } from '../../workers/bundle-workflows.ts';

const directory = new URL('./histories/', import.meta.url);
const names = readdirSync(directory).filter((name) => name.endsWith('.json'));

/**
 * Histories of every shape of story, recorded on a real server, against the workflows as they are now: a change that
 * would strand a running episode goes red here. CONTRIBUTING.md says how they are recorded anew,
 * which is right only when no deployment runs the old ones.
 */
describe('replay', () => {
  const bundle = async () => ({ codePath: await workflowBundle() });
  const history = (name: string) =>
    JSON.parse(readFileSync(new URL(name, directory), 'utf8')) as { events: Record<string, unknown>[] };

  it('has a history of every shape', () => {
    assert.ok(names.length >= 16, names.join());
    for (const name of ['continued-as-new.json', 'verification-sent.json']) assert.ok(names.includes(name), name);
  });

  it('names neither the machine nor the folder that it was recorded on', () => {
    for (const name of names) {
      const text = readFileSync(new URL(name, directory), 'utf8');
      assert.doesNotMatch(text, /file:\/\/\/|\(\/|"\d+@|[a-z]:\\\\/i, name);
    }
  });

  for (const name of names) {
    it(`${name.replace('.json', '').replaceAll('-', ' ')}`, async () => {
      await Worker.runReplayHistory({ workflowBundle: await bundle() }, history(name));
    });
  }

  it('goes red when a workflow no longer does what the history says', async () => {
    const changed = history('push-then-email-then-read.json');
    const text = JSON.stringify(changed).replaceAll('"notifyPush"', '"notifyPigeon"');
    assert.notEqual(text, JSON.stringify(changed));
    await assert.rejects(Worker.runReplayHistory({ workflowBundle: await bundle() }, JSON.parse(text)));
  });
});

describe('the workflow bundle', () => {
  it('holds no schema library, no database and no Node built-in', async () => {
    const code = readFileSync(await workflowBundle(), 'utf8');
    assert.ok(code.includes('escalateUnread'), 'it holds the workflows');
    for (const stranger of ['node_modules/zod', 'node_modules/pg/', 'node_modules/knex', 'domain/attention/notify']) {
      assert.ok(!code.includes(stranger), stranger);
    }
  });
});
