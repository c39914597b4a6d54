import { randomBytes, randomUUID } from 'node:crypto';
import { userRoles } from '../../contracts/entities/index.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import type {
  MemberRule,
  NewcomerRule,
  PersonRule,
  Place as At,
  Rule,
  SignedInRule,
  StaffRule,
} from '../../domain/access/policy.ts';
import { type Right, may, outranks } from '../../domain/access/rights.ts';
import type { Actor, ActorName, Place, Said, World } from './world.ts';

/** What a cell must come to: it is done, or refused by one of these words. */
export type Expected = 'done' | readonly ErrorCode[];

/** One actor, one operation, one set of objects. */
export interface Cell {
  object: string;
  /** What the call names, where. */
  names: Partial<Record<At, string>>;
  expected: Expected;
  place?: Place;
}

const notThere: Expected = ['not_found'];
const forbidden: Expected = ['forbidden'];
const notForThis: Expected = ['insufficient_scope'];

/** The objects that a rule can be asked about, each with what the policy says of it for this actor. */
export function cellsOf(world: World, rule: Rule, actor: Actor): Cell[] {
  const cells = byRule(world, rule, actor);
  if (rule.who === 'anybody' || isFor(actor, rule)) return cells;
  return cells.map((cell) => ({ ...cell, expected: notForThis }));
}

/** What a token is not for is asked first. */
const isFor = ({ scopes }: Actor, { scope }: SignedInRule) =>
  scopes === null || (scope !== 'session' && scopes.includes(scope));

function byRule(world: World, rule: Rule, actor: Actor): Cell[] {
  switch (rule.who) {
    case 'anybody':
      return [{ object: 'nothing', names: {}, expected: 'done' }];
    case 'person':
      return ofPerson(world, rule, actor);
    case 'member':
      return ofMember(world, rule, actor);
    case 'newcomer':
      return ofNewcomer(world, rule, actor);
    case 'staff':
      return ofStaff(world, rule, actor);
  }
}

function ofPerson(world: World, { own, orRole, names, evenSuspended, makes }: PersonRule, actor: Actor): Cell[] {
  if (names) {
    const found = (name: string, id: string, expected: Expected): Cell => ({
      object: name,
      names: { [names]: id },
      expected,
    });
    return [
      found('somebody', world.actor('friend').id, 'done'),
      found('somebody suspended', world.actor('suspended').id, evenSuspended ? 'done' : notThere),
      found('absent', randomUUID(), notThere),
    ];
  }
  if (!own) return [{ object: 'their own', names: {}, expected: 'done' }];
  if (own.what === 'draft') return ofDraft(world, own.at, actor);
  if (own.what === 'token') return ofToken(world, own.at, actor);
  const other: Expected = makes ? 'done' : notThere;
  const alsoOthers = orRole && userRoles.indexOf(actor.role) >= userRoles.indexOf(orRole);
  return [
    { object: 'own', names: { [own.at]: actor.own[own.what] }, expected: 'done' },
    {
      object: 'foreign',
      names: { [own.at]: world.actor('foreigner').own[own.what] },
      expected: alsoOthers ? 'done' : other,
    },
    { object: 'absent', names: { [own.at]: randomUUID() }, expected: other },
  ];
}

function ofDraft(world: World, at: At, actor: Actor): Cell[] {
  const cells = world.places.map((place): Cell => {
    const expected = place.drafts.has(actor.name) ? 'done' : notThere;
    return { object: `draft in ${place.name}`, names: { [at]: place.id }, expected, place };
  });
  return [...cells, { object: 'absent', names: { [at]: randomUUID() }, expected: notThere }];
}

/** What is no token at all ends the socket: that has a test of its own. */
const ofToken = (world: World, at: At, actor: Actor): Cell[] => [
  { object: 'own', names: { [at]: world.tokenOf(actor.id, actor.sessionId) }, expected: 'done' },
  { object: 'another session', names: { [at]: world.tokenOf(actor.id, actor.own.session) }, expected: forbidden },
  { object: 'foreign', names: { [at]: String(world.actor('foreigner').token) }, expected: forbidden },
];

