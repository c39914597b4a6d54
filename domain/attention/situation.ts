import type { NotificationSettings, Reason } from '../../contracts/entities/index.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { ArmedRow } from '../../db/queries/armed.ts';
import type { Cover } from '../../db/queries/attempts.ts';
import type { SuppressionCause } from '../../db/queries/suppressions.ts';
import type { Held, Ladder, Presence } from '../deps.ts';

export type { Reason } from '../../contracts/entities/index.ts';

/** Everything that a decision rests on. Two equal situations get the same decision. */
export interface Situation {
  now: Date;
  ladder: Ladder;
  presence: Presence;
  account: 'active' | 'suspended' | 'ended';
  settings: NotificationSettings;
  /** IANA name of the zone that the person's clock shows. */
  zone: string;
  /** The same of the device that was seen last and has told its own, else of the person. */
  pushZone: string;
  /** Where the person stands among those who are released together, from 0 to 1. */
  place: number;
  /** What each channel could be sent to. */
  devices: readonly {
    pushState: 'active' | 'suspect' | 'dead';
    pushPermission: string;
    pushEnabled: boolean;
    hasToken: boolean;
  }[];
  email: 'verified' | 'unverified' | 'missing';
  phone: 'verified' | 'unverified' | 'missing';
  /** Where nothing may be sent to the address or number, whatever else holds. */
  suppressed: Partial<Record<'email' | 'sms', SuppressionCause>>;
  /** Unread and armed, the oldest first. */
  armed: readonly ArmedRow[];
  /** Whether a push of this episode was handed to a provider, for a device that was seen lately. */
  pushHandedOver: boolean;
  /** Whether anything of this episode was, or may have been, on any channel. */
  handedOver: boolean;
  /** When the latest mail of this episode turned out not to have come; null where none has failed. */
  emailFailedAt: Date | null;
  /** Channels by which nothing has come since their provider, or the recipient, last refused. */
  refused: readonly Channel[];
  /** Channels whose provider is out of order, or has just come back, and until when they wait. */
  held: Partial<Record<Channel, Held>>;
  /** Steps that are being tried right now. */
  underWay: readonly Channel[];
  /** Those of them that tell of something urgent. */
  urgentUnderWay: readonly Channel[];
  /** Steps that wait for a person's hand. */
  stuck: readonly Channel[];
  /** What stuck pushes were to tell, and nothing else tells before a person has seen to them. */
  stuckPushes: readonly Cover[];
  /** What a person has struck off: the channel tells it no more, and what comes later as ever. */
  struckOff: readonly (Cover & { channel: Channel })[];
  /** What may not be sent for now, as enough of it was. */
  capped: Caught;
  /** A person has ended the episode by hand. */
  closed: boolean;
  /** When the episode began. */
  openedAt: Date;
  /** The weekly summary of who is away is due. */
  summary: boolean;
  /** The last rule that called something of the episode off before it was read; null where none has. */
  calledOffFor: Reason | null;
}

/** Why a channel may send nothing more for now, and until when. */
export interface Capped {
  reason: Extract<Reason, 'cap_user' | 'cap_org_sms'>;
  until: Date;
}
/** What a decision must know of the person's budgets and the organisation's; what is not in it is free. */
export interface Caught {
  email?: Capped | undefined;
  sms?: Capped | undefined;
  /** The same for a text of something urgent. */
  urgentSms?: Capped | undefined;
}

/** What one step comes to at this moment, with the reason in the closed list's words. */
export interface StepDecision {
  channel: Channel;
  outcome: 'send' | 'deferred' | 'skipped' | 'failed';
  reason: Reason;
  until?: Date;
  conversationId?: string;
  /** By whose clock it is quiet, where it is. */
  zone?: string;
  /** It tells of something urgent: for the first time, or once more. */
  alert?: 'urgent' | 'repeat';
}

export type StepResult = Pick<StepDecision, 'outcome' | 'reason' | 'until' | 'alert'>;
