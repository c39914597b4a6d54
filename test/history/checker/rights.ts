import type { Role } from '../record.ts';
import type { Digest } from './digest.ts';
import type { Findings } from './findings.ts';
import type { Log, LogEntry } from './log.ts';

/** What each kind of entry asks of whoever makes it, in groups and in channels. */
interface Demand {
  group: readonly Role[];
  channel: readonly Role[];
}
const writers: readonly Role[] = ['owner', 'admin', 'member'];
const leads: readonly Role[] = ['owner', 'admin'];
const writing: Demand = { group: writers, channel: writers };
const leading: Demand = { group: leads, channel: leads };

const demands: Record<string, Demand> = {
  'message.created': writing,
  'message.edited': writing,
  'reaction.added': writing,
  'message.pinned': { group: writers, channel: leads },
  'message.unpinned': { group: writers, channel: leads },
  'conversation.updated': leading,
  'members.added': leading,
  'members.removed': leading,
  'members.changed': leading,
  'message.deleted': leading,
};

/** P26: nothing is done by who had not the right at that very version, and roles are what the log says. */
export function checkRights(digest: Digest, findings: Findings): void {
  for (const log of digest.truth.values()) {
    const kind = digest.rooms.get(log.conversation)?.channel ? 'channel' : 'group';
    for (const entry of log.entries.values()) checkRight(entry, log, kind, findings);
    checkRoles(log, findings);
  }
  checkRoleAnswers(digest, findings);
}

function checkRight(entry: LogEntry, log: Log, kind: keyof Demand, findings: Findings): void {
  const { type, actor, version } = entry;
  const needed = demands[type]?.[kind];
  if (!needed || isOwn(entry, log)) return;
  const role = log.roles(actor).findLast((one) => one.version < version)?.role;
  if (role && !needed.includes(role))
    findings.add('did what they may not', `${actor}, ${role}, made ${type}, version ${version} of ${log.conversation}`);
}

/** Everybody may take back their own words, and leave. */
function isOwn({ type, actor, seq, left }: LogEntry, log: Log): boolean {
  if (type === 'message.deleted') return log.messages.get(seq ?? 0)?.senderId === actor;
  return left.includes(actor);
}

function checkRoles(log: Log, findings: Findings): void {
  for (const { userId, role, present } of log.stored.members) {
    const last = log.roles(userId).at(-1)?.role;
    if (present && last !== role)
      findings.add('change lost', `${userId} is ${role} in ${log.conversation}, and ${last} by the log`);
  }
}

/** Who is told that somebody has a role finds it in the log; who may not write, it is said, was read-only once. */
function checkRoleAnswers(digest: Digest, findings: Findings): void {
  for (const { operation, outcome } of digest.of('role')) {
    const roles = digest.truth.get(operation.conversation)?.roles(operation.person) ?? [];
    if (outcome === 'ok' && !roles.some(({ role }) => role === operation.role))
      findings.add('change lost', `${operation.person} was never ${operation.role} in ${operation.conversation}`);
  }
  for (const { operation, person, outcome, why } of digest.sends()) {
    const roles = digest.truth.get(operation.conversation)?.roles(person) ?? [];
    if (outcome === 'refused' && why === 'forbidden' && !roles.some(({ role }) => role === 'read_only'))
      findings.add('odd answer', `${person} may not write in ${operation.conversation}, and never was read-only`);
  }
}
