import assert from 'node:assert/strict';
import type { Deps } from '../../domain/deps.ts';
import { clientEvents, type ClientEventName } from '../../contracts/realtime/index.ts';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import { type Rule, eventPolicy, policy, ruleOf } from '../../domain/access/policy.ts';
import { Operations } from '../../api/operations.ts';
import { fieldsOf, idsIn, sampleOf } from './sample.ts';

const operations = Object.values(endpoints) as Endpoint[];

/** Every place that a row names, and what it is called there. */
function placesOf(rule: Rule): string[] {
  return [...judgedIn(rule), ...(rule.who === 'anybody' ? [] : (rule.besides ?? [])).map(({ at }) => at)];
}

function judgedIn(rule: Rule): string[] {
  switch (rule.who) {
    case 'anybody':
      return [];
    case 'person':
      return [rule.own?.at, rule.names].filter((at) => at !== undefined);
    case 'member':
      return [rule.of, rule.message?.at, rule.person?.at, rule.invite, rule.into?.at].filter((at) => at !== undefined);
    case 'newcomer':
      return [rule.at];
    case 'staff':
      return rule.about ? [rule.about.at] : [];
  }
}

/** Named, and no object of its own: an emoji is a word, and a provider is what a deployment calls it. */
const words = new Set(['params.emoji', 'params.provider']);

describe('the policy', () => {
  it('has one row for every operation, under its own name, and none for anything else', () => {
    assert.deepEqual(Object.keys(policy).sort(), operations.map(({ operationId }) => operationId).sort());
    assert.deepEqual(Object.keys(eventPolicy).sort(), Object.keys(clientEvents).sort());
  });

  it('leaves open what the contract leaves open, and nothing else', () => {
    for (const { operationId, auth } of operations)
      assert.equal(ruleOf(operationId).who === 'anybody', auth === 'none', operationId);
  });

  it('an operation without a row is not mounted', () => {
    const all = new Operations(
      { checkAnswers: true },
      { depsFor: () => ({}) as Deps, requireRole: () => Promise.resolve(), requireProof: () => Promise.resolve() },
    );
    const stray = { ...endpoints.getMe, operationId: 'stray' };
    assert.throws(() => all.add(stray, () => ({ status: 200 as const, body: undefined as never })), /stray has no row/);
    assert.throws(() => ruleOf('constructor'), /no row/);
  });

  for (const endpoint of operations) {
    const { operationId, params, query, body } = endpoint;
    it(`says of everything in the path of ${operationId}, and of every id that it takes, whose it must be`, () => {
      const named = placesOf(ruleOf(operationId));
      const parts = Object.entries({ params, query, body }).flatMap(([part, schema]) =>
        schema ? [{ part, schema }] : [],
      );
      const inPath = params ? fieldsOf(params).map((name) => `params.${name}`) : [];
      const ids = parts.flatMap(({ part, schema }) => idsIn(schema).map((at) => `${part}.${at}`));
      assert.deepEqual(
        [...inPath, ...ids].filter((place) => !named.includes(place) && !words.has(place)),
        [],
      );
      const fields = [
        ...ids,
        ...parts.flatMap(({ part, schema }) => fieldsOf(schema).map((name) => `${part}.${name}`)),
      ];
      assert.deepEqual(
        named.filter((place) => !fields.includes(place)),
        [],
        'a row names a place that the contract has not',
      );
    });

    it(`${operationId} can be asked with what its contract is made into`, () => {
      for (const schema of [params, query, body]) if (schema) sampleOf(schema);
    });
  }

  for (const name of Object.keys(clientEvents) as ClientEventName[]) {
    it(`says of everything that ${name} names whose it must be`, () => {
      const rule = eventPolicy[name];
      if (rule === 'as its operation') return;
      const { input } = clientEvents[name];
      const ids = idsIn(input).map((at) => `input.${at}`);
      const fields = [...ids, ...fieldsOf(input).map((field) => `input.${field}`)];
      const named = placesOf(rule);
      assert.deepEqual([ids.filter((id) => !named.includes(id)), named.filter((id) => !fields.includes(id))], [[], []]);
      sampleOf(clientEvents[name].input);
    });
  }
});
