import type { Attempt, Digest } from './digest.ts';
import type { Findings } from './findings.ts';

/** One thing that somebody wrote for themselves, over and over: the last one stands. */
interface Write {
  value: string;
  begun: number;
  ended: number;
  outcome: Attempt['outcome'];
}

/** P9: what people keep for themselves (drafts, marks, settings, blocks) is what they said last, on whatever device and node. */
export function checkOwn(digest: Digest, findings: Findings): void {
  const writes = writesOf(digest);
  for (const { person, rest, at, blocked, drafts } of digest.personal) {
    const held = [
      ...blocked.map((other): [string, string] => [`block ${person} ${other}`, 'on']),
      ...drafts.map((draft): [string, string] => [`draft ${person} ${placeOf(draft)}`, draft]),
      ...[...(digest.logs.get(rest) ?? [])].flatMap(([conversation, { stored }]) =>
        stored.members
          .filter(({ userId, present }) => userId === person && present)
          .flatMap((row): [string, string][] => [
            [`mark ${person} ${conversation}`, String(row.unreadMark)],
            ...settingNames.map((name): [string, string] => [`${name} ${person} ${conversation}`, String(row[name])]),
          ]),
      ),
    ];
    checkHeld(new Map(held), { person, at }, writes, findings);
  }
  checkFresh(digest, findings);
}

/** A draft is its conversation, then its text. */
const placeOf = (draft: string) => draft.slice(0, draft.indexOf(' '));

/** What is held of each thing where nothing is. */
const absent = {
  ...{ block: 'off', draft: 'null', mark: 'null' },
  ...{ level: 'null', pinned: 'false', archived: 'false', mutedUntil: 'null' },
};
const settingNames = ['level', 'pinned', 'archived', 'mutedUntil'] as const;
/** Of these nothing is said where one does not belong. */
const ofMembers = new Set<string>(['mark', ...settingNames]);
const kindOf = (key: string) => key.split(' ')[0] as keyof typeof absent;

function checkHeld(
  held: ReadonlyMap<string, string>,
  { person, at }: { person: string; at: number },
  writes: ReadonlyMap<string, Write[]>,
  findings: Findings,
): void {
  const keys = [...writes.keys()].filter((key) => key.split(' ')[1] === person && !ofMembers.has(kindOf(key)));
  for (const key of new Set([...held.keys(), ...keys])) {
    const nothing = absent[kindOf(key)];
    const value = held.get(key) ?? nothing;
    const possible = standing(
      (writes.get(key) ?? []).filter(({ begun }) => begun < at),
      nothing,
    );
    if (!possible.has(value))
      findings.add('last word lost', `${key} is «${value}», and was to be ${[...possible].join(' or ')}`);
  }
}

/** What may stand after these writes: whatever no later one that was acked has replaced. */
function standing(writes: readonly Write[], nothing: string): Set<string> {
  const lastBegun = Math.max(
    Number.NEGATIVE_INFINITY,
    ...writes.filter(({ outcome }) => outcome === 'ok').map(({ begun }) => begun),
  );
  const open = writes.filter(({ outcome, ended }) => outcome !== 'refused' && ended >= lastBegun);
  const untouched = writes.every(({ outcome }) => outcome !== 'ok');
  return new Set([...open.map(({ value }) => value), ...(untouched ? [nothing] : [])]);
}

