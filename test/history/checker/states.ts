import type { Held, Seen, State, StoredMessage } from '../record.ts';
import type { Digest } from './digest.ts';
import type { Findings } from './findings.ts';
import type { Log } from './log.ts';

/** P5 and P8: at each rest every client, and every fresh reading, shows what the database holds. */
export function checkStates(digest: Digest, findings: Findings): void {
  for (const state of digest.states) {
    const log = digest.logs.get(state.rest)?.get(state.conversation);
    if (!log) continue;
    const person = digest.persons.get(state.who) ?? state.who;
    const present = log.spans(person).at(-1)?.to === Number.POSITIVE_INFINITY;
    const fault = faultOf(state, log, person, present);
    if (fault) findings.add(...fault);
  }
}

type Fault = Parameters<Findings['add']>;

function faultOf(
  { who, conversation, held, fresh }: State,
  log: Log,
  person: string,
  present: boolean,
): Fault | undefined {
  const where = `${who} in ${conversation}`;
  if (present !== (held !== null)) return ['not converged', `${where}: ${held ? 'holds' : 'does not hold'} it`];
  if (!held) return undefined;
  const { version } = log.stored;
  if (held.version !== version) return ['not converged', `${where}: holds version ${held.version} of ${version}`];
  const difference =
    headDifference(held, log) ?? rangeFault(held, log, person, fresh) ?? messageDifference(held, log, person);
  return difference ? ['diverged', `${where}: ${difference}`] : undefined;
}

function headDifference(held: Held, { stored }: Log): string | undefined {
  const members = stored.members
    .filter(({ present }) => present)
    .map(({ userId, role }) => `${userId} ${role}`)
    .sort();
  if (held.title !== stored.title) return `the title is ${held.title}, not ${stored.title}`;
  if (held.lastSeq !== stored.lastSeq) return `the last seq is ${held.lastSeq}, not ${stored.lastSeq}`;
  return held.members.join() === members.join()
    ? undefined
    : `the members are ${held.members.join()}, not ${members.join()}`;
}

/** What is held has no holes and reaches to the end; of a fresh reading, from the first message that may be read. */
function rangeFault({ messages }: Held, log: Log, person: string, fresh: boolean): string | undefined {
  const afterSeq = log.spans(person).at(-1)?.afterSeq ?? 0;
  const first = messages[0]?.seq ?? log.stored.lastSeq + 1;
  if (messages.some(({ seq }, index) => seq !== first + index)) return 'the messages have holes';
  if (messages.length > 0 && messages.at(-1)?.seq !== log.stored.lastSeq) return 'the newest messages are missing';
  return fresh && first !== afterSeq + 1 ? `the first message is ${first}, not ${afterSeq + 1}` : undefined;
}

function messageDifference({ messages }: Held, log: Log, person: string): string | undefined {
  const reactions = reactionsOf(log, person);
  const threads = new Map(log.stored.threads.map((row) => [row.rootSeq, `${row.replyCount} to ${row.lastSeq}`]));
  for (const message of messages) {
    const row = log.messages.get(message.seq);
    if (!row) return `seq ${message.seq} does not exist`;
    const wanted = text(row, reactions.get(message.seq) ?? [], threads.get(message.seq));
    const got = text(message, message.reactions, message.thread);
    if (got !== wanted) return `seq ${message.seq} is ${got}, not ${wanted}`;
  }
  return undefined;
}

const text = (message: Seen | StoredMessage, reactions: readonly string[], thread: string | null = null) =>
  [
    ...[
      message.id,
      message.changedVersion,
      `«${message.text}»`,
      message.deleted && 'deleted',
      message.pinned && 'pinned',
    ],
    ...[
      message.mentions.map((mention) => `@${mention}`).join(),
      message.forwarded && 'forwarded',
      reactions.join(),
      thread && `thread of ${thread}`,
    ],
  ]
    .filter(Boolean)
    .join(' ');

/** As this person is shown them: by emoji in the order of code points, with the count and whether they are among them. */
function reactionsOf({ stored }: Log, person: string): Map<number, string[]> {
  const bySeq = Map.groupBy(stored.reactions, ({ seq }) => seq);
  return new Map(
    [...bySeq].map(([seq, all]) => {
      const kinds = [...Map.groupBy(all, ({ emoji }) => emoji)].sort(([a], [b]) =>
        Buffer.compare(Buffer.from(a), Buffer.from(b)),
      );
      return [
        seq,
        kinds.map(([emoji, of]) => `${emoji} ${of.length}${of.some(({ userId }) => userId === person) ? ' mine' : ''}`),
      ];
    }),
  );
}
