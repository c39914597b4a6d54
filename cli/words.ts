import type {
  AttemptStory,
  EpisodeStory,
  FactorsRemoved,
  Job,
  JobBulkAnswer,
  JobDetails,
  Reconciliation,
  UserStory,
  Why,
} from '../contracts/entities/index.ts';

/** The answer first, then what it rests on. */
export function whyInWords({ terminal, gates, episode, read, message }: Why): string {
  return [
    `${terminal.outcome}: ${terminal.sentence} (${terminal.reason}${terminal.at ? `, ${terminal.at}` : ''})`,
    `Message ${message.seq} of ${message.conversationId}, sent ${message.createdAt}, ${read ? 'read' : 'not read'}.`,
    '',
    'As it stands now:',
    ...gates.map(
      ({ gate, passed, sentence }) => `  ${passed ? 'yes' : 'NO '} ${gate}${sentence ? `: ${sentence}` : ''}`,
    ),
    ...(episode ? ['', ...episodeInWords(episode)] : []),
  ].join('\n');
}

export function storyInWords({ person, items, nextCursor }: UserStory): string {
  const contact = (kind: string, value: UserStory['person']['email']) =>
    `${kind} ${value ? `${value.masked} (${value.verified ? 'verified' : 'unverified'}${value.suppressed ? `, ${value.suppressed}` : ''})` : 'none'}`;
  return [
    `${person.displayName} ${person.id}, ${person.status}, ${person.timeZone}`,
    `${contact('mail', person.email)} · ${contact('phone', person.phone)} · ${person.devices.length} devices`,
    ...items.flatMap((episode) => ['', ...episodeInWords(episode)]),
    ...(nextCursor ? ['', `More: --cursor ${nextCursor}`] : []),
  ].join('\n');
}

export function attemptInWords({ userId, episode, attempt, decision, messages }: AttemptStory): string {
  const heard = attempt.events.map(
    ({ at, source, kind, code }) => `  ${at}  ${source} said ${kind}${code ? ` (${code})` : ''}`,
  );
  return [
    `${attempt.channel} to ${userId}, episode ${episode}: ${attempt.sentence}${attempt.errorCode ? ` (${attempt.errorCode})` : ''}`,
    ...(decision ? [`  ${decision.at}  decided: ${decision.sentence} (${decision.reason})`] : []),
    `  ${attempt.claimedAt}  claimed${attempt.providerId ? `, at the provider ${attempt.providerId}` : ''}`,
    ...heard,
    ...messages.map(
      ({ id, conversationId, seq, createdAt }) =>
        `  tells message ${seq} of ${conversationId}, sent ${createdAt}: ${id}`,
    ),
  ].join('\n');
}

export function factorsRemovedInWords(id: string, { totp, passkeys, recoveryCodes, sessions }: FactorsRemoved): string {
  if (!totp && passkeys === 0) return `${id} has no second factor; nothing was changed.`;
  const what = [...(totp ? ['an authenticator app'] : []), `${passkeys} passkeys`, `${recoveryCodes} recovery codes`];
  return `Taken away from ${id}: ${what.join(', ')}. ${sessions} sessions ended; their sockets close within two seconds.`;
}

/** Whether everybody was told, first; then how far that was looked at. */
export function reconciliationInWords(
  { differences, walks, items, nextCursor }: Reconciliation,
  rearmed: number | undefined,
): string {
  const kinds = Object.entries(differences).filter(([, count]) => count > 0);
  const all = kinds.reduce((sum, [, count]) => sum + count, 0);
  const ofWhat = ({ userId, conversationId, seq, episode, attemptId }: Reconciliation['items'][number]) =>
    [
      userId,
      ...(conversationId ? [`message ${seq} of ${conversationId}`] : []),
      ...(episode ? [`episode ${episode}`] : []),
      ...(attemptId ? [`attempt ${attemptId}`] : []),
    ].join(', ');
  return [
    `${all} differences${all > 0 ? `: ${kinds.map(([kind, count]) => `${kind} ${count}`).join(', ')}` : ''}`,
    ...items.map((item) => `  ${item.foundAt}  ${item.kind}: ${ofWhat(item)}`),
    ...(nextCursor ? [`More: --cursor ${nextCursor}`] : []),
    ...walks.map(
      ({ name, through, behindSeconds }) => `${name}: through ${through}, ${Math.round(behindSeconds)} s behind`,
    ),
    ...(rearmed === undefined ? [] : [`${rearmed} messages are armed again by the relay.`]),
  ].join('\n');
}

