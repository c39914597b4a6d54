import { defaultNotificationSettings } from '../../contracts/entities/index.ts';
import { placeOf, places } from '../../contracts/ids.ts';
import type { DecideInput, EscalateUnreadOutcome, Plan } from '../../contracts/workflows/escalate-unread.ts';
import type { Tx } from '../../db/client.ts';
import { type Channel, channels } from '../../contracts/workflows/names.ts';
import { armedConversations, disarm, disarmReadInThreads } from '../../db/queries/armed.ts';
import { coversOf, giveUpAttempts, outcomesOfEpisode, settledAttempts } from '../../db/queries/attempts.ts';
import { type DecisionRow, type LatestDecision, insertDecisions, latestDecisions } from '../../db/queries/decisions.ts';
import { devicesOf } from '../../db/queries/devices.ts';
import { closeEpisode, episodeOutcome, lockAttention, setWakesAt } from '../../db/queries/episodes.ts';
import { lookOnceAtScreens } from '../../db/queries/screens.ts';
import { notificationSettingsOf } from '../../db/queries/notification-settings.ts';
import { insertUnreached } from '../../db/queries/unreached.ts';
import { userById } from '../../db/queries/users.ts';
import { screenLimits } from '../calling-off/index.ts';
import { capsOf } from './caps.ts';
import type { CircuitName, Deps, Held, Presence } from '../deps.ts';
import { type Decision, decide, wanted } from './decide.ts';
import { unseenKeys, zoneOf } from './devices.ts';
import { heldChannels } from './outage.ts';
import type { Situation, StepDecision } from './situation.ts';
import { isSummaryDue } from './summary.ts';
import { suppressedOf } from './suppressions.ts';

type DecideDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'presence' | 'ladder' | 'caps' | 'mac' | 'circuits'>;

/**
 * The next thing to do for a person's episode. Reading, deciding, explaining and, at the end, closing are one transaction
 * under the person's lock: nothing can be armed between the look that finds nothing and the closing, and a retry after a
 * lost answer finds the episode closed and says so again.
 */
export async function decideEpisode(deps: DecideDeps, input: DecideInput): Promise<Plan> {
  const [presence, held] = await Promise.all([deps.presence(input.userId), deps.circuits.look(input.userId)]);
  return deps.db.transaction(async (tx) => {
    const attention = await lockAttention(tx, input.userId);
    if (!attention || attention.episode !== input.episode || attention.state === 'quiet') {
      return { kind: 'finished', outcome: await earlierOutcome(tx, input) };
    }
    const { userId } = input;
    const givenUp = input.stuck.map(({ attemptId }) => attemptId);
    await giveUpAttempts(tx, userId, [...givenUp, ...input.struckOff], deps.now());
    const settled = await settledAttempts(tx, userId, givenUp);
    const stuck = input.stuck.filter(({ attemptId }) => !settled.includes(attemptId));
    // Who has read on in the conversation may have read the rest in its threads before.
    await disarmReadInThreads(tx, userId);
    const summary = await isSummaryDue(tx, { userId, attention, now: deps.now() });
    const seen = await look(tx, deps, { ...input, stuck }, { presence, held });
    const { calledOffFor, openedAt } = attention;
    const situation = { ...seen, summary, calledOffFor, openedAt };
    const decision = decide(situation);
    const unwanted = situation.armed.filter((row) => !wanted(row, situation.settings));
    await disarm(
      tx,
      input.userId,
      unwanted.map(({ conversationId }) => conversationId),
    );
    if (decision.verdict.kind === 'finished' && decision.verdict.reason === 'unreachable')
      await insertUnreached(tx, userId, urgentOf(situation));
    const plan = await carryOut(tx, deps, { ...input, stuck }, decision);
    return settled.length === 0 ? plan : { ...plan, settled };
  });
}

/** What is urgent and unread. */
const urgentOf = ({ armed, settings }: Situation) =>
  armed
    .filter((row) => wanted(row, settings))
    .flatMap(({ conversationId, urgents }) => urgents.map(({ seq }) => ({ conversationId, seq })));

async function earlierOutcome(tx: Tx, { userId, episode }: DecideInput): Promise<EscalateUnreadOutcome> {
  return ((await episodeOutcome(tx, userId, episode)) as EscalateUnreadOutcome | undefined) ?? 'read';
}

