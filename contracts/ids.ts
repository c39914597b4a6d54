import { z } from 'zod';

/**
 * Identifiers as they cross every border: lower-case UUID strings. The brand exists for the compiler only, so that a
 * user's id can never be passed where a conversation's is meant.
 */
const id = <Brand extends string>(brand: Brand) =>
  z
    .uuid()
    .toLowerCase()
    .meta({ description: `${brand} (UUIDv7)` })
    .brand<Brand>();

export const UserId = id('UserId');
export const SessionId = id('SessionId');
export const DeviceId = id('DeviceId');
export const PasskeyId = id('PasskeyId');
export const TokenId = id('TokenId');
export const ConversationId = id('ConversationId');
export const MessageId = id('MessageId');
export const InviteId = id('InviteId');
/** Of a notification that was sent: `attemptId` of a push, `n` of a link. */
export const AttemptId = id('AttemptId');
/** Chosen by the client, names one creation for ever; a repeat answers with the first result. UUIDv7 preferred. */
export const ClientId = id('ClientId');

export type UserId = z.infer<typeof UserId>;
export type SessionId = z.infer<typeof SessionId>;
export type DeviceId = z.infer<typeof DeviceId>;
export type PasskeyId = z.infer<typeof PasskeyId>;
export type TokenId = z.infer<typeof TokenId>;
export type ConversationId = z.infer<typeof ConversationId>;
export type MessageId = z.infer<typeof MessageId>;
export type AttemptId = z.infer<typeof AttemptId>;
export type InviteId = z.infer<typeof InviteId>;
export type ClientId = z.infer<typeof ClientId>;

/** A number by which things with ids can be parted into heaps that are alike: the end of an id is random (RFC 9562). */
export const placeOf = (id: string): number => Number.parseInt(id.slice(-4), 16);
/** Such numbers are below this. */
export const places = 0x1_00_00;
