/**
 * Names that stand in histories and in the Temporal UI. They outlive releases: a name may be added, never changed.
 * Values only, no schemas: workflow code imports this file, and zod has no place in its bundle.
 */
export const workflowNames = {
  escalateUnread: 'escalateUnread',
  sendVerification: 'sendVerification',
  sendNotice: 'sendNotice',
} as const;

/** The relay's only word to a running episode. It carries nothing: the workflow reads the database again. */
export const nudgeSignal = 'nudge';

/** What an operator may do with an episode that needs attention. Each is an Update that answers what happened. */
export const operatorUpdates = { retry: 'retry', skip: 'skip', snooze: 'snooze', close: 'close' } as const;

/** Types of the failures by which an Update is refused before anything of it is written. */
export const operatorRefusals = { badRequest: 'OperatorRequestRefused', nothingStuck: 'NothingStuck' } as const;

export const channels = ['push', 'email', 'sms'] as const;
export type Channel = (typeof channels)[number];

/** Whose service each channel is, in the order of the channels. */
export const providers = ['fcm', 'sendgrid', 'twilio'] as const;
export type Provider = (typeof providers)[number];
export const providerOf = { push: 'fcm', email: 'sendgrid', sms: 'twilio' } as const satisfies Record<
  Channel,
  Provider
>;

/** One queue for the stories, one for each provider: a slow SMS provider must not starve push. */
export const taskQueues = { attention: 'attention', push: 'push', email: 'email', sms: 'sms' } as const;
export type TaskQueue = keyof typeof taskQueues;

/**
 * In which order a backlog is worked off, by Temporal's priority keys: codes that somebody waits for and what is urgent,
 * then the ordinary, then mail that gathers what has waited for hours anyway.
 */
export const priorities = { urgent: 1, ordinary: 3, gathered: 5 } as const;
export type Urgency = keyof typeof priorities;

/** Search attributes: opaque ids and closed words only, because they are never encrypted. Name → type. */
export const searchAttributes = {
  JobKind: 'KEYWORD',
  UserRef: 'KEYWORD',
  NeedsAttention: 'BOOL',
  AttentionReason: 'KEYWORD',
  AttentionProvider: 'KEYWORD_LIST',
} as const;
