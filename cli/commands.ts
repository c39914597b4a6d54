import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { UserRole } from '../contracts/entities/index.ts';
import { AttemptId, MessageId, UserId } from '../contracts/ids.ts';
import { CodedError } from '../contracts/errors.ts';
import { limits } from '../contracts/limits.ts';
import { Registration } from '../contracts/rest/auth.ts';
import { endFoundToken } from '../domain/accounts/index.ts';
import { verifyAudit } from '../domain/audit/index.ts';
import { listKeys, rotateKeys } from '../domain/keys/index.ts';
import {
  changeUserRole,
  createUser,
  explainAttempt,
  explainMessage,
  reactivateUser,
  rearm,
  reconcile,
  recountNow,
  removeFactors,
  replayUnreadable,
  suspendUser,
  unreadableReports,
  userStory,
} from '../domain/support/index.ts';
import { type Command, type Console, type Options, UsageError, parse } from './command.ts';
import { jobCommands, jobsUsage } from './jobs.ts';
import {
  attemptInWords,
  factorsRemovedInWords,
  keysInWords,
  reconciliationInWords,
  storyInWords,
  unreadableInWords,
  whyInWords,
} from './words.ts';

const usage = `homing why USER MESSAGE [--json]
    why a message did or did not reach a person, and what comes next
homing attempt ATTEMPT [--json]
    of one notification: whom it was for, what it told, why it was sent and what was heard of it
homing users story USER [--cursor CURSOR] [--json]
    what was decided, tried and heard for a person, the latest first
homing users create --role ROLE --name NAME (--email ADDRESS | --phone NUMBER) [--json]
    makes an account; the password is read from the standard input
homing users role USER ROLE
    gives a person another role: ${UserRole.options.join(', ')}
homing users suspend USER
    lets a person in no more: ends all their sessions, and notifies them of nothing
homing users reactivate USER
    lets them in again
homing users remove-factors USER
    takes away every second factor of who has lost them, recovery codes too, and ends all their sessions; they are told
homing tokens end [--json]
    ends a token that was found where it must not be; it is read from the standard input
homing keys list [--json]
    the keys of access tokens in the database, and where each stands
homing keys rotate [--json]
    another key signs within two minutes; the one before it verifies for an hour more
homing audit verify [--head SEQ:HASH] [--json]
    whether the audit is whole, and its head; --head: whether it still holds what it held then
homing reconcile [--rearm] [--cursor CURSOR] [--json]
    counts anew who should have been told, and says what does not agree; --rearm has those told who were forgotten
homing reports unreadable [--json]
    what providers reported that was not understood; it holds addresses
homing reports replay [--json]
    reads that again, as this release reads
${jobsUsage}

All but \`keys list\`, which tells nothing of anybody, are written down in the audit. The settings are those of any role (DATABASE_URL …).
Exit codes: 0 done, 1 refused or failed, 2 not understood, 78 wrong settings.`;

/** `12:4f…`, as it was told. */
const Head = z
  .string()
  .regex(/^[1-9]\d{0,14}:[0-9a-f]{64}$/, { message: 'must be a head as `homing audit verify` tells it' })
  .transform((told) => ({ seq: Number.parseInt(told, 10), hash: told.slice(told.indexOf(':') + 1) }));

