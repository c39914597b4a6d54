import type { Reason } from '../../contracts/entities/index.ts';
import type { AccountNoticeKind } from '../../contracts/workflows/send-notice.ts';

/** Reasons for which something was sent when it was: what it last waited for, else why it was due. */
export type ReasonToSend = Extract<
  Reason,
  | 'due'
  | 'weekly_summary'
  | 'burst_window'
  | 'presence_grace'
  | 'focused_grace'
  | 'idle_grace'
  | 'awaiting_acknowledgement'
  | 're_alert_gap'
  | 'quiet_hours'
  | 'do_not_disturb'
  | 'sms_night'
  | 'breaker_open'
  | 'provider_recovering'
  | 'step_delay'
  | 'reminder_gap'
  | 'urgent_repeat'
  | 'cap_user'
  | 'cap_org_sms'
  | 'next_digest'
>;
/** Reasons for which a mail or text came, and no push or not a push alone. */
export type ReasonForNoPush = Extract<
  Reason,
  | 'no_device'
  | 'device_off'
  | 'push_permission_denied'
  | 'devices_suspect'
  | 'channel_off'
  | 'channel_off_here'
  | 'already_announced'
  | 'breaker_open'
  | 'provider_recovering'
  | 'needs_operator'
  | 'quiet_hours'
  | 'do_not_disturb'
>;

/**
 * What people are told outside of the app, as ICU messages (https://unicode-org.github.io/icu/userguide/format_parse/messages/).
 * A sentence is whole: pieces that are joined by code read wrong in some language.
 */
export interface Words {
  direction: 'ltr' | 'rtl';
  push: {
    /** {count} */
    messages: string;
    /** {sender} */
    messageFrom: string;
  };
  email: {
    /** {count} {name}: a person, or a group. */
    subjectFrom: string;
    subjectIn: string;
    /** {count} {conversations} */
    subjectSeveral: string;
    /** {count} */
    more: string;
    open: string;
    why: string;
    unsubscribe: string;
    /** Above lines that were there before what is new. */
    earlier: string;
    preferences: string;
    /** {count}, also of `waiting` */
    summarySubject: string;
    summaryIntro: string;
    waiting: string;
    codeSubject: string;
    /** {code} {minutes} */
    code: string;
    ignore: string;
    resetSubject: string;
    /** {minutes} {link} */
    reset: string;
    resetIgnore: string;
    passwordChangedSubject: string;
    passwordChanged: string;
    /** To who has an address that somebody else asks a code for. */
    haveAccountSubject: string;
    haveAccount: string;
    haveAccountIgnore: string;
    /** Of a sign-in where there was none before. */
    signInSubject: string;
    /** {at} */
    signIn: string;
    signInRemedy: string;
  };
  /** What was done with how they sign in, by mail. */
  account: Record<AccountNoticeKind | 'subject' | 'ifNotYou', string>;
  /** The page behind a mail's links. */
  page: {
    title: string;
    /** {address}: masked */
    to: string;
    frequency: string;
    immediate: string;
    hourly: string;
    daily: string;
    off: string;
    at: string;
    weekly: string;
    conversations: string;
    /** {name} */
    conversation: string;
    save: string;
    saved: string;
    unsubscribe: string;
    unsubscribeWhy: string;
    unsubscribed: string;
    question: string;
    rather: string;
  };
  /** Where one sets a new password by the link of a mail or a text. {min} {max} */
  resetPage: Record<'explain' | 'password' | 'save' | 'noScript' | 'done' | 'expired' | 'weak' | 'failed', string>;
  /** Where the link of a text leads, without an app. */
  openPage: Record<'title' | 'text', string>;
  /** Where a sign-in elsewhere comes back to, while no app has an address of its own for that. */
  signedInPage: Record<'title' | 'text', string>;
  /** "Why did I get this?", as its reader is told. */
  why: {
    question: string;
    /** {count}: the lines of its conversations stand under it. */
    told: string;
    /** The same of a weekly summary. */
    waiting: string;
    /** {count} {name} */
    inGroup: string;
    fromPerson: string;
    /** {count} */
    elsewhere: string;
    /** {from}: a moment, as in {to} and {at}. */
    written: string;
    /** {from} {to} */
    writtenBetween: string;
    /** {at} */
    sent: string;
    urgent: string;
    gone: string;
    fewer: string;
  };
  /** Why it came then. {minutes} in `due` and `step_delay`, {frequency} in `next_digest`. */
  because: Record<ReasonToSend, string>;
  /** Why it came by mail or text. */
  unpushed: Record<ReasonForNoPush, string>;
  /** Plain letters only: one that GSM-7 lacks more than doubles the price. A text about unread messages is one segment. */
  sms: {
    /** {count} {link} */
    messages: string;
    /** {count} {conversations} {link} */
    messagesSeveral: string;
    /** {code} {minutes} */
    code: string;
    /** {minutes} {link} */
    reset: string;
    passwordChanged: string;
    signIn: string;
    haveAccount: string;
  } & Record<AccountNoticeKind, string>;
}
