import type { ConversationKind, Role } from '../../contracts/entities/index.ts';

const all: readonly Role[] = ['owner', 'admin', 'member', 'read_only'];
const writers: readonly Role[] = ['owner', 'admin', 'member'];
const leads: readonly Role[] = ['owner', 'admin'];
const owners: readonly Role[] = ['owner'];
const nobody: readonly Role[] = [];

/**
 * Who may do what, by kind of conversation and role: the one table for every door. Reading is a right of every member.
 * In a direct conversation both are members. What may be done to another member is a question of rank as well.
 */
export const rights = {
  write: { direct: writers, group: writers, channel: writers },
  /** Write where only owners and admins do (`posting: admins`). */
  announce: { direct: nobody, group: leads, channel: leads },
  /** Mention everyone, or those who are here. */
  callEverybody: { direct: writers, group: writers, channel: leads },
  react: { direct: writers, group: writers, channel: writers },
  /** Take one's own reaction back. */
  unreact: { direct: all, group: all, channel: all },
  editOwn: { direct: writers, group: writers, channel: writers },
  deleteOwn: { direct: all, group: all, channel: all },
  deleteAny: { direct: nobody, group: leads, channel: leads },
  /** Be told how far a message of one's own has come. */
  seeReceipts: { direct: all, group: all, channel: nobody },
  pin: { direct: writers, group: writers, channel: leads },
  addMembers: { direct: nobody, group: leads, channel: leads },
  invite: { direct: nobody, group: leads, channel: leads },
  removeMembers: { direct: nobody, group: leads, channel: leads },
  changeRoles: { direct: nobody, group: leads, channel: leads },
  leave: { direct: nobody, group: all, channel: all },
  changeSettings: { direct: nobody, group: leads, channel: leads },
  transfer: { direct: nobody, group: owners, channel: owners },
  end: { direct: nobody, group: owners, channel: owners },
} satisfies Record<string, Record<ConversationKind, readonly Role[]>>;
export type Right = keyof typeof rights;

export const may = (right: Right, kind: ConversationKind, role: Role): boolean =>
  (rights[right][kind] as readonly Role[]).includes(role);

/** Owners stand above admins, admins above the rest; nobody acts on their equals or betters, but owners on each other. */
const rank: Record<Role, number> = { owner: 2, admin: 1, member: 0, read_only: 0 };

export const outranks = (actor: Role, other: Role): boolean => actor === 'owner' || rank[actor] > rank[other];

/** What the statement that stores messages must know of the table: the same in every kind of conversation. */
export const sendRights = {
  write: rights.write.group,
  announce: rights.announce.group,
  callChannel: rights.callEverybody.channel,
};
