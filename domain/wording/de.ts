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
    codeSubject: 'Dein Homing-Code',
    code: '{code} ist dein Homing-Code. Er gilt {minutes} Minuten.',
    ignore: 'Wenn du ihn nicht angefordert hast, ist nichts zu tun.',
  },
  sms: {
    messages: `Homing: ${count}. Öffnen: {link}`,
    messagesSeveral: `Homing: ${several}. Öffnen: {link}`,
    code: '{code} ist dein Homing-Code. Er gilt {minutes} Minuten.',
  },
};
