import { randomBytes, randomUUID, randomUUIDv7 } from 'node:crypto';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import type { Conversation, Invite, Message, Role, Scope, UserRole } from '../../contracts/entities/index.ts';
import { scopeNames } from '../../contracts/entities/index.ts';
import { hashToken } from '../../domain/accounts/sessions.ts';
import { newToken } from '../../domain/accounts/token-format.ts';
import { makeChannel, makeDirect, makeGroup, registerPerson, type Person, send } from '../factories/person.ts';
import type { TestApp } from '../setup/app.ts';
import { call, expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';
import { until } from '../support/until.ts';

/** Who asks without being let in. */
export const outsiders = ['anonymous', 'expired', 'revoked', 'suspended'] as const;
/** Who asks, by what they are to the conversations of the world. Tenants there are none yet. */
export const people = [
  ...['stranger', 'invited', 'blocked', 'member', 'readOnly', 'exMember', 'banned', 'admin', 'owner'],
  ...['moderator', 'support', 'operator', 'orgAdmin'],
  // The token of a person, and the token of a user that is a program.
  ...['reader', 'bot'],
] as const;
export type ActorName = string;

/** What each token is for: one thing, or all that tokens can be for. */
const scopesOf: Readonly<Record<string, readonly Scope[]>> = { reader: ['messages:read'], bot: scopeNames };

const staffRoles: Readonly<Record<string, UserRole>> = {
  ...{ moderator: 'moderator', support: 'support', operator: 'operator', orgAdmin: 'admin' },
};

export interface Actor {
  name: ActorName;
  id: string;
  sessionId: string;
  /** Null for who sends none. */
  token: string | null;
  role: UserRole;
  /** Of who comes by a token; null for who has signed in. */
  scopes: readonly Scope[] | null;
  /** Theirs, by what it is: another session, a device, a passkey, an account elsewhere, a person whom they have blocked, a notification. */
  own: Owned;
}
export interface Owned {
  session: string;
  device: string;
  block: string;
  passkey: string;
  identity: string;
  notification: string;
  accessToken: string;
  bot: string;
}

/** One message as the matrix names it. */
export interface Said {
  id: string;
  author: ActorName;
  state: 'said' | 'deleted' | 'system' | 'early';
}

/** A conversation, who is what in it, and what stands in it. */
export interface Place {
  name: string;
  id: string;
  kind: 'direct' | 'group' | 'channel';
  posting: 'members' | 'admins';
  blocked: boolean;
  open: boolean;
  ended: boolean;
  roles: Readonly<Partial<Record<ActorName, Role | undefined>>>;
  banned: ReadonlySet<ActorName>;
  said: readonly Said[];
  invite: { id: string; code: string } | null;
  /** Who has a draft in it. */
  drafts: ReadonlySet<ActorName>;
}

const membersOf = ['admin', 'member', 'readOnly', 'exMember', 'banned', 'blocked', 'reader', 'bot'] as const;
const rolesNow = {
  owner: 'owner',
  admin: 'admin',
  member: 'member',
  readOnly: 'read_only',
  blocked: 'member',
  reader: 'member',
  bot: 'member',
} as const;

/** What is written where, so that whoever is shown it shows where it came from. */
const texts = { deleted: 'what was taken back', early: 'before anybody came' };
const textIn = (place: string) => `said in the ${place} conversation`;
const draftOf = (author: ActorName) => `begun by ${author}, and not sent`;

type Seven = [string, string, string, string, string, string, string];

export class World {
  readonly app: TestApp;
  readonly db: pg.Pool;
  readonly actors = new Map<ActorName, Actor>();
  readonly places: Place[] = [];
  readonly sockets = new Map<ActorName, TestSocket>();
  readonly #persons = new Map<ActorName, Person>();

  private constructor(app: TestApp, db: pg.Pool) {
    this.app = app;
    this.db = db;
  }

  static async make(app: TestApp): Promise<World> {
    const db = new pg.Pool({ connectionString: app.database.adminUrl, max: 4 });
    const world = new World(app, db);
    await world.#makePeople();
    await world.#makePlaces();
    await world.#makeOutsiders();
    await world.#makePrograms();
    for (const name of people) world.sockets.set(name, await connect(app.url, { token: world.actor(name).token }));
    return world;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets.values()) socket.close();
    await this.db.end();
  }

  actor(name: ActorName): Actor {
    const actor = this.actors.get(name);
    if (!actor) throw new Error(`there is no ${name}`);
    return actor;
  }

  place(name: string): Place {
    const place = this.places.find((one) => one.name === name);
    if (!place) throw new Error(`there is no place ${name}`);
    return place;
  }

  #person(name: ActorName): Person {
    const person = this.#persons.get(name);
    if (!person) throw new Error(`there is no ${name}`);
    return person;
  }

  async #makePeople(): Promise<void> {
    for (const name of [...people, 'foreigner', 'friend', 'revoked', 'suspended']) {
      const person = await registerPerson(this.app, name);
      this.#persons.set(name, person);
      const role = staffRoles[name] ?? 'member';
      await this.db.query('update users set role = $2 where id = $1', [person.id, role]);
      // Proved for as long as the matrix takes: that old proofs are refused has tests of its own.
      await this.db.query(
        "update sessions set proved_at = now() + interval '1 day', proved_by_factor = true where user_id = $1",
        [person.id],
      );
      const own = await this.#makeOwned(person.id);
      const { id, token, session } = person;
      this.actors.set(name, { name, id, token, role, own, sessionId: session.id, scopes: null });
    }
  }

  /** What belongs to one person alone. */
  async #makeOwned(userId: string): Promise<Owned> {
    const [session, device, notification, block, passkey, accessToken, bot] = Array.from({ length: 7 }, () =>
      randomUUID(),
    ) as Seven;
    await this.db.query(
      `with s as (insert into sessions (user_id, id, created_at, last_used_at, expires_at, proved_at, proved_by_factor)
         values ($1, $2, now(), now(), now() + interval '1 day', now(), true)),
       d as (insert into devices (user_id, id, platform, last_seen_at) values ($1, $3, 'ios', now())),
       e as (insert into episodes (user_id, episode, opened_at, closed_at, outcome) values ($1, 1, now(), now(), 'read')),
       p as (insert into passkeys (user_id, id, credential_id, public_key, counter, transports, name, created_at)
         values ($1, $6, uuid_send($6), '', 0, '{}', 'Laptop', now())),
       i as (insert into identities (user_id, provider, issuer, subject, created_at)
         values ($1, $6::text, 'https://id.example', $6::text, now())),
       t as (insert into totp (user_id, secret, key_id, begun_at, confirmed_at) values ($1, '', 'none', now(), now())),
       a as (insert into access_tokens (user_id, id, token_hash, name, scopes, created_at, expires_at)
         values ($1, $7, uuid_send($7), 'Bot', '{}', now(), now() + interval '1 day')),
       u as (insert into users (id, display_name, kind, owner_id, password_hash, locale, time_zone, created_at)
         values ($8, 'Robot', 'bot', $1, '', 'en', 'UTC', now())),
       b as (insert into blocks (user_id, blocked_id, at) values ($1, $5, now()))
       insert into attempts (user_id, id, episode, channel, state, covers, claimed_at, called_at)
         values ($1, $4, 1, 'push', 'accepted', '[]', now(), now())`,
      [userId, session, device, notification, block, passkey, accessToken, bot],
    );
    return { session, device, notification, block, passkey, identity: passkey, accessToken, bot };
  }

  /** The same person in every way but for who they are: for what would change a person of the world. */
  async twinOf({ name, id, role, scopes }: Actor): Promise<Actor> {
    const [twin, sessionId] = [randomUUID(), randomUUID()];
    const { rows } = await this.db.query<{ columns: string }>(
      `select string_agg(quote_ident(column_name), ', ') as columns from information_schema.columns
       where table_name = 'users' and column_name not in ('id', 'email', 'phone')`,
    );
    const { columns = '' } = rows[0] ?? {};
    await this.db.query(
      `insert into users (id, email, ${columns})
       select '${twin}', case when kind = 'person' then '${twin}@example.test' end, ${columns} from users where id = '${id}'`,
    );
    const own = await this.#makeOwned(twin);
    if (scopes) return { name, role, scopes, own, id: twin, ...(await this.#giveToken(twin, scopes)) };
    await this.db.query(
      `insert into sessions (user_id, id, created_at, last_used_at, expires_at, proved_at, proved_by_factor)
       values ($1, $2, now(), now(), now() + interval '1 day', now(), true)`,
      [twin, sessionId],
    );
    const token = this.tokenOf(twin, sessionId);
    return { name, id: twin, sessionId, role, scopes, token, own };
  }

  /** Makes programs of who has done until now what people do. */
  async #makePrograms(): Promise<void> {
    const bot = this.actor('bot').id;
    await this.db.query("update users set kind = 'bot', owner_id = $2, email = null where id = $1", [
      ...[bot, this.actor('owner').id],
    ]);
    for (const [name, scopes] of Object.entries(scopesOf)) {
      const actor = this.actor(name);
      this.actors.set(name, { ...actor, scopes, ...(await this.#giveToken(actor.id, scopes)) });
    }
  }

  async #giveToken(userId: string, scopes: readonly Scope[]): Promise<Pick<Actor, 'token' | 'sessionId'>> {
    const [token, sessionId] = [newToken(), randomUUID()];
    await this.db.query(
      `insert into access_tokens (user_id, id, token_hash, name, scopes, created_at, expires_at)
       values ($1, $2, $3, 'Program', $4, now(), now() + interval '1 day')`,
      [userId, sessionId, hashToken(token), scopes],
    );
    return { token, sessionId };
  }

  tokenOf(userId: string, sessionId: string, expiresIn = 900): string {
    const [{ key, kid }] = JSON.parse(this.app.env.HOMING_JWT_KEYS ?? '') as [{ key: string; kid: string }];
    const header = { alg: 'ES256', typ: 'at+jwt', kid } as const;
    const issuer = String(this.app.env.HOMING_PUBLIC_URL);
    return jwt.sign({ sid: sessionId, sub: userId }, key, {
      ...{ algorithm: 'ES256', audience: 'homing', issuer },
      expiresIn,
      header,
    });
  }

  async #makePlaces(): Promise<void> {
    const owner = this.#person('owner');
    const members = membersOf.map((name) => this.#person(name));
    this.places.push(
      await this.#furnish('group', await makeGroup(owner, members)),
      await this.#furnish('channel', await makeChannel(owner, { memberIds: members.map(({ id }) => id) })),
      await this.#furnish('announcements', await makeGroup(owner, members), { posting: 'admins' }),
      await this.#lateGroup(),
      await this.#openChannel(),
      await this.#direct('direct', 'member'),
      await this.#direct('blocked direct', 'blocked'),
      await this.#foreign(),
      await this.#ended(),
    );
  }

  /** Everybody says something, keeps a draft, and becomes what they are called. */
  async #furnish(name: string, { id, kind }: Conversation, patch?: object): Promise<Place> {
    const owner = this.#person('owner');
    const said: Said[] = [];
    const speakers = ['owner', ...membersOf] as const;
    for (const author of speakers) {
      said.push({ id: (await send(this.#person(author), id, textIn(name))).id, author, state: 'said' });
      const gone = await send(this.#person(author), id, texts.deleted);
      expectStatus(await this.#person(author).call('DELETE', `/v1/conversations/${id}/messages/${gone.id}`), 200);
      said.push({ id: gone.id, author, state: 'deleted' });
      expectStatus(
        await this.#person(author).call('PUT', `/v1/conversations/${id}/draft`, { text: draftOf(author) }),
        200,
      );
    }
    await send(this.#person('member'), id, textIn(name), { threadId: said[0]?.id });
    const at = (who: ActorName) => `/v1/conversations/${id}/members/${this.#person(who).id}`;
    expectStatus(await owner.call('PATCH', at('admin'), { role: 'admin' }), 204);
    expectStatus(await owner.call('PATCH', at('readOnly'), { role: 'read_only' }), 204);
    expectStatus(await owner.call('DELETE', at('exMember')), 204);
    expectStatus(await owner.call('PUT', `/v1/conversations/${id}/bans/${this.#person('banned').id}`), 204);
    const invite = expectStatus(await owner.call<Invite>('POST', `/v1/conversations/${id}/invites`, {}), 201);
    if (patch) expectStatus(await owner.call('PATCH', `/v1/conversations/${id}`, patch), 200);
    const { items } = expectStatus(
      await owner.call<{ items: Message[] }>('GET', `/v1/conversations/${id}/messages?limit=200`),
      200,
    );
    const system = items.find(({ kind: what }) => what === 'system');
    if (system) said.push({ id: system.id, author: 'owner', state: 'system' });
    return {
      ...{ name, id, kind, posting: 'members', blocked: false, open: false, ended: false },
      ...patch,
      ...{ roles: rolesNow, banned: new Set(['banned']), said, drafts: new Set(speakers), invite },
    };
  }

  /** New members read from their joining on; the owner has said something before. */
  async #lateGroup(): Promise<Place> {
    const owner = this.#person('owner');
    const body = { clientId: randomUUIDv7(), kind: 'group', title: 'Late', memberIds: [], history: 'joining' };
    const made = expectStatus(await owner.call<Conversation>('POST', '/v1/conversations', body), 201);
    const early = await send(owner, made.id, texts.early);
    const userIds = membersOf.map((name) => this.#person(name).id);
    expectStatus(await owner.call('POST', `/v1/conversations/${made.id}/members`, { userIds }), 200);
    const place = await this.#furnish('late', made);
    return { ...place, said: [...place.said, { id: early.id, author: 'owner', state: 'early' }] };
  }

  async #openChannel(): Promise<Place> {
    const owner = this.#person('owner');
    const members = membersOf.map((name) => this.#person(name).id);
    const made = await makeChannel(owner, { memberIds: members, visibility: 'open' });
    return { ...(await this.#furnish('open', made)), open: true };
  }

  async #direct(name: string, other: 'member' | 'blocked'): Promise<Place> {
    const [owner, friend] = [this.#person('owner'), this.#person(other)];
    const { id } = await makeDirect(owner, friend);
    const said: Said[] = [];
    for (const [author, person] of [
      ['owner', owner],
      [other, friend],
    ] as const)
      said.push({ id: (await send(person, id, textIn(name))).id, author, state: 'said' });
    const blocked = other === 'blocked';
    if (blocked) expectStatus(await owner.call('PUT', `/v1/me/blocks/${friend.id}`), 204);
    const roles = { owner: 'member', [other]: 'member' } as const;
    return {
      ...{ name, id, kind: 'direct', posting: 'members', blocked, open: false, ended: false, roles, said },
      ...{ banned: new Set(), drafts: new Set(), invite: null },
    };
  }

  /** Of people who are nobody of the others. */
  async #foreign(): Promise<Place> {
    const foreigner = this.#person('foreigner');
    const { id } = await makeGroup(foreigner, [this.#person('friend')], 'Foreign');
    const message = await send(foreigner, id, textIn('foreign'));
    const invite = expectStatus(await foreigner.call<Invite>('POST', `/v1/conversations/${id}/invites`, {}), 201);
    return {
      ...{ name: 'foreign', id, kind: 'group', posting: 'members', blocked: false, open: false, ended: false },
      ...{ roles: {}, banned: new Set(), drafts: new Set(), invite },
      said: [{ id: message.id, author: 'foreigner', state: 'said' }],
    };
  }

  async #ended(): Promise<Place> {
    const owner = this.#person('owner');
    const members = membersOf.map((name) => this.#person(name));
    const place = await this.#furnish('ended', await makeGroup(owner, members));
    expectStatus(await owner.call('DELETE', `/v1/conversations/${place.id}`), 204);
    return { ...place, ended: true, roles: {} };
  }

  async #makeOutsiders(): Promise<void> {
    const { id, sessionId, own } = this.actor('member');
    const nobody = { ...{ id, sessionId, own }, role: 'member' as const, scopes: null };
    this.actors.set('anonymous', { ...nobody, name: 'anonymous', token: null });
    this.actors.set('expired', { ...nobody, name: 'expired', token: this.tokenOf(id, sessionId, -120) });
    const revoked = this.#person('revoked');
    expectStatus(await revoked.call('POST', '/v1/auth/logout'), 204);
    await this.db.query("update users set status = 'suspended' where id = $1", [this.actor('suspended').id]);
    const token = this.#person('suspended').token;
    await until(
      () => call(this.app.url, 'GET', '/v1/me', { token }),
      ({ status }) => status === 401,
    );
  }

  /** What of an answer is none of the actor's: texts, and the ids of conversations and of messages. */
  leaksTo(actor: Actor, body: unknown, what: 'all' | 'texts'): string[] {
    const told = JSON.stringify(body ?? null);
    const theirs = (place: Place) => place.roles[actor.name] !== undefined;
    const isSecret = [
      ...[texts.deleted, ...(actor.name === 'owner' ? [] : [texts.early])],
      ...this.places.filter((place) => !theirs(place)).map(({ name }) => textIn(name)),
      ...people.filter((name) => name !== actor.name).map(draftOf),
    ];
    const ids = this.places.flatMap((place) => [
      ...(theirs(place) ? [] : [...(place.open ? [] : [place.id]), ...place.said.map(({ id }) => id)]),
      ...place.said.filter(({ state }) => state === 'early' && actor.name !== 'owner').map(({ id }) => id),
    ]);
    return [...isSecret, ...(what === 'all' ? ids : [])].filter((secret) => told.includes(secret));
  }

  /** A conversation of its own like that place: the same people, the same messages under the same ids. */
  async copyOf(place: Place): Promise<Place> {
    const id = randomUUID();
    const code = randomBytes(16).toString('base64url');
    const tables = [
      'conversations',
      'members',
      'messages',
      'events',
      'bans',
      'invites',
      'drafts',
      'threads',
      'thread_members',
    ];
    const copies = await Promise.all(tables.map((table) => this.#copying(table, { id, code })));
    const steps = copies.map((copy, index) => `c${index} as (${copy})`).join(', ');
    await this.db.query(`with ${steps} select 1`.replaceAll('$from', `'${place.id}'`));
    return { ...place, id, invite: place.invite && { ...place.invite, code } };
  }

  readonly #columns = new Map<string, Promise<string[]>>();

  async #copying(table: string, { id, code }: { id: string; code: string }): Promise<string> {
    const columns = this.#columns.get(table) ?? this.#columnsOf(table);
    this.#columns.set(table, columns);
    const key = table === 'conversations' ? 'id' : 'conversation_id';
    const instead: Record<string, string> = { [key]: `'${id}'`, ...(table === 'invites' ? { code: `'${code}'` } : {}) };
    const names = await columns;
    const values = names.map((name) => instead[name] ?? name);
    return `insert into ${table} (${names.join()}) select ${values.join()} from ${table} where ${key} = $from`;
  }

  async #columnsOf(table: string): Promise<string[]> {
    const { rows } = await this.db.query<{ name: string }>(
      `select quote_ident(column_name) as name from information_schema.columns where table_schema = 'public' and table_name = $1`,
      [table],
    );
    return rows.map(({ name }) => name);
  }
}
