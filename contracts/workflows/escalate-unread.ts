import { z } from 'zod';
import { UserId } from '../ids.ts';
import { type Channel, channels } from './names.ts';

/**
 * Input of `escalateUnread`: ids only. It stands in histories for as long as they are kept, and a running episode
 * outlives a release: fields are added as optional, never renamed.
 */
export const EscalateUnreadInput = z.strictObject({ userId: UserId, episode: z.int().positive() });
export type EscalateUnreadInput = z.infer<typeof EscalateUnreadInput>;

/** How an episode ended, in words. */
export type EscalateUnreadOutcome =
  | 'read'
  | 'every-step-spent'
  | 'nothing-notifiable'
  | 'closed-by-operator'
  | 'expired';

/** What the decision says to do now. */
export type Plan =
  | { kind: 'notify'; channel: Channel; attemptId: string; conversationIds: string[]; retry: RetryPlan }
  | { kind: 'wait'; until: string; next: Channel | 'operator'; why: string }
  | { kind: 'finished'; outcome: EscalateUnreadOutcome };

/** How patiently a step is tried: data from the deployment's settings, so that no workflow code holds it. */
export interface RetryPlan {
  firstMs: number;
  maxMs: number;
  giveUpMs: number;
}

export interface DecideInput extends EscalateUnreadInput {
  workflowId: string;
  runId: string;
  /** Channels whose step failed in a way that a person must mend; the ladder goes on without them meanwhile. */
  stuck: Channel[];
  /** Channels whose step an operator skipped in this episode. */
  skipped: Channel[];
  /** True when nothing but stuck steps may still be owed to the operator's hand. */
  operatorDeadlinePassed: boolean;
}

export interface NotifyInput extends EscalateUnreadInput {
  attemptId: string;
  conversationIds: string[];
  /** A person has asked for another try of an attempt that had failed. */
  again?: boolean;
}

/** What came of a step. A provider's refusal that a retry cannot mend is an answer, not an exception. */
export type NotifyResult =
  | { result: 'sent' }
  | { result: 'not-needed'; reason: string }
  | { result: 'unreachable'; reason: string }
  | { result: 'stuck'; reason: string; code: string };

export const OperatorRequest = z.strictObject({
  channel: z.enum(channels).optional(),
  by: z.string().min(1).max(100),
  note: z.string().max(500).optional(),
});
/** Who asks, for which channel (all stuck ones when left out), and why. */
export type OperatorRequest = z.infer<typeof OperatorRequest>;
export type SnoozeRequest = OperatorRequest & { /** Minutes. */ minutes: number };
/** What happened, in words, for the operator who pressed the button. */
export interface OperatorAnswer {
  done: boolean;
  message: string;
}
