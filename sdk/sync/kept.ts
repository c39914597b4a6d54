import type { MyMembership } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { ConversationState } from '../reducer.ts';
import type { Held, Watermarks } from './conversations.ts';

/** The shape of what is kept. With another number, of an older or a newer client, it is thrown away and fetched anew. */
const schema = 4;

type Members = NonNullable<ConversationState['members']>;

/** What the storage keeps of one conversation: its newest messages, oldest first. */
export interface Kept {
  schema: number;
  /** When its whole state was last given by the server: milliseconds since 1970. */
  wholeAt: number;
  state: Omit<ConversationState, 'members' | 'messages'> & {
    members: [UserId, Members extends Map<UserId, infer Member> ? Member : never][] | null;
    messages: (ConversationState['messages'] extends Map<number, infer Message> ? Message : never)[];
  };
  me: MyMembership;
  receipts: [UserId, Watermarks][];
  toldSeq: number | null;
  createdAt: string;
  lastActiveAt: string;
}

export function toKept({ state, me, receipts, ...rest }: Held, wholeAt: number, messages: number): Kept {
  const newest = [...state.messages.values()].sort((a, b) => a.seq - b.seq).slice(-messages);
  const members = state.members && [...state.members];
  return { schema, wholeAt, state: { ...state, members, messages: newest }, me, receipts: [...receipts], ...rest };
}

/** What was kept, as it is held; undefined where this client cannot read it. */
export function fromKept(value: unknown): { held: Held; wholeAt: number } | undefined {
  const kept = value as Partial<Kept> | undefined;
  if (kept?.schema !== schema) return undefined;
  const { state, me, receipts, wholeAt, schema: _, ...rest } = kept as Kept;
  const members = state.members && new Map(state.members);
  const messages = new Map(state.messages.map((message) => [message.seq, message]));
  const held = { state: { ...state, members, messages }, me, receipts: new Map(receipts), ...rest };
  return { held, wholeAt };
}
