import { type EpisodeStory, type Gate, type Reason, type Why, gateNames } from '../../contracts/entities/index.ts';
import type { MessageId, UserId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import { promptMs } from '../../db/queries/outbox.ts';
import { ruleLookOf } from '../../db/queries/past-rules.ts';
import { type GatesRow, episodesPage, gatesOf } from '../../db/queries/stories.ts';
import { commit } from '../commit.ts';
import type { Deps } from '../deps.ts';
import { notFound } from '../errors.ts';
import { type By, audit } from '../audit/index.ts';
import { sentences } from './sentences.ts';
import { tellEpisodes } from './tell-episodes.ts';

type WhyDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive' | 'workflowUrl'>;

/** Why a message did or did not reach a person: one answer, every gate, and what was decided and tried for it. */
export async function explainMessage(
  deps: WhyDeps,
  by: By,
  { messageId, userId }: { messageId: MessageId; userId: UserId },
): Promise<Why> {
  return commit(deps, async (tx) => {
    const found = await gatesThen(tx, deps, { messageId, userId });
    if (!found) throw notFound();
    const { row, gates, gatesAt } = found;
    const episode = await episodeOf(tx, deps, userId, row, gates);
    const terminal = terminalOf(row, gates, episode);
    const { id, conversationId, seq, createdAt, level, mentioned, urgent, read } = row;
    const message = { id, conversationId, seq, createdAt: createdAt.toISOString() };
    const value: Why = { message, userId, terminal, gates, gatesAt, level, mentioned, urgent, read, episode };
    await audit(tx, deps, by, { action: 'why', userId, messageId });
    return { value };
  });
}

interface GatesThen {
  row: GatesRow;
  gates: Gate[];
  gatesAt: string;
}

/**
 * The gates as they were when the relay asked them. Mostly that was within a moment, of which only the two ends are known:
 * where one of them kept the message back, that one is told, unless there is more than the rules to tell that it was armed.
 */
async function gatesThen(
  tx: Tx,
  { now }: Pick<Deps, 'now'>,
  of: { messageId: MessageId; userId: UserId },
): Promise<GatesThen | undefined> {
  const look = await ruleLookOf(tx, of.messageId);
  if (!look) return undefined;
  const prompt = [look.createdAt, new Date(look.createdAt.getTime() + promptMs)];
  const instants = look.owed ? [now()] : look.lookedAt ? [look.lookedAt] : prompt;
  let last: GatesThen | undefined;
  for (const at of instants) {
    const row = await gatesOf(tx, { ...of, at });
    if (!row) return undefined;
    last = { row, gates: toGates(row), gatesAt: at.toISOString() };
    if (blocking(last.gates) || wasArmed(row)) break;
  }
  return last;
}

const wasArmed = ({ armedIn, announcedIn, calledOffIn }: GatesRow) =>
  [armedIn, announcedIn, calledOffIn].some((episode) => episode !== null);

function toGates(row: GatesRow): Gate[] {
  return gateNames.map((gate) => {
    const reason = row.gates[gate] ? null : reasonOf[gate](row);
    return { gate, passed: reason === null, reason, sentence: reason && sentences[reason] };
  });
}

const reasonOf: Record<(typeof gateNames)[number], (row: GatesRow) => Reason> = {
  active: ({ isBot }) => (isBot ? 'bot' : 'account_inactive'),
  member: () => 'not_member',
  text: () => 'system_message',
  notDeleted: () => 'message_deleted',
  notOwn: () => 'own_message',
  visible: () => 'not_member',
  notBlocked: () => 'blocked_sender',
  notMuted: () => 'muted_conversation',
  level({ level, inThread, followsThread, mentioned }) {
    if (level === 'nothing') return 'level_nothing';
    return inThread && !followsThread && (level === 'all' || mentioned) ? 'thread_not_followed' : 'level_mentions_only';
  },
  unread: () => 'read_before_send',
};

/**
 * The episode that the message belonged to: the one that announced it, the one in which it is armed or was called off,
 * else the one that was open when it was sent. That last is a guess, so it is made only for what would have been armed.
 */
async function episodeOf(
  tx: Tx,
  deps: WhyDeps,
  userId: UserId,
  row: GatesRow,
  gates: readonly Gate[],
): Promise<EpisodeStory | null> {
  const kept = blocking(gates);
  // Of a deleted message it is known only by that whether it called for anybody.
  const guess = kept ? (kept.gate === 'notDeleted' ? row.calledOffIn : null) : (row.calledOffIn ?? row.openThen);
  const number = row.announcedIn ?? row.armedIn ?? guess;
  if (number === null) return null;
  const page = await episodesPage(tx, userId, { before: number + 1, limit: 1 });
  const [story] = await tellEpisodes(tx, deps, userId, page);
  return story ? { ...story, attempts: story.attempts.filter(({ covers }) => covers.some(holds(row))) } : null;
}

const holds =
  ({ conversationId, seq }: GatesRow) =>
  (cover: { conversationId: string; fromSeq: number; toSeq: number }) =>
    cover.conversationId === conversationId && cover.fromSeq <= seq && seq <= cover.toSeq;

/** The first gate that says why nobody was to be told. Reading is none of these: it ends what had begun. */
const blocking = (gates: readonly Gate[]) => gates.find(({ gate, passed }) => !passed && gate !== 'unread');

type Terminal = Why['terminal'];
const toTerminal = (outcome: Terminal['outcome'], reason: Reason, at: string | null = null): Terminal => ({
  outcome,
  reason,
  sentence: sentences[reason],
  at,
});

/**
 * The one answer. What was done counts first: whoever was pushed and muted the conversation afterwards was pushed, and what
 * was called off after it had begun was cancelled.
 */
function terminalOf(row: GatesRow, gates: readonly Gate[], episode: EpisodeStory | null): Terminal {
  const sent = episode?.attempts.find(({ state }) => state === 'accepted');
  if (sent) return toTerminal('sent', 'announced', sent.finishedAt);
  const block = blocking(gates);
  const calledOff = episode?.decisions.find(
    ({ step, conversationId, at }) =>
      step === 'conversation' && conversationId === row.conversationId && at >= row.createdAt.toISOString(),
  );
  if (block?.reason && !(calledOff && block.gate === 'notDeleted')) return toTerminal('skipped', block.reason);
  if (calledOff) return toTerminal('cancelled', calledOff.reason, calledOff.at);
  // In the grace nobody decides: the relay closes what was read.
  if (row.read && episode?.attempts.every(({ state }) => state === 'dropped') !== false)
    return toTerminal('cancelled', 'read_before_send', episode?.closedAt ?? null);
  if (!episode) return toTerminal('deferred', 'not_yet_armed');
  const ended = episode.decisions.findLast(({ step }) => step === 'episode');
  if (ended) return { ...toTerminal(ended.outcome, ended.reason, ended.at) };
  if (episode.outcome === 'workflow-lost') return toTerminal('cancelled', 'workflow_lost', episode.closedAt);
  if (episode.outcome === 'read') return toTerminal('cancelled', 'read_before_send', episode.closedAt);
  if (episode.next?.step === 'operator') return toTerminal('failed', 'needs_operator');
  return toTerminal('deferred', episode.next?.reason ?? 'under_way', episode.next?.at ?? null);
}
