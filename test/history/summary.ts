import type { Finding } from './checker/index.ts';
import type { History, Operation } from './record.ts';

/** What happened in a run, in numbers. */
export interface Summary {
  /** Sends that were acked, each clientId once. */
  acked: number;
  attempts: Partial<Record<Operation['what'], { ok: number; refused: number; unknown: number }>>;
  /** Live events that came over a socket, and those of them that were kept from their client. */
  delivered: number;
  dropped: number;
  /** Times that a client took a whole state in place of a gap. */
  replaced: number;
  /** States at a rest that were compared with the database. */
  compared: number;
  /** Times that each fault was seen to strike, and not merely sent. */
  faults: Record<string, number>;
  findings: Record<string, number>;
}

export const nothing = (): Summary => ({
  ...{ acked: 0, attempts: {}, delivered: 0, dropped: 0, replaced: 0, compared: 0, faults: {}, findings: {} },
});

/** Adds a history and what was found in it to what was counted before. */
export function count(history: History, findings: readonly Finding[], sum: Summary = nothing()): Summary {
  const whats = new Map<number, Operation>();
  const acked = new Set<string>();
  for (const record of history) {
    if (record.kind === 'begin') whats.set(record.attempt, record.operation);
    if (record.kind === 'ok' || record.kind === 'refused' || record.kind === 'unknown') {
      const operation = whats.get(record.attempt) ?? { what: 'sync' };
      const outcomes = (sum.attempts[operation.what] ??= { ok: 0, refused: 0, unknown: 0 });
      outcomes[record.kind] += 1;
      if (record.kind === 'ok' && (operation.what === 'send' || operation.what === 'forward'))
        acked.add(operation.clientId);
    }
    if (record.kind === 'delivered') sum.delivered += 1;
    if (record.kind === 'delivered' && record.dropped) sum.dropped += 1;
    if (record.kind === 'replaced') sum.replaced += 1;
    if (record.kind === 'state') sum.compared += 1;
    if (record.kind === 'fault' && record.struck) sum.faults[record.name] = (sum.faults[record.name] ?? 0) + 1;
  }
  sum.acked += acked.size;
  for (const { name } of findings) sum.findings[name] = (sum.findings[name] ?? 0) + 1;
  return sum;
}

/** The numbers as a table for people. */
export function table(sum: Summary): string {
  const lines: [string, string][] = [
    ['acked sends', String(sum.acked)],
    ...Object.entries(sum.attempts).map(([what, { ok, refused, unknown }]): [string, string] => [
      `attempts to ${what}`,
      `${ok} ok, ${refused} refused, ${unknown} unknown`,
    ]),
    ['live events', `${sum.delivered}, ${sum.dropped} of them dropped`],
    ['states taken whole', String(sum.replaced)],
    ['states compared at rest', String(sum.compared)],
    ...Object.entries(sum.faults).map(([name, times]): [string, string] => [`fault: ${name}`, `${times} times`]),
    ...Object.entries(sum.findings).map(([name, times]): [string, string] => [`FOUND: ${name}`, `${times} times`]),
    ['findings', String(Object.values(sum.findings).reduce((all, times) => all + times, 0))],
  ];
  return lines.map(([name, value]) => `${name.padEnd(36)}${value}`).join('\n');
}
