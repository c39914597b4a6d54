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
  };
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
  /** Plain letters only: one that GSM-7 lacks more than doubles the price. A text about unread messages is one segment. */
  sms: {
    /** {count} {link} */
    messages: string;
    /** {count} {conversations} {link} */
    messagesSeveral: string;
    /** {code} {minutes} */
    code: string;
  };
}
