import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { SyntaxNodeRef } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { root } from '../../dev/services/index.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { registerDevice, registerPeople, makeDirect, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { waitFor } from '../support/inbox.ts';
import { until } from '../support/until.ts';

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook: string };
}
interface Panel {
  title: string;
  type: string;
  targets?: { expr: string }[];
}
const textOf = (...parts: string[]) => readFileSync(path.join(root, ...parts), 'utf8');
const { groups } = parse(textOf('ops', 'alerts.yaml')) as { groups: { name: string; rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(textOf('ops', 'board.json')) as { panels: Panel[] };
const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
const pages = readdirSync(path.join(root, 'docs', 'runbooks')).filter((name) => name !== 'README.md');

/** The metrics that a query names, by Prometheus' own grammar; it fails where that does not understand it. */
function metricsOf(expr: string): string[] {
  const names: string[] = [];
  parser.parse(expr).iterate({
    enter(node: SyntaxNodeRef) {
      assert.ok(!node.type.isError, `not PromQL: ${expr} at ${node.from}`);
      if (node.name === 'VectorSelector') {
        const [name] = /^[\w:]+/.exec(expr.slice(node.from, node.to)) ?? [];
        names.push(name ?? '');
      }
    },
  });
  assert.notEqual(names.length, 0, `names no metric: ${expr}`);
  return names;
}
const baseOf = (name: string) => name.replace(/_(bucket|count|sum)$/, '');

describe('figures', () => {
  let app: TestApp;
  /** Name, type and help of each metric, and every label that it was seen with, of a process that has done its work. */
  const exposed = new Map<string, { type: string; labels: Set<string> }>();
  before(async function () {
    this.timeout(60_000);
    app = await startApp({ processes: [], reports: true });
    const { runtime } = await app.start(['api', 'realtime', 'relay', 'worker']);
    app.url = app.env.HOMING_PUBLIC_URL ?? '';
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const token = await registerDevice(bob);
    const { id } = await makeDirect(ana, bob);
    await send(ana, id, 'Are you there?');
    await waitFor(app, { to: token });
    const text = await until(
      () => runtime.metrics.registry.metrics(),
      (all) => /homing_differences\{.*\} 0/.test(all) && /homing_announced_total\{.*\} 1/.test(all),
    );
    for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm))
      exposed.set(name, { type, labels: new Set() });
    for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)\{(.*)\} \S+$/gm)) {
      const known = exposed.get(exposed.has(name) ? name : baseOf(name));
      for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
        known?.labels.add(label);
        assert.doesNotMatch(value, /[0-9a-f]{8}-[0-9a-f]{4}|@|\+\d{7}/, `${name} has somebody in its label ${label}`);
      }
    }
  });
  after(() => app.stop());

  const isExposed = (name: string) => exposed.has(name) || exposed.get(baseOf(name))?.type === 'histogram';

  it('that an alert asks for are there', () => {
    for (const { alert, expr } of rules)
      for (const name of metricsOf(expr))
        assert.ok(isExposed(name), `${alert} asks for ${name}, which nothing exposes`);
  });

  it('that the board asks for are there', () => {
    assert.ok(queries.length > 30);
    for (const { title, expr } of queries)
      for (const name of metricsOf(expr))
        assert.ok(isExposed(name), `${title} asks for ${name}, which nothing exposes`);
  });

  it('are each explained, and what is explained is there', () => {
    const explained = [...textOf('docs', 'metrics.md').matchAll(/^\| `(homing_\w+)` \|/gm)].map(
      ([, name]) => name as string,
    );
    const ours = [...exposed.keys()].filter((name) => !/^homing_(nodejs|process)_/.test(name));
    assert.deepEqual(explained.sort(), ours.sort());
  });

  it('whose first time is to wake somebody stand at nought before it', async () => {
    // A series that begins at 1 has not increased, by Prometheus' reckoning.
    const text = await createMetrics('worker').registry.metrics();
    const isAtNought = (name: string, ...labels: string[]) =>
      text
        .split('\n')
        .some((line) => line.startsWith(`${name}{`) && labels.every((l) => line.includes(l)) && line.endsWith(' 0'));
    for (const provider of ['fcm', 'sendgrid', 'twilio'])
      for (const fate of ['ok', 'recipient_dead', 'content_rejected', 'config_outage', 'transient', 'ambiguous'])
        assert.ok(isAtNought('homing_provider_call_seconds_count', `provider="${provider}"`, `class="${fate}"`), fate);
    for (const channel of ['push', 'email', 'sms'])
      assert.ok(isAtNought('homing_attempts_total', `channel="${channel}"`, 'result="stuck"'), channel);
    for (const source of ['sendgrid', 'twilio'])
      for (const result of ['refused', 'limited'])
        assert.ok(isAtNought('homing_provider_reports_total', `source="${source}"`, `result="${result}"`), result);
    for (const fact of ['bounced', 'complained', 'delivered'])
      assert.ok(isAtNought('homing_reported_total', 'source="sendgrid"', `fact="${fact}"`), fact);
  });

  it('would be missed', () => {
    assert.throws(() => metricsOf('sum(rate(homing_x[5m])'), /not PromQL/);
    assert.deepEqual(metricsOf('sum(rate(homing_x_count[5m])) / absent(up{a="b"})'), ['homing_x_count', 'up']);
    assert.equal(isExposed('homing_x_count'), false);
  });
});

describe('runbooks', () => {
  it('are one for each alert, which names it', () => {
    const named = rules.map(({ annotations }) => annotations.runbook);
    assert.deepEqual([...named].sort(), pages.map((name) => `docs/runbooks/${name}`).sort());
    for (const { alert, annotations } of rules)
      assert.match(
        textOf(annotations.runbook),
        new RegExp(`^# ${alert}\\b`),
        `${annotations.runbook} is about ${alert}`,
      );
  });

  it('are found: the list names each', () => {
    const list = textOf('docs', 'runbooks', 'README.md');
    for (const { alert, labels, annotations } of rules) {
      assert.ok(list.includes(`[${alert}](${path.basename(annotations.runbook)}) | ${labels.severity}`), alert);
    }
  });

  it('say what to look at and what to do, by commands', () => {
    for (const page of pages) {
      const text = textOf('docs', 'runbooks', page);
      for (const heading of ['## Who feels it', '## Look', '## Mend'])
        assert.ok(text.includes(heading), `${page}: ${heading}`);
      assert.match(text, /```sh\n/, page);
    }
  });
});