async function look(
  tx: Tx,
  deps: DecideDeps,
  { userId, episode, stuck, struckOff, underWay, urgentUnderWay = underWay, closed }: DecideInput,
  { presence, held }: { presence: Presence; held: ReadonlyMap<CircuitName, Held> },
): Promise<Omit<Situation, 'summary' | 'calledOffFor' | 'openedAt'>> {
  const user = await userById(tx, userId);
  const contact = (address: string | null | undefined, verifiedAt: Date | null | undefined) =>
    address ? (verifiedAt ? 'verified' : 'unverified') : 'missing';
  const devices = await devicesOf(tx, userId);
  const outcomes = await outcomesOfEpisode(tx, userId, { episode, notCounted: unseenKeys(devices, deps.now()) });
  const settings = (await notificationSettingsOf(tx, userId))?.settings ?? defaultNotificationSettings;
  return {
    now: deps.now(),
    ladder: deps.ladder,
    presence,
    account: user?.status ?? 'suspended',
    settings,
    zone: user?.timeZone ?? 'UTC',
    pushZone: zoneOf(devices, user),
    place: placeOf(userId) / places,
    devices: devices.map(({ pushState, pushPermission, pushEnabled, pushToken }) => ({
      pushState,
      pushPermission,
      pushEnabled,
      hasToken: pushToken !== null,
    })),
    email: contact(user?.email, user?.emailVerifiedAt),
    phone: contact(user?.phone, user?.phoneVerifiedAt),
    suppressed: user ? await suppressedOf(tx, deps, user) : {},
    armed: await armedConversations(tx, userId),
    ...outcomes,
    held: heldChannels(held, settings.channels.push ? devices : []),
    underWay,
    urgentUnderWay,
    stuck: stuck.map(({ channel }) => channel),
    stuckPushes: await coversOf(tx, userId, attemptsOf(stuck, 'push')),
    struckOff: await coversOf(tx, userId, struckOff),
    capped: await capsOf(tx, deps, userId),
    closed,
  };
}

const attemptsOf = (stuck: DecideInput['stuck'], which: Channel): string[] =>
  stuck.flatMap(({ channel, attemptId }) => (channel === which ? [attemptId] : []));

async function carryOut(tx: Tx, deps: DecideDeps, input: DecideInput, decision: Decision): Promise<Plan> {
  const { verdict } = decision;
  const attemptId = verdict.kind === 'notify' ? deps.newId() : null;
  const stuck = input.stuck.map((step) => step.attemptId);
  await explain(tx, deps, input, decision, attemptId);
  switch (verdict.kind) {
    case 'notify': {
      await setWakesAt(tx, input.userId, verdict.until, stuck);
      const until = verdict.until.toISOString();
      return { ...verdict, until, attemptId: attemptId as string, retry: deps.ladder.retry };
    }
    case 'wait':
      await setWakesAt(tx, input.userId, verdict.until, stuck);
      return { ...verdict, until: verdict.until.toISOString() };
    case 'finished':
      await closeEpisode(tx, input.userId, input.episode, verdict.outcome);
      await lookOnceAtScreens(tx, input.userId, screenLimits.delayMs);
      return { kind: 'finished', outcome: verdict.outcome };
  }
}

/**
 * Writes down what was decided and why. A step that was found as it was found before is not written again: a nudge that
 * changes nothing leaves no trace.
 */
async function explain(
  tx: Tx,
  deps: DecideDeps,
  input: DecideInput,
  decision: Decision,
  attemptId: string | null,
): Promise<void> {
  const at = deps.now();
  const { userId, episode, workflowId, runId } = input;
  const evaluation = decision.steps.map(toEvaluation);
  const before = await latestDecisions(tx, userId, episode, channels);
  const taken = decision.verdict.kind === 'notify' ? decision.verdict.channel : undefined;
  const rows = oneForEachChannel(decision.steps, taken)
    .filter((step) => step.outcome !== 'send' || step.channel === taken)
    // Its sending was written down when it began.
    .filter(({ reason }) => reason !== 'under_way')
    .map(
      (step): DecisionRow => ({
        id: deps.newId(),
        episode,
        at,
        step: step.channel,
        outcome: step.outcome,
        reason: step.reason,
        until: step.until ?? null,
        attemptId: step.outcome === 'send' ? attemptId : null,
        conversationId: null,
        evaluation,
        workflowId,
        runId,
      }),
    )
    .filter((row) => row.outcome === 'send' || !sameAs(before.get(row.step), row));
  if (decision.verdict.kind === 'finished') {
    const { outcome, reason } = decision.verdict;
    const cancelled = outcome === 'every-step-spent' || outcome === 'expired' ? 'skipped' : 'cancelled';
    rows.push({
      id: deps.newId(),
      episode,
      at,
      step: 'episode',
      outcome: cancelled,
      reason,
      until: null,
      attemptId: null,
      conversationId: null,
      evaluation,
      workflowId,
      runId,
    });
  }
  await insertDecisions(tx, userId, rows);
}

/** A channel that looks at several conversations is told by the step that matters: what is sent, else what comes first. */
function oneForEachChannel(steps: readonly StepDecision[], taken: string | undefined): StepDecision[] {
  const weight = { send: 0, failed: 1, deferred: 2, skipped: 3 };
  const best = new Map<string, StepDecision>();
  for (const step of steps) {
    const known = best.get(step.channel);
    const earlier = (step.until?.getTime() ?? 0) < (known?.until?.getTime() ?? 0);
    const better =
      !known || weight[step.outcome] < weight[known.outcome] || (step.outcome === known.outcome && earlier);
    if (better && (step.outcome !== 'send' || step.channel === taken)) best.set(step.channel, step);
  }
  return [...best.values()];
}

const toEvaluation = ({ channel, outcome, reason, until, conversationId, zone }: StepDecision) => ({
  channel,
  outcome,
  reason,
  ...(until ? { until: until.toISOString() } : {}),
  ...(conversationId ? { conversationId } : {}),
  ...(zone ? { zone } : {}),
});

function sameAs(before: LatestDecision | undefined, row: DecisionRow): boolean {
  return (
    before?.outcome === row.outcome && before.reason === row.reason && before.until?.getTime() === row.until?.getTime()
  );
}