function ofStaff(world: World, { role, about }: StaffRule, actor: Actor): Cell[] {
  const mayAsk = userRoles.indexOf(actor.role) >= userRoles.indexOf(role);
  const cell = (object: string, id: string | null, expected: Expected): Cell => ({
    object,
    names: about && id !== null ? { [about.at]: id } : {},
    expected: mayAsk ? expected : forbidden,
  });
  if (!about) return [cell('all', null, 'done')];
  const there = {
    person: world.actor('foreigner').id,
    message: world.place('group').said[0]?.id ?? '',
    notification: world.actor('foreigner').own.notification,
    job: null,
  }[about.what];
  const absent = about.what === 'job' ? `attention.${randomUUID()}.1` : randomUUID();
  return [...(there === null ? [] : [cell('any', there, 'done')]), cell('absent', absent, notThere)];
}

function ofNewcomer(world: World, { by, at }: NewcomerRule, actor: Actor): Cell[] {
  const letsIn = (place: Place) => !place.ended && (by === 'code' || place.open) && !place.banned.has(actor.name);
  const cells = world.places.flatMap((place): Cell[] => {
    const id = by === 'code' ? place.invite?.code : place.id;
    if (id === undefined) return [];
    return [{ object: place.name, names: { [at]: id }, expected: letsIn(place) ? 'done' : notThere, place }];
  });
  const absent = by === 'code' ? randomBytes(16).toString('base64url') : randomUUID();
  return [...cells, { object: 'absent', names: { [at]: absent }, expected: notThere }];
}

/** What is not there, and what is there and nowhere near: both are swapped in for each id, alone and in pairs. */
function ofMember(world: World, rule: MemberRule, actor: Actor): Cell[] {
  const inPlaces = world.places.flatMap((place) => inPlace(world, rule, actor, place));
  const others = few(named(rule, world.place('group'), world, actor));
  const absent = others.map(
    (what): Cell => ({
      object: ['absent', ...what.map(({ name }) => name)].join(', '),
      names: { [rule.of]: randomUUID(), ...idsOf(what) },
      expected: notThere,
    }),
  );
  return [...inPlaces, ...absent];
}

interface Named {
  name: string;
  at: At;
  id: string;
  said?: Said;
  person?: { name: ActorName; isSelf: boolean };
  place?: Place;
  isElsewhere?: boolean;
}

const idsOf = (what: readonly Named[]) => Object.fromEntries(what.map(({ at, id }) => [at, id]));

/** The cells of one conversation, as it stands in the policy's eyes. */
export function inPlace(world: World, rule: MemberRule, actor: Actor, place: Place): Cell[] {
  const all = named(rule, place, world, actor);
  return (place.roles[actor.name] ? all : few(all)).map((what) => ({
    object: [place.name, ...what.map(({ name }) => name)].join(', '),
    names: { [rule.of]: place.id, ...idsOf(what) },
    expected: judge(rule, actor, place, what),
    place,
  }));
}

/** To who is no member all is alike: what is there, and what is not. */
const few = (all: Named[][]): Named[][] => all.filter((_, index) => index === 0 || index === all.length - 1);

/** Every combination of what the call names beside the conversation; of two lists each with the first of the other. */
function named(rule: MemberRule, place: Place, world: World, actor: Actor): Named[][] {
  const parts: Named[][] = [];
  if (rule.message) parts.push(messages(rule.message.at, place, world, actor));
  if (rule.person) parts.push(persons(rule.person.at, world, actor));
  if (rule.invite) parts.push(invites(rule.invite, place, world));
  if (rule.into) parts.push(destinations(rule.into.at, world));
  const firsts = parts.flatMap((part) => part.slice(0, 1));
  const [first = [], ...more] = parts;
  const others = more.flatMap((part, index) =>
    part.slice(1).map((one) => firsts.map((each, place) => (place === index + 1 ? one : each))),
  );
  return first.length === 0 ? [[]] : [...first.map((one) => [one, ...firsts.slice(1)]), ...others];
}

function messages(at: At, place: Place, world: World, actor: Actor): Named[] {
  const all = place.said.map((said) => ({ name: nameOf(said, actor), at, id: said.id, said }));
  // One of each sort: whose it is among others makes no difference.
  const sorts = new Map(all.map((one) => [one.name, one]));
  const elsewhere = world.place(place.name === 'foreign' ? 'group' : 'foreign').said[0]?.id ?? '';
  return [
    ...sorts.values(),
    { name: 'of another conversation', at, id: elsewhere, isElsewhere: true },
    { name: 'absent', at, id: randomUUID(), isElsewhere: true },
  ];
}

