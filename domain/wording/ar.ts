import type { Words } from './words.ts';

const count =
  '{count, plural, zero {لا رسائل جديدة} one {رسالة جديدة واحدة} two {رسالتان جديدتان} few {# رسائل جديدة} many {# رسالة جديدة} other {# رسالة جديدة}}';
const conversations =
  '{conversations, plural, zero {لا محادثات} one {محادثة واحدة} two {محادثتين} few {# محادثات} many {# محادثة} other {# محادثة}}';

export const ar: Words = {
  direction: 'rtl',
  push: { messages: count, messageFrom: 'رسالة جديدة من {sender}' },
  email: {
    subjectFrom: `${count} من {name}`,
    subjectIn: `${count} في {name}`,
    subjectSeveral: `${count} في ${conversations}`,
    more: 'و{count} أخرى',
    open: 'افتح المحادثة',
    why: 'وصلتك هذه الرسالة لأنك لم تقرأ هذه الرسائل بعد.',
    unsubscribe: 'إيقاف رسائل البريد عن الرسائل غير المقروءة',
    codeSubject: 'رمز Homing الخاص بك',
    code: '{code} هو رمز Homing الخاص بك. صالح لمدة {minutes} دقائق.',
    ignore: 'إذا لم تطلبه فتجاهل هذه الرسالة.',
  },
  sms: {
    messages: `Homing: ${count}. {link}`,
    messagesSeveral: `Homing: ${count} في ${conversations}. {link}`,
    code: '{code} هو رمز Homing الخاص بك. صالح لمدة {minutes} دقائق.',
  },
};
