import type { Ban, Conversation, Invite, Member, Message, Role } from '../contracts/entities/index.ts';
import type { ClientId, ConversationId, UserId } from '../contracts/ids.ts';
import { type Insist, insistGone } from './insist.ts';
import type { Rest, RestInput } from './rest.ts';
import type { Turns } from './turns.ts';

/** What the calls about one subject need: what may be repeated is, for as long as one answer may take. */
export interface Asks {
  rest: Rest;
  insist: Insist;
  turns: Turns;
  /** The conversation has come so far: what is missed of it is fetched. */
  hearHead: (id: ConversationId, version: number) => void;
  newId: () => string;
}

interface Page<Item> {
  items: Item[];
  /** Names the next page; null at the end. */
  nextCursor: string | null;
}
interface PageOptions {
  limit?: number;
  cursor?: string;
}
type NewMember = Exclude<Role, 'owner'>;

/** Who belongs to a conversation. */
export class Members {
  readonly #asks: Asks;

  constructor(asks: Asks) {
    this.#asks = asks;
  }

  /** A page of them, with their watermarks where it tells receipts; at most 200. */
  list(conversationId: string, page: PageOptions = {}): Promise<Page<Member>> {
    return this.#asks.rest('listMembers', { params: { id: conversationId }, query: page });
  }

  /** Adds people; who belongs to it already stays as they are. */
  async add(conversationId: string, userIds: readonly string[], role: NewMember = 'member'): Promise<Conversation> {
    const input = { params: { id: conversationId }, body: { userIds: userIds as UserId[], role } };
    const { rest, insist, hearHead } = this.#asks;
    const grown = await insist(() => rest('addMembers', input));
    hearHead(grown.id, grown.version);
    return grown;
  }

  /** Removes somebody: nothing that is written afterwards reaches them. */
  remove(conversationId: string, userId: string): Promise<void> {
    return this.#gone('removeMember', { id: conversationId, userId });
  }

  async changeRole(conversationId: string, userId: string, role: Role): Promise<void> {
    const input = { params: { id: conversationId, userId }, body: { role } };
    await this.#asks.insist(() => this.#asks.rest('changeMember', input));
  }

  /** Hands the conversation over: the other becomes its owner, oneself an admin. */
  transfer(conversationId: string, userId: string): Promise<void> {
    const { rest, insist } = this.#asks;
    const input = { params: { id: conversationId }, body: { userId: userId as UserId } };
    // Who has handed over may not do it again.
    return insistGone(insist, () => rest('transferOwnership', input), 'forbidden');
  }

  /** Comes into an open channel; who belongs to it already stays. */
  async join(conversationId: string): Promise<Conversation> {
    const { rest, insist, hearHead } = this.#asks;
    const joined = await insist(() => rest('joinChannel', { params: { id: conversationId } }));
    hearHead(joined.id, joined.version);
    return joined;
  }

  leave(conversationId: string): Promise<void> {
    const { rest, insist } = this.#asks;
    return insistGone(insist, () => rest('leaveConversation', { params: { id: conversationId } }));
  }

  /** Removes somebody and keeps them out. */
  async ban(conversationId: string, userId: string): Promise<void> {
    const input = { params: { id: conversationId, userId } };
    await this.#asks.insist(() => this.#asks.rest('banMember', input));
  }

  unban(conversationId: string, userId: string): Promise<void> {
    return this.#gone('unbanMember', { id: conversationId, userId });
  }

  /** A page of those who may not come back. */
  bans(conversationId: string, page: PageOptions = {}): Promise<Page<Ban>> {
    return this.#asks.rest('listBans', { params: { id: conversationId }, query: page });
  }

  #gone(operation: 'removeMember' | 'unbanMember', params: { id: string; userId: string }): Promise<void> {
    const { rest, insist } = this.#asks;
    return insistGone(insist, () => rest(operation, { params }));
  }
}

/** Codes by which people come into a conversation by themselves. */
export class Invites {
  readonly #asks: Asks;

  constructor(asks: Asks) {
    this.#asks = asks;
  }

  /** Makes a code; it is good for seven days and for any number of people, unless told otherwise. */
  create(conversationId: string, bounds: Omit<RestInput<'createInvite'>['body'], 'clientId'> = {}): Promise<Invite> {
    const body = { ...bounds, clientId: this.#asks.newId() as ClientId };
    return this.#asks.insist(() => this.#asks.rest('createInvite', { params: { id: conversationId }, body }));
  }

  /** All that are good yet. */
  async list(conversationId: string): Promise<Invite[]> {
    return (await this.#asks.rest('listInvites', { params: { id: conversationId } })).items;
  }

  revoke(conversationId: string, inviteId: string): Promise<void> {
    const { rest, insist } = this.#asks;
    return insistGone(insist, () => rest('revokeInvite', { params: { id: conversationId, inviteId } }));
  }

  /** Comes into the conversation that the code is of; who belongs to it already stays. */
  async accept(code: string): Promise<Conversation> {
    const { rest, insist, hearHead } = this.#asks;
    const joined = await insist(() => rest('acceptInvite', { params: { code } }));
    hearHead(joined.id, joined.version);
    return joined;
  }
}

/** What is kept in view in a conversation. */
export class Pins {
  readonly #asks: Asks;

  constructor(asks: Asks) {
    this.#asks = asks;
  }

  /** Pins a message for everybody; one that is pinned already stays so. */
  pin(conversationId: string, messageId: string): Promise<void> {
    return this.#set('pinMessage', conversationId, messageId);
  }

  unpin(conversationId: string, messageId: string): Promise<void> {
    return this.#set('unpinMessage', conversationId, messageId);
  }

  async #set(operation: 'pinMessage' | 'unpinMessage', id: string, messageId: string): Promise<void> {
    const { rest, insist, turns } = this.#asks;
    await turns.take(`message/${messageId}`, () => insist(() => rest(operation, { params: { id, messageId } })));
  }

  /** All of them, the latest pinned first. */
  async list(conversationId: string): Promise<Message[]> {
    return (await this.#asks.rest('listPins', { params: { id: conversationId } })).items;
  }
}

/** Whom the person has blocked; what they wrote is marked by the event that follows. */
export class Blocks {
  readonly #asks: Asks;

  constructor(asks: Asks) {
    this.#asks = asks;
  }

  async block(userId: string): Promise<void> {
    await this.#asks.insist(() => this.#asks.rest('blockUser', { params: { userId } }));
  }

  unblock(userId: string): Promise<void> {
    const { rest, insist } = this.#asks;
    return insistGone(insist, () => rest('unblockUser', { params: { userId } }));
  }

  /** All of them, the latest first. */
  async list(): Promise<{ userId: UserId; at: string }[]> {
    return (await this.#asks.rest('listBlocks')).items;
  }
}
