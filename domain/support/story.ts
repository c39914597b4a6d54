import type { UserStory } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../../db/client.ts';
import { devicesOf } from '../../db/queries/devices.ts';
import { episodesPage } from '../../db/queries/stories.ts';
import { type UserRow, userById } from '../../db/queries/users.ts';
import { suppressedOf } from '../attention/index.ts';
import { commit } from '../commit.ts';
import { openCursor, sealCursor } from '../cursor.ts';
import type { Deps } from '../deps.ts';
import { notFound } from '../errors.ts';
import { type By, audit } from '../audit/index.ts';
import { maskEmail, maskPhone } from './mask.ts';
import { tellEpisodes } from './tell-episodes.ts';

type StoryDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'mac' | 'publishLive' | 'workflowUrl'>;

/** What was decided, tried and heard for a person, the latest episode first; and how they can be reached, masked. */
export async function userStory(
  deps: StoryDeps,
  by: By,
  id: UserId,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<UserStory> {
  const list = `story ${id}`;
  const [before] = cursor === undefined ? [] : openCursor(deps, list, cursor);
  return commit(deps, async (tx) => {
    const user = await userById(tx, id);
    if (!user) throw notFound();
    const page = { before: before === undefined ? undefined : Number(before), limit: limit + 1 };
    const rows = await episodesPage(tx, id, page);
    const shown = rows.slice(0, limit);
    const last = rows.length > limit ? shown.at(-1) : undefined;
    const items = await tellEpisodes(tx, deps, id, shown);
    const nextCursor = last ? sealCursor(deps, list, [String(last.episode)]) : null;
    const person = await reachOf(tx, deps, user);
    await audit(tx, deps, by, { action: 'story', userId: id });
    return { value: { person, items, nextCursor } };
  });
}

async function reachOf(db: Queryable, deps: Pick<Deps, 'mac' | 'now'>, user: UserRow): Promise<UserStory['person']> {
  const suppressed = await suppressedOf(db, deps, user);
  const devices = await devicesOf(db, user.id);
  const contact = (masked: string, verifiedAt: Date | null, cause: string | undefined) => ({
    masked,
    verified: verifiedAt !== null,
    suppressed: cause ?? null,
  });
  return {
    id: user.id,
    displayName: user.displayName,
    status: user.status,
    timeZone: user.timeZone,
    email: user.email === null ? null : contact(maskEmail(user.email), user.emailVerifiedAt, suppressed.email),
    phone: user.phone === null ? null : contact(maskPhone(user.phone), user.phoneVerifiedAt, suppressed.sms),
    devices: devices.map(({ id, platform, pushToken, pushState, pushPermission, pushEnabled, lastSeenAt }) => ({
      id,
      platform,
      hasPushToken: pushToken !== null,
      pushState,
      pushPermission,
      pushEnabled,
      lastSeenAt: lastSeenAt.toISOString(),
    })),
  };
}