function episodeInWords({ episode, openedAt, closedAt, outcome, workflow, next, ...told }: EpisodeStory): string[] {
  const decisions = told.decisions.map(({ at, step, outcome: came, reason, sentence, until }) => ({
    at,
    line: `${step} ${came}: ${sentence} (${reason}${until ? `, until ${until}` : ''})`,
  }));
  const attempts = told.attempts.flatMap(({ channel, claimedAt, sentence, errorCode, providerId, events }) => [
    {
      at: claimedAt,
      line: `${channel} tried: ${sentence}${errorCode ? ` (${errorCode})` : ''}${providerId ? ` [${providerId}]` : ''}`,
    },
    ...events.map(({ at, source, kind, code }) => ({ at, line: `${source} said ${kind}${code ? ` (${code})` : ''}` })),
  ]);
  const lines = [...decisions, ...attempts].sort((a, b) => a.at.localeCompare(b.at));
  return [
    `Episode ${episode}, since ${openedAt}${closedAt ? `, ended ${closedAt}: ${outcome}` : ', goes on'}`,
    ...lines.map(({ at, line }) => `  ${at}  ${line}`),
    ...(next ? [`  next: ${next.step} at ${next.at}: ${next.sentence}`] : []),
    ...(workflow
      ? [`  workflow ${workflow.id} ${workflow.runId ?? ''}${workflow.url ? `\n  ${workflow.url}` : ''}`]
      : []),
  ];
}

/** Each with where it was posted to and all of it: without that nobody can say what it is. */
export function unreadableInWords(
  reports: readonly {
    id: number;
    source: string;
    reason: string;
    receivedAt: Date;
    pathAndQuery: string;
    body: string;
  }[],
): string {
  const lines = reports.flatMap(({ id, source, reason, receivedAt, pathAndQuery, body }) => [
    `${id}  ${receivedAt.toISOString()}  ${source}: ${reason}`,
    `  ${pathAndQuery}`,
    `  ${body}`,
  ]);
  return reports.length === 0 ? 'Everything was understood.' : lines.join('\n');
}

export function jobsInWords({ items, nextCursor }: { items: Job[]; nextCursor: string | null }): string {
  if (items.length === 0) return 'No job needs a person.';
  return [...items.map(lineOf), ...(nextCursor ? [`More: --cursor ${nextCursor}`] : [])].join('\n');
}

const lineOf = ({ id, reason, providers, startedAt }: Job) =>
  `${id}  ${reason ?? 'needs attention'}${providers.length > 0 ? ` (${providers.join(', ')})` : ''}, since ${startedAt}`;

export function jobInWords({ details, remedies, url, ...job }: JobDetails): string {
  return [
    job.needsAttention ? lineOf({ ...job, url }) : `${job.id}  ${job.state}, since ${job.startedAt}`,
    ...(details ? ['', details] : []),
    '',
    remedies.length > 0 ? `You may: ${remedies.join(', ')}.` : 'Nothing can be asked of it.',
    ...(url ? [url] : []),
  ].join('\n');
}

export function bulkInWords({ dryRun, matched, done, passed, failures, wouldAsk, stopped }: JobBulkAnswer): string {
  if (dryRun) return [`${matched} would be asked.`, ...wouldAsk].join('\n');
  return [
    `${matched} matched: ${done} done, ${passed} needed nothing any more, ${failures.length} failed.`,
    ...failures.map(({ id, code, detail }) => `${id}  ${code}: ${detail}`),
    ...(stopped ? [`It broke off: ${stopped.detail} What was done stays done; say the same again to go on.`] : []),
  ].join('\n');
}

/** The latest first. Without any, those of the configuration sign. */
export function keysInWords(
  keys: readonly { kid: string; place: string; signsFrom: Date; signsUntil: Date | null }[],
): string {
  const bySetting = keys.some(({ place }) => place === 'current')
    ? []
    : ['Until one does, the first key of HOMING_JWT_KEYS signs.'];
  const listed = keys.map(({ kid, place, signsFrom, signsUntil }) => {
    const until = signsUntil ? ` to ${signsUntil.toISOString()}` : '';
    return `${kid}  ${place}, signs from ${signsFrom.toISOString()}${until}`;
  });
  return [...listed, ...bySetting].join('\n');
}
