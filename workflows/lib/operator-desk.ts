import { ApplicationFailure, defineUpdate, log, setHandler } from '@temporalio/workflow';
import type {
  OperatorAnswer,
  OperatorRequest,
  SnoozeRequest,
  StuckStep,
} from '../../contracts/workflows/escalate-unread.ts';
import { channels, operatorRefusals, operatorUpdates } from '../../contracts/workflows/names.ts';
import { type Carried, StuckSteps, channelsOf } from './stuck-steps.ts';

/** Minutes that a stuck step may be snoozed: a week. */
const maxSnoozeMinutes = 7 * 24 * 60;

interface Story {
  wake: () => void;
  /** Ends what is under way; resolves when nothing of it can be sent any more. */
  stopSteps: () => Promise<void>;
}

/**
 * What a person can do about a step that is stuck: try again, strike it off, put it off, or end the episode. A failure
 * that a human can mend is a state, not a crash: a search attribute finds it, the page says what happened.
 */
export function openOperatorDesk(carried: Carried | undefined, { wake, stopSteps }: Story): StuckSteps {
  const desk = new StuckSteps(carried);
  const done = ({ by, note }: OperatorRequest, message: string): OperatorAnswer => {
    desk.lastAction = `${message} (${by}${note ? `: ${note}` : ''})`;
    log.info('an operator acted', { action: message });
    wake();
    return { done: true, message };
  };
  const check = (request: OperatorRequest) => checkRequest(request, desk.stuck);

  onUpdate('retry', 'Try the stuck step again now. {"by": "you", "channel": "push"}', check, (request) =>
    done(request, `${names(desk.retry(request.channel))} is tried again now`),
  );
  onUpdate('skip', 'Strike the stuck step off and go on. {"by": "you"}', check, (request) =>
    done(request, `${names(desk.skip(request.channel))} is struck off; the ladder goes on`),
  );
  const snoozing = 'Try the stuck step again by itself later. {"by": "you", "minutes": 30}';
  const checkSnooze = (request: SnoozeRequest) => {
    check(request);
    checkMinutes(request);
  };
  onUpdate('snooze', snoozing, checkSnooze, (request: SnoozeRequest) => {
    const until = new Date(Date.now() + request.minutes * 60_000).toISOString();
    return done(request, `${names(desk.snooze(request.channel, until))} is tried again at ${until}`);
  });
  onUpdate('close', 'End the episode. {"by": "you", "note": "why"}', checkWho, async (request) => {
    desk.close();
    await stopSteps();
    return done(request, 'the episode is closed; nothing more is sent for what is unread now');
  });
  return desk;
}

function onUpdate<Request extends OperatorRequest>(
  name: keyof typeof operatorUpdates,
  description: string,
  validator: (request: Request) => void,
  act: (request: Request) => OperatorAnswer | Promise<OperatorAnswer>,
): void {
  setHandler(defineUpdate<OperatorAnswer, [Request]>(operatorUpdates[name]), act, { validator, description });
}

const names = (steps: readonly StuckStep[]) => channelsOf(steps).join(' and ');

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
    throw nothingStuck(`${request.channel} is not stuck; stuck is ${channelsOf(stuck).join(', ')}.`);
  }
}

function checkMinutes({ minutes }: SnoozeRequest): void {
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= maxSnoozeMinutes) return;
  throw refusal(`"minutes" must be a whole number from 1 to ${maxSnoozeMinutes}.`);
}

const refusal = (message: string) => ApplicationFailure.nonRetryable(message, operatorRefusals.badRequest);
const nothingStuck = (message: string) => ApplicationFailure.nonRetryable(message, operatorRefusals.nothingStuck);