const commands: Record<string, { takes: readonly number[]; run: Command }> = {
  ...jobCommands,
  why: {
    takes: [2],
    async run({ deps, by }, [userId, messageId], { json }) {
      const why = await explainMessage(deps, by, {
        userId: parse(UserId, userId, 'USER'),
        messageId: parse(MessageId, messageId, 'MESSAGE'),
      });
      return json ? JSON.stringify(why) : whyInWords(why);
    },
  },
  attempt: {
    takes: [1],
    async run({ deps, by }, [id], { json }) {
      const story = await explainAttempt(deps, by, parse(AttemptId, id, 'ATTEMPT'));
      return json ? JSON.stringify(story) : attemptInWords(story);
    },
  },
  'users story': {
    takes: [1],
    async run({ deps, by }, [userId], { cursor, json }) {
      const page = { limit: limits.storyEpisodes, cursor };
      const story = await userStory(deps, by, parse(UserId, userId, 'USER'), page);
      return json ? JSON.stringify(story) : storyInWords(story);
    },
  },
  'users suspend': {
    takes: [1],
    async run({ deps, by }, [userId], { json }) {
      const id = parse(UserId, userId, 'USER');
      await suspendUser(deps, by, id);
      return json
        ? JSON.stringify({ id, status: 'suspended' })
        : `${id} is suspended; their sockets close within two seconds.`;
    },
  },
  'users reactivate': {
    takes: [1],
    async run({ deps, by }, [userId], { json }) {
      const id = parse(UserId, userId, 'USER');
      await reactivateUser(deps, by, id);
      return json ? JSON.stringify({ id, status: 'active' }) : `${id} may sign in again.`;
    },
  },
  'users remove-factors': {
    takes: [1],
    async run({ deps, by }, [userId], { json }) {
      const id = parse(UserId, userId, 'USER');
      const removed = await removeFactors(deps, by, id);
      return json ? JSON.stringify({ id, ...removed }) : factorsRemovedInWords(id, removed);
    },
  },
  'tokens end': {
    takes: [0],
    async run({ deps, by }, _given, { json }) {
      // Not an argument: other people of the machine can read those.
      const userId = await endFoundToken(deps, by, (await text(process.stdin)).trim());
      return json
        ? JSON.stringify({ userId })
        : `It was of ${userId} and opens nothing any more; its sockets close within two seconds.`;
    },
  },
  'keys list': {
    takes: [0],
    async run({ deps }, _given, { json }) {
      const keys = await listKeys(deps);
      return json ? JSON.stringify(keys) : keysInWords(keys);
    },
  },
  'keys rotate': {
    takes: [0],
    async run({ deps, by }, _given, { json }) {
      const rotated = await rotateKeys(deps, by);
      return json ? JSON.stringify(rotated) : `${rotated.kid} signs from ${rotated.signsFrom.toISOString()} on.`;
    },
  },
  'audit verify': {
    takes: [0],
    async run({ deps, by }, _given, { head, json }) {
      const verdict = await verifyAudit(deps, by, head === undefined ? undefined : parse(Head, head, '--head'));
      if (!verdict.intact)
        throw new CodedError('conflict', { detail: `The audit breaks at entry ${verdict.seq}: ${verdict.why}.` });
      const { seq, hash } = verdict.head;
      return json ? JSON.stringify(verdict.head) : `It is whole. Its head, to be kept elsewhere: ${seq}:${hash}`;
    },
  },
  reconcile: {
    takes: [0],
    async run({ deps, by }, _given, { cursor, json, rearm: again }) {
      await recountNow(deps);
      const state = await reconcile(deps, by, { limit: limits.pageItems, cursor });
      const rearmed = again ? await rearm(deps, by) : undefined;
      return json ? JSON.stringify({ ...state, rearmed }) : reconciliationInWords(state, rearmed);
    },
  },
  'reports unreadable': {
    takes: [0],
    async run({ deps, by }, _given, { json }) {
      const reports = await unreadableReports(deps, by);
      const told = reports.map(({ body, ...report }) => ({ ...report, body: body.toString('utf8') }));
      return json ? JSON.stringify(told) : unreadableInWords(told);
    },
  },
  'reports replay': {
    takes: [0],
    async run({ deps, by, doors }, _given, { json }) {
      const replayed = await replayUnreadable(deps, by, doors);
      return json
        ? JSON.stringify(replayed)
        : `${replayed.understood} understood and taken, ${replayed.left} not understood still.`;
    },
  },
  'users create': {
    takes: [0],
    async run({ deps, by }, _given, { role, name, email, phone, json }) {
      const chosen = parse(UserRole, role, '--role');
      // Not an option: other people of the machine can read those.
      const password = (await text(process.stdin)).replace(/\r?\n$/, '');
      const contacts = { ...(email ? { email } : {}), ...(phone ? { phone } : {}) };
      const input = parse(Registration, { displayName: name, password, ...contacts }, '');
      const { id } = await createUser(deps, by, { ...input, role: chosen });
      return json ? JSON.stringify({ id, role: chosen }) : `Made ${id} with the role ${chosen}.`;
    },
  },
  'users role': {
    takes: [2],
    async run({ deps, by }, [userId, role], { json }) {
      const id = parse(UserId, userId, 'USER');
      const chosen = parse(UserRole, role, 'ROLE');
      await changeUserRole(deps, by, id, chosen);
      return json ? JSON.stringify({ id, role: chosen }) : `${id} has the role ${chosen} now.`;
    },
  },
};

/** Runs what was typed. Throws UsageError before anything is opened, a CodedError for what is refused. */
export async function run(args: string[], open: () => Console, say: (text: string) => void): Promise<void> {
  const { words, help, ...options } = read(args);
  if (help) return say(usage);
  const name = [words.slice(0, 2).join(' '), words[0] ?? ''].find((known) => Object.hasOwn(commands, known));
  const command = commands[name ?? ''];
  const given = words.slice(name?.split(' ').length ?? 0);
  if (!command || !command.takes.includes(given.length)) throw new UsageError(usage);
  const opened = open();
  try {
    say(await command.run(opened, given, options));
  } finally {
    await opened.close();
  }
}

function read(args: string[]): Options & { words: string[]; help: boolean } {
  const string = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    const people = { role: string, name: string, email: string, phone: string, cursor: string, head: string };
    const jobs = { where: string, channel: string, note: string, minutes: string, request: string, rate: string };
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { ...people, ...jobs, json: flag, rearm: flag, 'dry-run': flag, help: flag },
    });
    const { json, help, rearm: again, 'dry-run': dryRun, ...texts } = values;
    return { ...noTexts, ...texts, json, help, rearm: again, dryRun, words: positionals };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usage}`);
  }
}

const noTexts = {
  ...{ role: undefined, name: undefined, email: undefined, phone: undefined, cursor: undefined, where: undefined },
  head: undefined,
  ...{ channel: undefined, note: undefined, minutes: undefined, request: undefined, rate: undefined },
};
