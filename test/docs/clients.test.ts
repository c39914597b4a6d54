import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../dev/services/index.ts';
import { Client } from '../../sdk/client.ts';
import { clientErrorCodes } from '../../sdk/errors.ts';
import { clientLimits } from '../../sdk/limits.ts';
import { routes } from '../../sdk/routes.ts';

const textOf = (file: string) => readFileSync(join(root, file), 'utf8');

describe('the page for writers of clients', () => {
  const page = textOf('docs/clients.md');
  const unnamed = (names: readonly string[]) => names.filter((name) => !new RegExp(`\`${name}[\`(]`).test(page));
  const [, events = ''] = /interface ClientEvents \{\n([^]*?)\n\}/.exec(textOf('sdk/events.ts')) ?? [];
  const all: Record<string, string[]> = {
    call: Object.getOwnPropertyNames(Client.prototype).filter((name) => name !== 'constructor'),
    event: [...events.matchAll(/^ {2}(\w+): /gm)].map(([, name = '']) => name),
    'operation of the REST interface': Object.keys(routes),
    'code of the client': Object.keys(clientErrorCodes),
    limit: Object.keys(clientLimits),
  };

  for (const [what, names] of Object.entries(all)) {
    it(`names every ${what}`, () => {
      assert.ok(names.length > 5, `only ${names.join(' ')}`);
      assert.deepEqual(unnamed(names), []);
    });
  }
});
