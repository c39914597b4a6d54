import type { ConversationId } from '../../contracts/ids.ts';
import type { Ladder, Presence } from '../deps.ts';
import type { Reason } from './situation.ts';

/** What a push waits for, before its person has had the chance to read what they were told live. */
export interface Grace {
  /** From the oldest message that was not announced. */
  ms: number;
  why: Extract<Reason, 'burst_window' | 'idle_grace' | 'awaiting_acknowledgement' | 'presence_grace' | 'focused_grace'>;
}

/** What is unread in one conversation, as far as a presence has to do with it. */
export interface Unseen {
  conversationId: ConversationId;
  since: Date;
  lastAt: Date;
  /** A client of the person's has said that it holds all of it. */
  acknowledged: boolean;
}

/**
 * How long a push waits for who is there. Being connected counts for nothing without the client's word that it has the
 * message: a lid that was closed leaves a connection behind that looks alive for most of a minute. Who is connected and
 * does nothing waits hardly longer than who is away; a presence that nobody knows is none.
 */
export function graceFor(
  presence: Presence,
  { conversationId, since, lastAt, acknowledged }: Unseen,
  { ladder, graceSeconds }: { ladder: Ladder; graceSeconds: number | null },
): Grace {
  if (presence === 'unknown' || presence.length === 0) return { ms: ladder.pushMs, why: 'burst_window' };
  const active = presence.filter(({ state }) => state === 'active');
  if (active.length === 0) return { ms: Math.max(ladder.pushMs, ladder.pushIdleMs), why: 'idle_grace' };
  const isFocused = active.some(({ viewing }) => viewing === conversationId);
  const chosen = graceSeconds === null ? ladder.pushPresentMs : graceSeconds * 1_000;
  const full: Grace = isFocused
    ? { ms: ladder.pushFocusedMs, why: 'focused_grace' }
    : { ms: Math.max(ladder.pushMs, chosen), why: 'presence_grace' };
  // Counted from the newest message, of which nothing was heard yet; a chatty sender makes the whole no longer for that.
  const heardBy = lastAt.getTime() - since.getTime() + ladder.acknowledgeMs;
  return acknowledged || heardBy >= full.ms
    ? full
    : { ms: Math.max(ladder.pushMs, heardBy), why: 'awaiting_acknowledgement' };
}

/** The devices that something is done with right now. */
export const activeDevices = (presence: Presence): ReadonlySet<string> =>
  new Set(
    presence === 'unknown'
      ? []
      : presence.flatMap(({ state, deviceId }) => (state === 'active' && deviceId !== null ? [deviceId] : [])),
  );
