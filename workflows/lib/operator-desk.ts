import { defineSearchAttributeKey } from '@temporalio/common';
import { ApplicationFailure, defineUpdate, log, setHandler, upsertSearchAttributes } from '@temporalio/workflow';
import type {
  EscalateUnreadInput,
  OperatorAnswer,
  OperatorRequest,
  SnoozeRequest,
  StuckStep,
} from '../../contracts/workflows/escalate-unread.ts';
import {
  type Channel,
  channels,
  operatorRefusals,
  operatorUpdates,
  providerOf,
  searchAttributes,
} from '../../contracts/workflows/names.ts';

const NeedsAttention = defineSearchAttributeKey('NeedsAttention', searchAttributes.NeedsAttention);
const AttentionReason = defineSearchAttributeKey('AttentionReason', searchAttributes.AttentionReason);
const AttentionProvider = defineSearchAttributeKey('AttentionProvider', searchAttributes.AttentionProvider);

/** Minutes that a stuck step may be snoozed: a week. */
const maxSnoozeMinutes = 7 * 24 * 60;

/**
 * What a person can do about a step that is stuck: try again, strike it off, put it off, or end the episode. A failure
 * that a human can mend is a state, not a crash: a search attribute finds it, the page says what happened.
 */
export interface OperatorDesk {
  readonly stuck: readonly StuckStep[];
  readonly skipped: readonly Channel[];
  readonly closed: boolean;
  /** The last thing that somebody did, in words. */
  readonly lastAction: string | undefined;
  report(step: StuckStep): void;
  /** Takes the steps that shall be tried again now. */
  takeRetries(): StuckStep[];
  /** When the first snoozed step comes back by itself. */
  readonly snoozedUntil: string | undefined;
  /** Tells a person that it cannot be decided what comes next, and no more when it can again. */
  undecided(code: string | undefined): void;
  /** All of it, for a new run. */
  carry(): Carried;
}

type Carried = NonNullable<EscalateUnreadInput['carried']>;
interface Story {
  wake: () => void;
  /** Ends what is under way; resolves when nothing of it can be sent any more. */
  stopSteps: () => Promise<void>;
}

