import { z } from 'zod';
import { UserId } from '../ids.ts';
import { type Channel, type Urgency, channels } from './names.ts';

const channel = z.enum(channels);
const stuckStep = z.strictObject({
  channel,
  attemptId: z.string(),
  conversationIds: z.array(z.string()),
  reason: z.string(),
  code: z.string(),
  since: z.string(),
  /** The attempt that it takes the place of, as far as nothing was claimed yet. */
  instead: z.string().optional(),
});

/**
 * Input of `escalateUnread`: ids only. It stands in histories for as long as they are kept, and a running episode
 * outlives a release: fields are added as optional, never renamed.
 */
export const EscalateUnreadInput = z.strictObject({
  userId: UserId,
  episode: z.int().positive(),
  /** Where the story stands when a long history is left behind (continue-as-new). */
  carried: z
    .strictObject({
      stuck: z.array(stuckStep),
      /** Of releases in which a skip ended all of a channel. Nobody goes by it any more. */
      skipped: z.array(channel).optional(),
      /** Attempts that an operator has struck off. */
      struckOff: z.array(z.string()).optional(),
      /** Asked for by an operator, not yet begun. */
      retries: z.array(stuckStep).optional(),
      snoozed: z.array(z.strictObject({ channel, until: z.string() })).optional(),
      closed: z.boolean().optional(),
      lastAction: z.string().optional(),
    })
    .optional(),
});
export type EscalateUnreadInput = z.infer<typeof EscalateUnreadInput>;
/** A step that failed in a way that a person must mend. */
export type StuckStep = z.infer<typeof stuckStep>;
export type EpisodeRef = Pick<EscalateUnreadInput, 'userId' | 'episode'>;

/** How an episode ended, in words. */
export type EscalateUnreadOutcome =
  | 'read'
  | 'every-step-spent'
  | 'nothing-notifiable'
  | 'closed-by-operator'
  | 'expired';

/** What the decision says to do now. */
export type Plan = NextStep & {
  /** Attempts that were stuck, and of which it is known by now what became of them. */
  settled?: string[];
};

type NextStep =
  /** `until`: when another step falls due, whether or not this one is through by then. */
  | {
      kind: 'notify';
      channel: Channel;
      attemptId: string;
      conversationIds: string[];
      until: string;
      retry: RetryPlan;
      /** It tells of something urgent: for the first time, or once more. */
      alert?: 'urgent' | 'repeat';
      /** Where it stands in its provider's queue; left out by releases that knew no such order. */
      urgency?: Urgency;
    }
  /** `decision`: what comes next could not be decided yet, and `why` is the failure's code. */
  | { kind: 'wait'; until: string; next: Channel | 'operator' | 'decision'; why: string }
  | { kind: 'finished'; outcome: EscalateUnreadOutcome };

/** How patiently a step is tried: data from the deployment's settings, so that no workflow code holds it. */
export interface RetryPlan {
  firstMs: number;
  maxMs: number;
  /** So long a provider that fails at once is tried; the time in its queue does not count. */
  giveUpMs: number;
  /** A worker that was not heard from for so long is taken for dead. */
  heartbeatMs: number;
}

export interface DecideInput extends EpisodeRef {
  workflowId: string;
  runId: string;
  /** Channels whose step is being tried right now. */
  underWay: Channel[];
  /** Those of them that tell of something urgent. Left out by releases in which nothing overtook anything. */
  urgentUnderWay?: Channel[];
  /** Steps that failed in a way that a person must mend; the ladder goes on without them meanwhile. */
  stuck: Pick<StuckStep, 'channel' | 'attemptId'>[];
  /** Attempts that an operator has struck off in this episode. */
  struckOff: string[];
  /** A person has ended the episode by hand. */
  closed: boolean;
}

export interface NotifyInput extends EpisodeRef {
  attemptId: string;
  conversationIds: string[];
  /** A person has asked for another try of an attempt that had failed. */
  again?: boolean;
  alert?: 'urgent' | 'repeat' | undefined;
  /** The attempt that it takes the place of: tried no more, and told along where no provider has heard of it. */
  instead?: string | undefined;
}

/** What came of a step. A provider's refusal that a retry cannot mend is an answer, not an exception. */
export type NotifyResult =
  | { result: 'sent' }
  | { result: 'not-needed'; reason: string }
  | { result: 'unreachable'; reason: string }
  /** The provider is out of order; the same attempt is tried again then. */
  | { result: 'deferred'; until: string }
  | { result: 'stuck'; reason: string; code: string };

/** Who asks, for which channel (all stuck ones when left out), and why. */
export interface OperatorRequest {
  by: string;
  channel?: Channel;
  note?: string;
}
export interface SnoozeRequest extends OperatorRequest {
  minutes: number;
}
/** What happened, in words, for the operator who pressed the button. */
export interface OperatorAnswer {
  done: boolean;
  message: string;
}
