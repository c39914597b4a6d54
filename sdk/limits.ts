/**
 * What the client bounds by itself, each with its unit, in one place; the server's own limits stand in
 * contracts/limits.ts and come with the hello. `createClient` takes others.
 */
export const clientLimits = {
  /** Messages that may wait to be sent, over all conversations. */
  queuedMessages: 1_000,
  /** Refused messages that are kept to be shown, sent again or thrown away; beyond, the oldest are forgotten. */
  failedMessages: 100,
  /** Messages of one conversation in memory; beyond, the oldest are dropped and come again by paging. */
  messagesPerConversation: 500,
  /** Conversations that the storage keeps: those that were written in last. */
  keptConversations: 200,
  /** Messages that the storage keeps of each: the newest. */
  keptMessages: 50,
  /** Milliseconds after which what is kept is fetched whole: seven days. What the log does not tell, as names, is new then. */
  keptMs: 604_800_000,
  /** Milliseconds in which whatever moves is written to the storage in one go. */
  keepMs: 1_000,
  /** Events of one conversation that wait for the gap before them to be filled; what is beyond is fetched instead. */
  heldEvents: 200,
  /** Milliseconds after which, or after half as many, a sync is asked for without a sign that anything was lost. */
  resyncMs: 300_000,
  /** Milliseconds for which an event that was told of is waited for before it counts as lost. */
  lossMs: 2_000,
  /** Milliseconds from such a sync to the next, whatever is lost meanwhile: the digest comes as often. */
  resyncRestMs: 15_000,
  /** Messages of one conversation that were passed over and are told one by one: the latest; of the others `missed` tells. */
  missedMessages: 2_000,
  /** Live events that wait for the sync of a connect, over all conversations; what is beyond is fetched instead. */
  eventsBeforeSync: 2_000,
  /** Requests that wait for their answers at a time; further ones wait for a place. */
  parallelRequests: 8,
  /** Milliseconds in which reads and deliveries of one conversation become one request. */
  acknowledgeMs: 250,
  /** Milliseconds that `stop` waits for what was read to be told. */
  farewellMs: 2_000,
  /** Milliseconds in which a request must be answered; a connect must bring its hello in as many. */
  answerMs: 20_000,
  /** Milliseconds before its end from which an access token is renewed. */
  renewBeforeMs: 60_000,
  /** Milliseconds for which a connection must have stood before the waits between connects begin anew. */
  steadyMs: 5_000,
  /** Milliseconds: the first wait before something is tried again lies below this, and each next one below its double. */
  backoffBaseMs: 500,
  /** Milliseconds that no such wait passes. */
  backoffCapMs: 30_000,
};
export type ClientLimits = typeof clientLimits;
