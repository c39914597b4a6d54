import type { Words } from './words.ts';

const count = '{count, plural, one {# new message} other {# new messages}}';
const several = `${count} in {conversations, plural, one {# conversation} other {# conversations}}`;

export const en: Words = {
  direction: 'ltr',
  push: {
    messages: '{count, plural, one {New message} other {# new messages}}',
    messageFrom: 'New message from {sender}',
  },
  email: {
    subjectFrom: `${count} from {name}`,
    subjectIn: `${count} in {name}`,
    subjectSeveral: several,
    more: 'and {count} more',
    open: 'Open the conversation',
    why: 'You get this mail because you had not read these messages.',
    unsubscribe: 'No more mails about unread messages',
    codeSubject: 'Your Homing code',
    code: '{code} is your Homing code. It is good for {minutes} minutes.',
    ignore: 'If you did not ask for it, ignore this mail.',
  },
  sms: {
    messages: `Homing: ${count}. Open: {link}`,
    messagesSeveral: `Homing: ${several}. Open: {link}`,
    code: '{code} is your Homing code. It is good for {minutes} minutes.',
  },
};
