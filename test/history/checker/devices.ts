import type { State } from '../record.ts';
import type { Digest } from './digest.ts';
import type { Findings } from './findings.ts';
import { othersDifferences, ownDifferences } from './standing.ts';

/**
 * Looks of a node's digest after which its clients hold what was written, whatever they missed: one each second, twenty
 * for the promised twenty seconds. Counted by the node itself, for on a busy machine its seconds are longer than ours; a
 * look past every conversation takes fifteen of them, the rest is for asking.
 */
export const looksAtMost = 20;

/** P1, P4, P5, P6 and P9: what devices owe their people, beyond what any client on the wire does. */
export function checkDevices(digest: Digest, findings: Findings): void {
  for (const [device, sends] of queues(digest)) checkQueue(device, sends, digest, findings);
  checkTold(digest, findings);
  for (const state of digest.states) checkOwn(state, digest, findings);
  for (const { who, rest, looks } of digest.currents)
    if (looks === null || looks > looksAtMost)
      findings.add('late', `${who} came to rest ${rest} after ${looks ?? 'more than all'} looks of the digest`);
}

type Send = ReturnType<Digest['sends']>[number];

/** What the typed client was given to send, in that order, by device and conversation. */
function queues(digest: Digest): Map<string, Send[]> {
  const written = digest
    .sends()
    .filter(({ who, operation }) => operation.what === 'send' && digest.doors.get(who) === 'sdk');
  return Map.groupBy(written, ({ who, operation }) => `${digest.devices.get(who)} in ${operation.conversation}`);
}

/** What is written on a device stands in the order of writing. */
function checkQueue(device: string, sends: readonly Send[], digest: Digest, findings: Findings): void {
  let last = 0;
  for (const { operation } of sends) {
    const seq = digest.truth.get(operation.conversation)?.bySender.get(operation.clientId) ?? 0;
    if (seq > 0 && seq < last) findings.add('out of turn', `${device}: seq ${seq} was written after seq ${last}`);
    last = Math.max(last, seq);
  }
}

/** A process tells its person of each message once, in order. */
function checkTold(digest: Digest, findings: Findings): void {
  const last = new Map<string, number>();
  for (const { who, conversation, message } of digest.told) {
    const key = `${who} in ${conversation}`;
    if (message.seq <= (last.get(key) ?? 0))
      findings.add('told out of turn', `${key}: seq ${message.seq} after seq ${last.get(key)}`);
    last.set(key, Math.max(message.seq, last.get(key) ?? 0));
  }
}

/** What a client says of its own person, and of how far others are, is what the rows say, and nothing waits any more. */
function checkOwn({ who, rest, conversation, own }: State, digest: Digest, findings: Findings): void {
  const person = digest.persons.get(who) ?? who;
  const members = digest.logs.get(rest)?.get(conversation)?.stored.members ?? [];
  const row = members.find(({ userId }) => userId === person);
  if (!own || !row?.present) return;
  const where = `${who} in ${conversation}`;
  if (own.waiting > 0) findings.add('still waiting', `${where}: ${own.waiting} messages at rest ${rest}`);
  if (own.role !== row.role) findings.add('diverged', `${where}: is ${own.role}, and ${row.role} by the database`);
  if (own.readSeq > row.readSeq)
    findings.add('read mark went back', `${where}: shown at ${own.readSeq}, and ${row.readSeq} by the database`);
  for (const difference of ownDifferences(own, row)) findings.add('own state astray', `${where}: ${difference}`);
  const channel = digest.rooms.get(conversation)?.channel ?? false;
  for (const difference of othersDifferences(own, person, { members, channel }))
    findings.add('others astray', `${where}: ${difference}`);
}
