import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Secrets, keepSecrets } from '../../dev/secrets.ts';

describe('the secrets of a start in development', () => {
  let state: string;
  beforeEach(() => (state = mkdtempSync(join(tmpdir(), 'homing-secrets-'))));
  afterEach(() => rmSync(state, { recursive: true }));

  it('stay as they are over restarts', () => {
    assert.deepEqual(keepSecrets(state), keepSecrets(state));
  });

  it('hold no token that looks like Twilio’s own, as those of an earlier version did', () => {
    const file = join(state, 'secrets.json');
    const kept = keepSecrets(state);
    const old: Secrets = { ...kept, app: { ...kept.app, TWILIO_AUTH_TOKEN: 'c'.repeat(32) } };
    writeFileSync(file, JSON.stringify(old));
    const { app } = keepSecrets(state);
    assert.match(app.TWILIO_AUTH_TOKEN ?? '', /^sandbox-/);
    assert.equal(app.HOMING_SECRET_KEY, kept.app.HOMING_SECRET_KEY);
    assert.deepEqual((JSON.parse(readFileSync(file, 'utf8')) as Secrets).app, app);
  });
});
