import type { Tx } from '../../db/client.ts';
import type { WalkPlace } from '../../db/queries/differences.ts';
import {
  type LedgerEntry,
  type RecountedMessage,
  type Unreader,
  ledgerOf,
  messagesAt,
  messagesBetweenIds,
  unreadersOf,
} from '../../db/queries/recount-messages.ts';
import { isOwed } from './owed.ts';
import { type Found, type Look, type Walk, before, idAt, noDifference, timeOf } from './walk.ts';

const kinds = ['not_armed', 'wrong_outcome'] as const;

/** Pairs of message and member that one page may come to; a single message may exceed it. */
const pairsPerPage = 100_000;
/** Milliseconds that a change of the message itself is left to take effect. */
const settleMs = 600_000;
/** Milliseconds by which an attempt's id may seem older than the message that it tells of: clocks of two machines. */
const skewMs = 60_000;

/** Looks at every message once it is so old, and at everybody who has not read it then. */
export const messageWalk = (name: string, ageMs: number): Walk => ({
  name,
  ageMs,
  kinds,
  start: idAt,
  async look(tx, { cursor }: WalkPlace, { now, size }): Promise<Look> {
    const page = { after: cursor, before: idAt(before(now, ageMs)), limit: size };
    const found = await messagesBetweenIds(tx, page);
    const messages = withinPairs(found);
    const judged = await judge(tx, messages, null, now);
    const more = messages.length < found.length || found.length === size;
    const next = messages.at(-1)?.id ?? cursor;
    const through = more ? timeOf(next) : before(now, ageMs);
    return { looked: messages.length, ...judged, cursor: next, through, more };
  },
  async again(tx, differences, now) {
    const places = differences.flatMap(({ conversationId, seq }) =>
      conversationId === null || seq === null ? [] : [{ conversationId, seq }],
    );
    const people = [...new Set(differences.map(({ userId }) => userId))];
    return (await judge(tx, await messagesAt(tx, places), people, now)).differences;
  },
});

function withinPairs(messages: readonly RecountedMessage[]): RecountedMessage[] {
  let pairs = 0;
  const end = messages.findIndex(({ members }) => (pairs += members) > pairsPerPage);
  return end === -1 ? [...messages] : messages.slice(0, Math.max(1, end));
}

type Judged = Pick<Look, 'agreed' | 'excused' | 'differences'>;
interface Pair {
  message: RecountedMessage;
  person: Unreader;
}

/** Who is owed what, and whether the ledger knows of it. */
async function judge(
  tx: Tx,
  messages: readonly RecountedMessage[],
  among: Unreader['userId'][] | null,
  now: Date,
): Promise<Judged> {
  const settled = messages.filter(({ editedAt }) => editedAt === null || editedAt <= before(now, settleMs));
  const owed = await owedPairs(tx, settled, among);
  const entries = await ledgerOf(tx, owed.map(toKey));
  const judged: Judged = { agreed: 0, excused: 0, differences: [] };
  owed.forEach((pair, index) => {
    const kind = faultOf(entries[index] as LedgerEntry);
    if (kind === undefined) judged.agreed += 1;
    else if (pair.person.ruledSince) judged.excused += 1;
    else judged.differences.push(toDifference(kind, pair));
  });
  return judged;
}

async function owedPairs(
  tx: Tx,
  messages: readonly RecountedMessage[],
  among: Unreader['userId'][] | null,
): Promise<Pair[]> {
  if (messages.length === 0) return [];
  const keyOf = ({ conversationId, seq }: { conversationId: string; seq: number }) => `${conversationId}/${seq}`;
  const byKey = new Map(messages.map((message) => [keyOf(message), message]));
  const people = await unreadersOf(tx, messages, among);
  return people
    .map((person) => ({ person, message: byKey.get(keyOf(person)) as RecountedMessage }))
    .filter(({ message, person }) => isOwed(message, person));
}

const toKey = ({ message: { conversationId, seq, createdAt }, person: { userId } }: Pair) => ({
  ...{ conversationId, seq, userId },
  since: idAt(before(createdAt, skewMs)),
});

const toDifference = (kind: (typeof kinds)[number], { message, person }: Pair): Found => ({
  ...{ ...noDifference, kind, userId: person.userId },
  ...{ conversationId: message.conversationId, seq: message.seq },
});

/** Ends that say that there was nothing to tell. They contradict a message that is unread and owed. */
const denying = new Set<string | null>(['read', 'nothing-notifiable']);

function faultOf({ carriedBy, leftEpisode, announced }: LedgerEntry): (typeof kinds)[number] | undefined {
  if (carriedBy !== null) return carriedBy === 'quiet' ? 'wrong_outcome' : undefined;
  if (leftEpisode === null) return announced ? undefined : 'not_armed';
  if (!leftEpisode.closed) return announced ? undefined : 'wrong_outcome';
  return denying.has(leftEpisode.outcome) && !announced ? 'wrong_outcome' : undefined;
}
