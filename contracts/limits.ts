/**
 * Every limit that a client can meet, each with its unit, in one place. `GET /v1/limits` and the socket's `hello`
 * announce them; the schemas enforce them; tests stand on both sides of each.
 */
export const limits = {
  /** Characters (code points, as JSON Schema counts) of one message's text. */
  messageTextLength: 8_000,
  /** Mentions in one message. */
  messageMentions: 50,
  /** Edits of one message. */
  messageEdits: 100,
  /** Kinds of reactions to one message. */
  reactionKinds: 20,
  /** Pinned messages of one conversation. */
  pinnedMessages: 100,
  /** Urgent messages that one person may send in any 24 hours. */
  urgentPerDay: 20,
  /** Of those, how many one recipient may get, in whatever conversations they share. */
  urgentPerRecipient: 3,
  /** Windows of one person's quiet hours. */
  quietWindows: 20,
  /** Seconds that a person may give themselves to read something before it is pushed. */
  graceSeconds: 120,
  /** Conversations that the page behind a mail's link switches. */
  preferencesConversations: 50,
  /** Bytes of what that page posts. */
  preferencesFormBytes: 16_384,
  /** People that one person may block. */
  blocksPerUser: 1_000,
  /** Unread messages of one conversation that are counted; beyond, the count stays there. */
  unreadCounted: 10_000,
  /** Members of a group, its creator counted. */
  groupMembers: 1_000,
  /** Members of a channel. */
  channelMembers: 100_000,
  /** Members that a conversation may have for names to be told of them: in snapshots, receipts and live events. */
  namedMembers: 100,
  /** People added in one call. */
  membersPerCall: 100,
  /** Open invitations of one conversation. */
  invitesPerConversation: 50,
  /** Seconds that an invitation may be good for: ninety days. */
  inviteSeconds: 7_776_000,
  /** Seconds that it is good for when nothing is said: seven days. */
  inviteSecondsByDefault: 604_800,
  /** Characters of a conversation's title. */
  titleLength: 200,
  /** Characters of a conversation's description. */
  descriptionLength: 1_000,
  /** Characters of a person's display name. */
  displayNameLength: 100,
  /** Characters; the lower bound is for passwords that stand alone, without a second factor (NIST SP 800-63B-4). */
  passwordLengthMin: 15,
  /** The same where a second factor stands beside it. */
  passwordLengthMinBesideFactor: 8,
  passwordLengthMax: 128,
  /** Wrong passwords in an hour for one address or number, from wherever, of which the audit says nothing. */
  wrongPasswordsUnnotedPerHour: 9,
  /** Wrong or right guesses in an hour at the password of who is signed in: in one session, and in all of a person. */
  passwordTriesPerSessionAndHour: 10,
  passwordTriesPerHour: 100,
  /** Codes that one person may ask for in an hour, and that one address or number is sent, whoever asks. */
  codesPerHour: 10,
  codesPerTargetAndHour: 5,
  codesPerTargetAndDay: 15,
  /** Times in an hour and a day that one address or number may be told that its password was forgotten. */
  resetsPerTargetAndHour: 3,
  resetsPerTargetAndDay: 6,
  /** Items of one page of a list. */
  pageItems: 200,
  /** Events of one conversation in one catch-up answer; a client farther behind gets a snapshot. */
  catchUpEvents: 500,
  /** Episodes of one page of a person's story, and the latest decisions and attempts of each that it tells. */
  storyEpisodes: 20,
  storyEntriesPerEpisode: 200,
  /** Messages that the story of one notification names, the latest of those that it told. */
  messagesOfAttempt: 100,
  /** Jobs of one page, and those that one call of a bulk asks at most. */
  jobsPerPage: 100,
  jobsPerBulk: 200,
  /** Jobs that a bulk asks in a second, at most. */
  jobsPerSecond: 20,
  /** Seconds of one call of a bulk; what is left is for the next. */
  jobBulkSeconds: 20,
  /** Minutes that a stuck step may be snoozed (a week), and by which the age of a job may be asked for (a year). */
  jobSnoozeMinutes: 10_080,
  jobAgeMinutes: 525_600,
  /** Characters of an operator's note. */
  jobNoteLength: 500,
  /** Conversations named in one sync call. */
  syncConversations: 500,
  /** Devices of one person. */
  devicesPerUser: 20,
  /** Open sessions of one person; the least recently used gives way. */
  sessionsPerUser: 50,
  /** Seconds that a proof of who somebody is counts for what needs a recent one. */
  proofSeconds: 300,
  /** Seconds that a second factor is waited for, and that a passkey has to answer. */
  challengeSeconds: 300,
  /** Guesses at one such challenge, and of one session in `proofSeconds`. */
  factorGuesses: 5,
  /** Seconds that somebody may take at a provider elsewhere, and that the code which they come back with is good for. */
  oauthSeconds: 600,
  oauthCodeSeconds: 60,
  /** Seconds that a provider is waited for, each time it is asked. */
  oauthProviderSeconds: 5,
  /** Bytes of an answer from elsewhere, as it comes and as it unfolds; of its headers; and seconds until it is whole. */
  egressBodyBytes: 1_048_576,
  egressHeaderBytes: 16_384,
  egressSeconds: 10,
  /** Seconds in which a secret that was begun must be confirmed by its first code. */
  totpBeginSeconds: 600,
  /** Recovery codes that are given out together. */
  recoveryCodes: 10,
  /** Passkeys of one person. */
  passkeysPerUser: 20,
  /** Characters of a passkey's name. */
  passkeyNameLength: 100,
  /** Open tokens of one person, or of one bot. */
  tokensPerUser: 20,
  /** Characters of a token's name. */
  tokenNameLength: 100,
  /** Seconds that a token may be good for: a year. */
  tokenSeconds: 31_536_000,
  /** Seconds that it is good for when nothing is said: ninety days. */
  tokenSecondsByDefault: 7_776_000,
  /** Bots of one person. */
  botsPerUser: 10,
  /** Bytes of a REST request's body. */
  requestBodyBytes: 262_144,
  /** Bytes of what a provider reports in one post: SendGrid gathers up to 768 KiB. */
  reportBodyBytes: 1_048_576,
  /** Posts of one provider in a second that a node takes: a signature of SendGrid's costs milliseconds to look at. */
  sendGridPostsPerSecond: 50,
  twilioPostsPerSecond: 500,
  /** Bytes of one socket frame. */
  socketFrameBytes: 131_072,
  /** Packets of one socket in a second, of whatever kind; beyond, it is closed. Ten times what a busy client sends. */
  socketPacketsPerSecond: 2_000,
  /** Bytes of an FCM registration token (they are opaque; seen: about 160). */
  pushTokenBytes: 4_096,
} as const;
