import { z } from 'zod';
import { SessionId, UserId } from '../ids.ts';
import { limits } from '../limits.ts';
import { Instant, Locale, TimeZone, line } from './common.ts';

export const DisplayName = line(limits.displayNameLength);
/** Compared and stored in lower case; 254 is the longest address that SMTP can carry (RFC 5321 §4.5.3.1). */
export const EmailAddress = z
  .string()
  .trim()
  .max(254)
  .pipe(z.email())
  .transform((address) => address.toLowerCase())
  .meta({ description: 'E-mail address', examples: ['ana@example.test'] });
/** E.164: a plus sign, then up to fifteen digits. */
export const PhoneNumber = z.e164().meta({ description: 'Phone number, E.164', examples: ['+4915112345678'] });

/** A person, or a bot, as other people see them. */
export const User = z
  .strictObject({ id: UserId, displayName: z.string(), kind: z.enum(['person', 'bot']), createdAt: Instant })
  .meta({ id: 'User' });
export type User = z.infer<typeof User>;

export const Contact = z.strictObject({ address: z.string(), verified: z.boolean() }).meta({ id: 'Contact' });

/** What others are told of a person. */
export const Privacy = z
  .strictObject({
    /** Whether others are told how far the person has read; their own unread does not depend on it. */
    tellRead: z.boolean(),
    tellLastSeen: z.enum(['everyone', 'contacts', 'nobody']).meta({
      description:
        'Who is told whether the person is connected, and when they last were: of those who share a conversation with them and whom they have not blocked. Contacts are whom the person has written to in a direct conversation; whoever has only written to them is none.',
    }),
  })
  .meta({ id: 'Privacy' });
export type Privacy = z.infer<typeof Privacy>;

/** What somebody is to the organisation, each with the rights of those before it. Roles in conversations are others. */
export const userRoles = ['member', 'moderator', 'support', 'operator', 'admin'] as const;
export const UserRole = z.enum(userRoles).meta({ id: 'UserRole' });
export type UserRole = z.infer<typeof UserRole>;

/** A person as they see themselves. */
export const Me = z
  .strictObject({
    id: UserId,
    displayName: z.string(),
    createdAt: Instant,
    locale: Locale,
    timeZone: TimeZone,
    email: Contact.nullable(),
    phone: Contact.nullable(),
    privacy: Privacy,
  })
  .meta({ id: 'Me' });
export type Me = z.infer<typeof Me>;

/** What a sign-in hands out. The refresh token is shown once and stored by us only as a hash. */
export const Session = z
  .strictObject({ id: SessionId, accessToken: z.string(), accessTokenExpiresAt: Instant, refreshToken: z.string() })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof Session>;

/** An open session in its owner's list. */
export const SessionInfo = z
  .strictObject({
    id: SessionId,
    current: z.boolean(),
    deviceName: z.string().nullable(),
    network: z.enum(['same', 'other']).nullable().meta({
      description:
        'Whether it was last used in the network of the session that asks; null where that is not known. No address is kept.',
    }),
    /** Whether its person has proved a second factor in it. */
    secondFactor: z.boolean(),
    createdAt: Instant,
    lastUsedAt: Instant,
    expiresAt: Instant,
  })
  .meta({ id: 'SessionInfo' });
export type SessionInfo = z.infer<typeof SessionInfo>;
