import type { AccessToken, Bot, NewBot, NewToken, TokenMade } from '../../contracts/entities/index.ts';
import type { DomainEvent } from '../../contracts/events.ts';
import type { UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { type BotRow, botById, botsOf, insertBot, renameBotRow } from '../../db/queries/bots.ts';
import { updateUserStatus } from '../../db/queries/users.ts';
import { requireRole } from '../access/index.ts';
import { audit } from '../audit/index.ts';
import { commit } from '../commit.ts';
import { stepDown } from '../conversations/index.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import { endTokens, holdOwner, listTokens, makeToken } from './access-tokens.ts';

type BotDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>;

/**
 * Makes a user that is a program, with its first token. Whoever makes it owns it and answers for it: what a person may not
 * do any more their bots may not either. An admin who ends it needs to ask nobody.
 */
export const createBot = (
  deps: BotDeps,
  actor: Actor,
  { displayName, token }: NewBot,
): Promise<{ bot: Bot } & TokenMade> =>
  commit(deps, async (tx) => {
    const owner = await holdOwner(tx, actor);
    if ((await botsOf(tx, owner.id)).length >= limits.botsPerUser) throw tooManyBots();
    const id = deps.newId() as UserId;
    const { locale, timeZone } = owner;
    const bot = { id, displayName, ownerId: owner.id, createdAt: deps.now() };
    await insertBot(tx, { ...bot, locale, timeZone });
    const made = await makeToken(tx, deps, { owner, userId: id }, token);
    await audit(tx, deps, actor, { action: 'make_bot', userId: id });
    return { value: { bot: present({ ...bot, status: 'active' }), ...made } };
  });

const tooManyBots = () =>
  new DomainError('limit_reached', {
    detail: `A person may have ${limits.botsPerUser} bots; end one that is no longer used.`,
  });

const present = ({ id, displayName, ownerId, createdAt, status }: BotRow): Bot => ({
  ...{ id, displayName, ownerId },
  createdAt: createdAt.toISOString(),
  status: status === 'active' ? 'active' : 'suspended',
});

export async function listBots(deps: Pick<Deps, 'db'>, { userId }: Actor): Promise<Bot[]> {
  return (await botsOf(deps.db, userId)).map(present);
}

/** Its owner and admins may; to anybody else it is not there. */
async function requireBot(deps: Pick<Deps, 'db'>, actor: Actor, id: UserId): Promise<BotRow> {
  const bot = await botById(deps.db, id);
  if (!bot) throw notFound();
  if (bot.ownerId === actor.userId) return bot;
  await requireRole(deps.db, actor, 'admin').catch(() => {
    throw notFound();
  });
  return bot;
}

export async function renameBot(deps: BotDeps, actor: Actor, id: UserId, displayName: string): Promise<Bot> {
  await requireBot(deps, actor, id);
  return commit(deps, async (tx) => {
    const bot = await tx.asEverybody((all) => renameBotRow(all, id, displayName));
    if (!bot) throw notFound();
    await audit(tx, deps, actor, { action: 'rename_bot', userId: id });
    return { value: present(bot) };
  });
}

/** It comes in no more, for good, and is told nothing more; what it owns others own. What it has written stays, as that of anybody does. */
export async function endBot(deps: BotDeps, actor: Actor, id: UserId): Promise<void> {
  const { ownerId } = await requireBot(deps, actor, id);
  await commit(deps, async (tx) => {
    // Whose bot it is, an admin who ends it need not be.
    const [sessionIds, changes] = await tx.asEverybody(async (all) => {
      // Of two who end it at once the second finds none.
      if ((await updateUserStatus(all, id, 'ended')) === 'ended') throw notFound();
      return [await endTokens(all, id, 'bot_ended'), await stepDown(all, deps, { botId: id, ownerId })] as const;
    });
    await audit(tx, deps, actor, { action: 'end_bot', userId: id });
    const ended: DomainEvent[] = sessionIds.length > 0 ? [{ type: 'session.ended', userId: id, sessionIds }] : [];
    return { value: undefined, events: [...ended, ...changes] };
  });
}

/** Another token for a bot of the actor's. */
export const createBotToken = (deps: BotDeps, actor: Actor, id: UserId, input: NewToken): Promise<TokenMade> =>
  commit(deps, async (tx) => {
    const owner = await holdOwner(tx, actor);
    const bot = await botById(tx, id);
    if (bot?.ownerId !== owner.id) throw notFound();
    if (bot.status !== 'active') throw suspended();
    return { value: await makeToken(tx, deps, { owner, userId: id }, input) };
  });

const suspended = () =>
  new DomainError('forbidden', { detail: 'An admin has suspended this bot; a token of it would let nobody in.' });

export async function listBotTokens(deps: Pick<Deps, 'db'>, { userId }: Actor, id: UserId): Promise<AccessToken[]> {
  if ((await botById(deps.db, id))?.ownerId !== userId) throw notFound();
  return listTokens(deps, id);
}
