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
    earlier: 'Earlier',
    preferences: 'Choose how often mails come',
    summarySubject: '{count, plural, one {# unread message is} other {# unread messages are}} waiting for you',
    summaryIntro: 'You have not been here for a week. This is what is waiting for you.',
    waiting: '{count, plural, one {# unread message} other {# unread messages}}',
    codeSubject: 'Your Homing code',
    code: '{code} is your Homing code. It is good for {minutes} minutes.',
    ignore: 'If you did not ask for it, ignore this mail.',
  },
  page: {
    title: 'Mails from Homing',
    to: 'Mails about unread messages to {address}',
    frequency: 'How often',
    immediate: 'For each conversation, a while after a message',
    hourly: 'Gathered, once an hour',
    daily: 'Gathered, once a day',
    off: 'Never',
    at: 'Time of day',
    weekly: 'Once a week what is waiting, if I have not been here for a week',
    conversations: 'Conversations in this mail',
    conversation: 'Mails about {name}',
    save: 'Save',
    saved: 'Saved.',
    unsubscribe: 'No more mails at all',
    unsubscribeWhy: 'This ends every mail about unread messages, whatever is chosen above.',
    unsubscribed:
      'No more mails about unread messages come to this address. To get them again, open the settings in the app.',
    question: 'No more mails about unread messages?',
    rather: 'Choose how often they come instead',
  },
  sms: {
    messages: `Homing: ${count}. Open: {link}`,
    messagesSeveral: `Homing: ${several}. Open: {link}`,
    code: '{code} is your Homing code. It is good for {minutes} minutes.',
  },
};