export function openOperatorDesk(carried: Carried | undefined, { wake, stopSteps }: Story): OperatorDesk {
  let stuck: StuckStep[] = carried?.stuck ?? [];
  let retries: StuckStep[] = carried?.retries ?? [];
  const skipped: Channel[] = [...(carried?.skipped ?? [])];
  const snoozed = new Map((carried?.snoozed ?? []).map(({ channel, until }) => [channel, until]));
  let closed = carried?.closed ?? false;
  let lastAction = carried?.lastAction;
  let cannotDecide: string | undefined;

  const publish = () => {
    const reason = stuck[0]?.reason ?? (cannotDecide === undefined ? undefined : 'decision_failing');
    upsertSearchAttributes([
      { key: NeedsAttention, value: reason !== undefined },
      { key: AttentionReason, value: reason ?? null },
      { key: AttentionProvider, value: stuck.length > 0 ? stuck.map(({ channel }) => providerOf[channel]) : null },
    ]);
  };
  const remove = (steps: readonly StuckStep[]) => {
    stuck = stuck.filter((step) => !steps.includes(step));
    for (const { channel } of steps) snoozed.delete(channel);
  };
  const take = ({ channel }: OperatorRequest): StuckStep[] => {
    const taken = stuck.filter((step) => channel === undefined || step.channel === channel);
    remove(taken);
    return taken;
  };
  const done = ({ by, note }: OperatorRequest, message: string): OperatorAnswer => {
    lastAction = `${message} (${by}${note ? `: ${note}` : ''})`;
    log.info('an operator acted', { action: message });
    wake();
    return { done: true, message };
  };
  const names = (steps: readonly StuckStep[]) => steps.map(({ channel }) => channel).join(' and ');

  const validator = (request: OperatorRequest) => checkRequest(request, stuck);
  setHandler(
    defineUpdate<OperatorAnswer, [OperatorRequest]>(operatorUpdates.retry),
    (request) => {
      const taken = take(request);
      retries.push(...taken);
      publish();
      return done(request, `${names(taken)} is tried again now`);
    },
    { validator, description: 'Try the stuck step again now. {"by": "you", "channel": "push"}' },
  );
  setHandler(
    defineUpdate<OperatorAnswer, [OperatorRequest]>(operatorUpdates.skip),
    (request) => {
      const taken = take(request);
      skipped.push(...taken.map(({ channel }) => channel));
      publish();
      return done(request, `${names(taken)} is struck off; the ladder goes on`);
    },
    { validator, description: 'Strike the stuck step off and go on. {"by": "you"}' },
  );
  setHandler(
    defineUpdate<OperatorAnswer, [SnoozeRequest]>(operatorUpdates.snooze),
    (request) => {
      const until = new Date(Date.now() + request.minutes * 60_000).toISOString();
      const matching = stuck.filter(({ channel }) => request.channel === undefined || channel === request.channel);
      for (const { channel } of matching) snoozed.set(channel, until);
      return done(request, `${names(matching)} is tried again at ${until}`);
    },
    {
      validator: (request: SnoozeRequest) => {
        checkRequest(request, stuck);
        checkMinutes(request);
      },
      description: 'Try the stuck step again by itself later. {"by": "you", "minutes": 30}',
    },
  );
  setHandler(
    defineUpdate<OperatorAnswer, [OperatorRequest]>(operatorUpdates.close),
    async (request) => {
      closed = true;
      retries = [];
      remove(stuck);
      publish();
      await stopSteps();
      return done(request, 'the episode is closed; nothing more is sent for what is unread now');
    },
    { validator: checkWho, description: 'End the episode. {"by": "you", "note": "why"}' },
  );

  if (stuck.length > 0) publish();
  return {
    get stuck() {
      return stuck;
    },
    skipped,
    get closed() {
      return closed;
    },
    get lastAction() {
      return lastAction;
    },
    report(step) {
      // It came of a step that close has ended: nobody need look.
      if (closed) return;
      stuck = [...stuck.filter(({ channel }) => channel !== step.channel), step];
      publish();
    },
    takeRetries() {
      const now = Date.now();
      const due = stuck.filter(({ channel }) => Date.parse(snoozed.get(channel) ?? '') <= now);
      if (due.length > 0) {
        remove(due);
        publish();
      }
      const taken = [...retries, ...due];
      retries = [];
      return taken;
    },
    get snoozedUntil() {
      return [...snoozed.values()].sort()[0];
    },
    undecided(code) {
      if (code === cannotDecide) return;
      cannotDecide = code;
      publish();
    },
    carry: () => ({
      stuck: [...stuck],
      retries: [...retries],
      skipped: [...skipped],
      snoozed: [...snoozed].map(([channel, until]) => ({ channel, until })),
      closed,
      ...(lastAction === undefined ? {} : { lastAction }),
    }),
  };
}

// Validators are synchronous, or the SDK would never wait for their refusal.
function checkWho(request: OperatorRequest): void {
  const who = request as Partial<OperatorRequest> | null | undefined;
  if (typeof who?.by !== 'string' || who.by.trim() === '' || who.by.length > 100) {
    throw refusal('Say who you are: {"by": "your name"}.');
  }
  if (who.note !== undefined && (typeof who.note !== 'string' || who.note.length > 500)) {
    throw refusal('"note" must be a text of at most 500 characters.');
  }
  if (who.channel !== undefined && !channels.includes(who.channel)) {
    throw refusal(`"channel" must be one of ${channels.join(', ')}.`);
  }
}

function checkRequest(request: OperatorRequest, stuck: readonly StuckStep[]): void {
  checkWho(request);
  if (stuck.length === 0) throw nothingStuck('No step of this episode is stuck; there is nothing to mend.');
  if (request.channel && !stuck.some(({ channel }) => channel === request.channel)) {
    throw nothingStuck(`${request.channel} is not stuck; stuck is ${stuck.map(({ channel }) => channel).join(', ')}.`);
  }
}

function checkMinutes({ minutes }: SnoozeRequest): void {
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= maxSnoozeMinutes) return;
  throw refusal(`"minutes" must be a whole number from 1 to ${maxSnoozeMinutes}.`);
}

const refusal = (message: string) => ApplicationFailure.nonRetryable(message, operatorRefusals.badRequest);
const nothingStuck = (message: string) => ApplicationFailure.nonRetryable(message, operatorRefusals.nothingStuck);
