import type { Words } from './words.ts';

const count = '{count, plural, one {# neue Nachricht} other {# neue Nachrichten}}';
const several = `${count} in {conversations, plural, one {# Unterhaltung} other {# Unterhaltungen}}`;

export const de: Words = {
  direction: 'ltr',
  push: {
    messages: '{count, plural, one {Neue Nachricht} other {# neue Nachrichten}}',
    messageFrom: 'Neue Nachricht von {sender}',
  },
  email: {
    subjectFrom: `${count} von {name}`,
    subjectIn: `${count} in {name}`,
    subjectSeveral: several,
    more: 'und {count} weitere',
    open: 'Unterhaltung öffnen',
    why: 'Diese E-Mail kommt, weil diese Nachrichten ungelesen waren.',
    unsubscribe: 'Keine E-Mails mehr über ungelesene Nachrichten',
    earlier: 'Davor',
    preferences: 'Einstellen, wie oft E-Mails kommen',
    summarySubject:
      '{count, plural, one {# ungelesene Nachricht wartet} other {# ungelesene Nachrichten warten}} auf dich',
    summaryIntro: 'Du warst seit einer Woche nicht da. Das wartet auf dich.',
    waiting: '{count, plural, one {# ungelesene Nachricht} other {# ungelesene Nachrichten}}',
    codeSubject: 'Dein Homing-Code',
    code: '{code} ist dein Homing-Code. Er gilt {minutes} Minuten.',
    ignore: 'Wenn du ihn nicht angefordert hast, ist nichts zu tun.',
  },
  page: {
    title: 'E-Mails von Homing',
    to: 'E-Mails über ungelesene Nachrichten an {address}',
    frequency: 'Wie oft',
    immediate: 'Für jede Unterhaltung, eine Weile nach einer Nachricht',
    hourly: 'Gesammelt, einmal in der Stunde',
    daily: 'Gesammelt, einmal am Tag',
    off: 'Nie',
    at: 'Uhrzeit',
    weekly: 'Einmal in der Woche, was wartet, wenn ich eine Woche lang nicht da war',
    conversations: 'Unterhaltungen in dieser E-Mail',
    conversation: 'E-Mails über {name}',
    save: 'Speichern',
    saved: 'Gespeichert.',
    unsubscribe: 'Gar keine E-Mails mehr',
    unsubscribeWhy: 'Das beendet alle E-Mails über ungelesene Nachrichten, was auch immer oben gewählt ist.',
    unsubscribed:
      'An diese Adresse kommen keine E-Mails über ungelesene Nachrichten mehr. Sollen sie wieder kommen, öffne die Einstellungen in der App.',
    question: 'Keine E-Mails mehr über ungelesene Nachrichten?',
    rather: 'Lieber einstellen, wie oft sie kommen',
  },
  sms: {
    messages: `Homing: ${count}. Öffnen: {link}`,
    messagesSeveral: `Homing: ${several}. Öffnen: {link}`,
    code: '{code} ist dein Homing-Code. Er gilt {minutes} Minuten.',
  },
};