const nameOf = ({ author, state }: Said, actor: Actor) =>
  [author === actor.name ? 'own' : 'another’s', ...(state === 'said' ? [] : [state])].join(' ');

function persons(at: At, world: World, actor: Actor): Named[] {
  const known = ['owner', 'admin', 'member', 'readOnly', 'exMember', 'banned', 'stranger'].map((name) => ({
    ...{ name, at, id: world.actor(name).id },
    person: { name, isSelf: name === actor.name },
  }));
  return [...known, { name: 'nobody', at, id: randomUUID(), isElsewhere: true }];
}

const invites = (at: At, place: Place, world: World): Named[] => [
  ...(place.invite ? [{ name: 'invitation', at, id: place.invite.id }] : []),
  {
    name: 'of another',
    at,
    id: world.place(place.name === 'foreign' ? 'group' : 'foreign').invite?.id ?? '',
    isElsewhere: true,
  },
  { name: 'none', at, id: randomUUID(), isElsewhere: true },
];

const destinations = (at: At, world: World): Named[] =>
  ['group', 'channel', 'announcements', 'blocked direct', 'foreign', 'ended'].map((name) => {
    const place = world.place(name);
    return { name: `into ${name}`, at, id: place.id, place };
  });

/** The policy's own order: the membership, the right, what is named, whose it is. */
function judge(rule: MemberRule, actor: Actor, place: Place, what: readonly Named[]): Expected {
  const role = place.roles[actor.name];
  if (!role) return notThere;
  const self = what.some(({ person }) => person?.isSelf) ? rule.person?.self : undefined;
  const right = self ?? rule.right;
  if (right && !isRight(place, actor, right)) return forbidden;
  for (const one of what) {
    const refusal = judgeNamed(rule, actor, place, one);
    if (refusal) return refusal;
  }
  return 'done';
}

function judgeNamed(rule: MemberRule, actor: Actor, place: Place, one: Named): Expected | undefined {
  if (one.isElsewhere) return notThere;
  if (one.said && rule.message) return judgeMessage(rule.message, actor, place, one.said);
  if (one.person && rule.person) return judgePerson(rule.person, actor, place, one.person);
  if (one.place && rule.into) {
    if (!one.place.roles[actor.name]) return notThere;
    return isRight(one.place, actor, rule.into.right) ? undefined : forbidden;
  }
  return undefined;
}

function judgeMessage(
  { alive, by, rights }: NonNullable<MemberRule['message']>,
  actor: Actor,
  place: Place,
  { author, state }: Said,
): Expected | undefined {
  const isOwn = author === actor.name;
  if (state === 'early' && actor.name !== 'owner') return notThere;
  if (alive && (state === 'deleted' || state === 'system')) return notThere;
  if (rights && (state === 'system' || !isRight(place, actor, isOwn ? rights.author : rights.others))) return forbidden;
  return by === 'author' && !isOwn ? forbidden : undefined;
}

function judgePerson(
  rule: NonNullable<MemberRule['person']>,
  actor: Actor,
  place: Place,
  { name, isSelf }: { name: ActorName; isSelf: boolean },
): Expected | undefined {
  const role = place.roles[name];
  if (rule.is === 'banned' && !place.banned.has(name)) return notThere;
  if (isSelf && rule.is !== 'banned') return rule.self ? undefined : ['forbidden', 'invalid_input'];
  if (rule.is === 'member' && !role) return notThere;
  const mine = place.roles[actor.name];
  return rule.rank && role && mine && !outranks(mine, role) ? forbidden : undefined;
}

/** Written anew from the promises, and not by the guard that is under test. */
function isRight({ kind, posting, blocked, roles }: Place, actor: Actor, right: Right): boolean {
  const role = roles[actor.name];
  if (!role || !may(right, kind, role)) return false;
  if (blocked && ['write', 'editOwn', 'react', 'unreact', 'pin'].includes(right)) return false;
  const leads = role === 'owner' || role === 'admin';
  return posting !== 'admins' || leads || !['write', 'editOwn', 'pin'].includes(right);
}
