import type { Words } from './words.ts';

const count =
  '{count, plural, zero {لا رسائل جديدة} one {رسالة جديدة واحدة} two {رسالتان جديدتان} few {# رسائل جديدة} many {# رسالة جديدة} other {# رسالة جديدة}}';
const conversations =
  '{conversations, plural, zero {لا محادثات} one {محادثة واحدة} two {محادثتين} few {# محادثات} many {# محادثة} other {# محادثة}}';

const unread =
  '{count, plural, zero {لا رسائل غير مقروءة} one {رسالة واحدة غير مقروءة} two {رسالتان غير مقروءتين} few {# رسائل غير مقروءة} many {# رسالة غير مقروءة} other {# رسالة غير مقروءة}}';

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
    earlier: 'قبل ذلك',
    preferences: 'اختر كم مرة تصلك رسائل البريد',
    summarySubject: `${unread} في انتظارك`,
    summaryIntro: 'لم تدخل منذ أسبوع. هذا ما ينتظرك.',
    waiting: unread,
    codeSubject: 'رمز Homing الخاص بك',
    code: '{code} هو رمز Homing الخاص بك. صالح لمدة {minutes} دقائق.',
    ignore: 'إذا لم تطلبه فتجاهل هذه الرسالة.',
  },
  page: {
    title: 'رسائل البريد من Homing',
    to: 'رسائل البريد عن الرسائل غير المقروءة إلى {address}',
    frequency: 'كم مرة',
    immediate: 'لكل محادثة، بعد الرسالة بقليل',
    hourly: 'مجمّعة، مرة في الساعة',
    daily: 'مجمّعة، مرة في اليوم',
    off: 'أبدًا',
    at: 'الوقت من اليوم',
    weekly: 'مرة في الأسبوع ما ينتظرني، إذا لم أدخل منذ أسبوع',
    conversations: 'المحادثات في هذه الرسالة',
    conversation: 'رسائل البريد عن {name}',
    save: 'حفظ',
    saved: 'تم الحفظ.',
    unsubscribe: 'إيقاف كل رسائل البريد',
    unsubscribeWhy: 'هذا يوقف كل رسائل البريد عن الرسائل غير المقروءة، أيًّا كان الاختيار أعلاه.',
    unsubscribed:
      'لن تصل إلى هذا العنوان رسائل بريد أخرى عن الرسائل غير المقروءة. لاستلامها من جديد افتح الإعدادات في التطبيق.',
    question: 'إيقاف رسائل البريد عن الرسائل غير المقروءة؟',
    rather: 'اختر بدلًا من ذلك كم مرة تصل',
  },
  sms: {
    messages: `Homing: ${count}. {link}`,
    messagesSeveral: `Homing: ${count} في ${conversations}. {link}`,
    code: '{code} هو رمز Homing الخاص بك. صالح لمدة {minutes} دقائق.',
  },
};
