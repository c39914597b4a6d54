import { z } from 'zod';
import {
  EventsAfter,
  Message,
  MessageEdit,
  NewMessage,
  PersonPresence,
  Receipt,
  SyncRequest,
  SyncResponse,
  Version,
} from '../entities/index.ts';
import { ConversationId, MessageId } from '../ids.ts';
import { limits } from '../limits.ts';
import { Emoji } from '../rest/messages.ts';
import { ReceiptUpdate } from '../rest/read-state.ts';
import { OperationAnswer, OperationRequest } from './operation-request.ts';

interface ClientEvent<Input extends z.ZodType = z.ZodType, Answer extends z.ZodType = z.ZodType> {
  readonly summary: string;
  readonly input: Input;
  readonly answer: Answer;
}
const clientEvent = <Input extends z.ZodType, Answer extends z.ZodType>(definition: ClientEvent<Input, Answer>) =>
  definition;

/** What a client may ask over the socket. Every one is acknowledged: `{ ok: true, … }` or `{ ok: false, error }`. */
export const clientEvents = {
  'message.send': clientEvent({
    summary: 'Sends a message. `repeated` is true when this clientId was stored before',
    input: z.strictObject({ conversationId: ConversationId, message: NewMessage }).meta({ id: 'MessageSend' }),
    answer: z.strictObject({ message: Message, repeated: z.boolean() }),
  }),
  'message.edit': clientEvent({
    summary: 'Says something else instead; not of what was forwarded',
    input: z
      .strictObject({ conversationId: ConversationId, messageId: MessageId, edit: MessageEdit })
      .meta({ id: 'MessageEditRequest' }),
    answer: z.strictObject({ message: Message }),
  }),
  'message.delete': clientEvent({
    summary: 'Deletes a message for everyone',
    input: z.strictObject({ conversationId: ConversationId, messageId: MessageId }).meta({ id: 'MessageDelete' }),
    answer: z.strictObject({ message: Message }),
  }),
  'reaction.set': clientEvent({
    summary: 'Reacts with an emoji, or takes the reaction back',
    input: z
      .strictObject({ conversationId: ConversationId, messageId: MessageId, emoji: Emoji, on: z.boolean() })
      .meta({ id: 'ReactionSet' }),
    answer: z.strictObject({ message: Message }),
  }),
  'receipt.update': clientEvent({
    summary: 'Moves my delivered and read watermarks forward',
    input: z.strictObject({ conversationId: ConversationId, receipt: ReceiptUpdate }).meta({ id: 'ReceiptSet' }),
    answer: z.strictObject({ receipt: Receipt }),
  }),
  'typing.set': clientEvent({
    summary:
      'I write, or no longer: told to the others who look at the conversation. Renew it every three seconds while it lasts',
    input: z.strictObject({ conversationId: ConversationId, on: z.boolean() }).meta({ id: 'TypingSet' }),
    answer: z.strictObject({}),
  }),
  'presence.set': clientEvent({
    summary:
      'What I do with this device (`active` after input in the last minute, `hidden` while nobody sees it, `idle` otherwise), and which conversation I look at: whose presence and typing I am then told of, and whose messages I get time to read before they are pushed. Of this connection: say it again over the next; until then it counts as `active` and looks at none',
    input: z
      .strictObject({ state: z.enum(['active', 'idle', 'hidden']), viewing: ConversationId.nullable() })
      .meta({ id: 'PresenceSet' }),
    answer: z.strictObject({ presences: z.array(PersonPresence) }),
  }),
  sync: clientEvent({
    summary: 'Everything that moved since the versions that I hold',
    input: SyncRequest,
    answer: SyncResponse,
  }),
  'events.after': clientEvent({
    summary: 'The log of one conversation after a version',
    input: z
      .strictObject({
        conversationId: ConversationId,
        after: Version,
        limit: z.int().min(1).max(limits.catchUpEvents).optional(),
      })
      .meta({ id: 'EventsAfterRequest' }),
    answer: z.strictObject({ page: EventsAfter }),
  }),
  'session.renew': clientEvent({
    summary: 'Gives the socket a newer access token of the same session before the old one runs out',
    input: z.strictObject({ token: z.string().min(1).max(4096) }).meta({ id: 'SessionRenew' }),
    answer: z.strictObject({ accessTokenExpiresAt: z.string() }),
  }),
  request: clientEvent({
    summary: 'Any operation of REST that needs a signed-in person, by its `operationId`: same input, same answer',
    input: OperationRequest,
    answer: OperationAnswer,
  }),
};

export type ClientEvents = typeof clientEvents;
export type ClientEventName = keyof ClientEvents;
export type ClientEventInput<Name extends ClientEventName> = z.infer<ClientEvents[Name]['input']>;
export type ClientEventAnswer<Name extends ClientEventName> = z.infer<ClientEvents[Name]['answer']>;

/** What the client gives in the handshake. The token is never in the URL, where logs would keep it. */
export const Handshake = z
  .strictObject({
    token: z.string().min(1).max(4096),
    deviceId: z.uuid().optional(),
    known: SyncRequest.shape.known.optional(),
  })
  .meta({ id: 'Handshake' });
export type Handshake = z.infer<typeof Handshake>;
