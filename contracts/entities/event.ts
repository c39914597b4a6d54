import { z } from 'zod';
import { ConversationId, UserId } from '../ids.ts';
import { Instant, Seq, Version } from './common.ts';
import { ConversationKind, Member } from './conversation.ts';
import { Message } from './message.ts';

const logged = { conversationId: ConversationId, version: Version, at: Instant, actorId: UserId };

/**
 * One entry of a conversation's log: gapless versions, commit order. It carries all that a client needs to apply it
 * without another request.
 */
export const ConversationEvent = z
  .discriminatedUnion('type', [
    z.strictObject({
      ...logged,
      type: z.literal('conversation.created'),
      data: z.strictObject({
        kind: ConversationKind,
        title: z.string().nullable(),
        members: z.array(Member.pick({ userId: true, displayName: true, role: true })),
      }),
    }),
    z.strictObject({ ...logged, type: z.literal('message.created'), data: z.strictObject({ message: Message }) }),
  ])
  .meta({ id: 'ConversationEvent' });
export type ConversationEvent = z.infer<typeof ConversationEvent>;

/** A member's two watermarks: state, not history, so outside the log. Both only move forward. */
export const Receipt = z
  .strictObject({ conversationId: ConversationId, userId: UserId, deliveredSeq: Seq, readSeq: Seq })
  .meta({ id: 'Receipt' });
export type Receipt = z.infer<typeof Receipt>;