function writesOf(digest: Digest): Map<string, Write[]> {
  const writes = new Map<string, Write[]>();
  const note = (key: string, value: string, { begun, ended, outcome }: Attempt) =>
    writes.set(key, [...(writes.get(key) ?? []), { value, begun, ended, outcome }]);
  for (const attempt of digest.attempts) {
    const { operation, person } = attempt;
    switch (operation.what) {
      case 'block':
        note(`block ${person} ${operation.person}`, operation.on ? 'on' : 'off', attempt);
        break;
      case 'draft': {
        const { conversation, text } = operation;
        note(`draft ${person} ${conversation}`, text === null ? 'null' : `${conversation} ${text}`, attempt);
        break;
      }
      case 'mark':
        note(`mark ${person} ${operation.conversation}`, String(operation.seq), attempt);
        break;
      case 'set':
        for (const [name, value] of Object.entries(operation.settings))
          note(`${name} ${person} ${operation.conversation}`, String(value), attempt);
        break;
      // Reading, and coming back, may take the mark away, and may have nothing to take.
      case 'read':
        note(`mark ${person} ${operation.conversation}`, 'null', { ...attempt, ...maybe(attempt) });
        break;
      case 'add':
        note(`mark ${operation.person} ${operation.conversation}`, 'null', { ...attempt, ...maybe(attempt) });
        break;
      default:
    }
  }
  return writes;
}

const maybe = ({ outcome }: Attempt) => ({ outcome: outcome === 'ok' ? ('unknown' as const) : outcome });

/** A fresh reading says what the rows say, and marks the messages of who is blocked, and of nobody else. */
function checkFresh(digest: Digest, findings: Findings): void {
  const rests = new Map(digest.states.filter(({ fresh }) => fresh).map(({ who, rest }) => [who, rest]));
  const rowOf = (who: string, person: string) =>
    digest.personal.find((one) => one.rest === rests.get(who) && one.person === person);
  for (const { who, person, answer } of digest.attempts) {
    const row = (answer.drafts ?? answer.blocked) && rowOf(who, person);
    const member = (draft: string) =>
      digest.logs
        .get(row?.rest ?? -1)
        ?.get(placeOf(draft))
        ?.spans(person)
        .at(-1)?.to === Number.POSITIVE_INFINITY;
    if (row && answer.drafts && answer.drafts.sort().join() !== row.drafts.filter(member).sort().join())
      findings.add('last word lost', `${person} is told other drafts than are kept: ${answer.drafts.join()}`);
    if (row && answer.blocked && answer.blocked.sort().join() !== [...row.blocked].sort().join())
      findings.add('last word lost', `${person} is told other blocks than are kept: ${answer.blocked.join()}`);
  }
  for (const { who, person, answer } of digest.of('sync'))
    for (const { conversation, unreadMark } of answer.standings ?? []) {
      const members = digest.logs.get(rests.get(who) ?? -1)?.get(conversation)?.stored.members;
      const member = members?.find(({ userId }) => userId === person);
      if (member && member.unreadMark !== unreadMark)
        findings.add(
          'last word lost',
          `${person} marked ${conversation} at ${member.unreadMark}, not at ${unreadMark}`,
        );
    }
  for (const { who, fresh, held, conversation } of digest.states) {
    const blocked = fresh ? rowOf(who, digest.persons.get(who) ?? who)?.blocked : undefined;
    // A line that the conversation itself says is nothing that they wrote.
    for (const { seq, kind, senderId, fromBlocked } of blocked ? (held?.messages ?? []) : [])
      if ((kind === 'text' && blocked?.includes(senderId)) !== fromBlocked)
        findings.add(
          'block not kept',
          `${who} is shown seq ${seq} of ${conversation} ${fromBlocked ? '' : 'not '}marked`,
        );
  }
  checkMarked(digest, findings);
}

/** Nobody but who has blocked somebody is ever told so. */
function checkMarked(digest: Digest, findings: Findings): void {
  const first = new Map<string, number>();
  for (const { person, operation, begun } of digest.of('block')) {
    const key = `${person} ${operation.person}`;
    if (operation.on) first.set(key, Math.min(first.get(key) ?? begun, begun));
  }
  for (const { who, person, message, ended, conversation } of digest.sightings)
    if (message.fromBlocked && (first.get(`${person} ${message.senderId}`) ?? Number.POSITIVE_INFINITY) > ended)
      findings.add('block not kept', `${who} was shown seq ${message.seq} of ${conversation} as of somebody blocked`);
}
