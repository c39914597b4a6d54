import type { Words } from './words.ts';

const count =
  '{count, plural, zero {لا رسائل جديدة} one {رسالة جديدة واحدة} two {رسالتان جديدتان} few {# رسائل جديدة} many {# رسالة جديدة} other {# رسالة جديدة}}';
const conversations =
  '{conversations, plural, zero {لا محادثات} one {محادثة واحدة} two {محادثتين} few {# محادثات} many {# محادثة} other {# محادثة}}';

const unread =
  '{count, plural, zero {لا رسائل غير مقروءة} one {رسالة واحدة غير مقروءة} two {رسالتان غير مقروءتين} few {# رسائل غير مقروءة} many {# رسالة غير مقروءة} other {# رسالة غير مقروءة}}';

const unreadAfter =
  '{minutes, plural, =0 {لم تكن قد قرأته بعد كتابته بقليل.} one {لم تكن قد قرأته بعد دقيقة واحدة من كتابته.} two {لم تكن قد قرأته بعد دقيقتين من كتابته.} few {لم تكن قد قرأته بعد # دقائق من كتابته.} many {لم تكن قد قرأته بعد # دقيقة من كتابته.} other {لم تكن قد قرأته بعد # دقيقة من كتابته.}}';

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
  why: {
    question: 'لماذا وصلني هذا؟',
    told: 'عند الإرسال لم تكن قد قرأت {count, plural, =0 {رسائل لم تعد موجودة.} one {رسالة واحدة:} two {رسالتين:} few {# رسائل:} many {# رسالة:} other {# رسالة:}}',
    waiting: 'لم تدخل منذ أسبوع. هذا ما كان ينتظرك:',
    inGroup:
      '{count, plural, zero {لا رسائل} one {رسالة واحدة} two {رسالتان} few {# رسائل} many {# رسالة} other {# رسالة}} في {name}',
    fromPerson:
      '{count, plural, zero {لا رسائل} one {رسالة واحدة} two {رسالتان} few {# رسائل} many {# رسالة} other {# رسالة}} من {name}',
    elsewhere:
      '{count, plural, zero {لا رسائل} one {رسالة واحدة} two {رسالتان} few {# رسائل} many {# رسالة} other {# رسالة}} حيث لم تعد عضوًا',
    written: 'وقت الكتابة: {from}.',
    writtenBetween: 'وقت الكتابة: من {from} إلى {to}.',
    sent: 'وقت الإرسال: {at}.',
    urgent: 'فيه شيء عاجل، والعاجل يصل أبكر.',
    gone: 'لا يُعرف عنه أكثر من هذا: ما تقرر يُحفظ 90 يومًا.',
    fewer: 'لتصلك رسائل بريد أقل',
  },
  because: {
    due: unreadAfter,
    weekly_summary: 'مرة في الأسبوع تخبرك رسالة بريد بما ينتظرك إذا لم تدخل.',
    burst_window: 'وصل بعد الكتابة بلحظة، ليُذكر معًا ما يصل معًا.',
    presence_grace: 'كنت نشطًا على أحد أجهزتك وكان لديك لحظة لتقرأه هناك أولًا.',
    focused_grace: 'كانت المحادثة مفتوحة لديك وكان لديك لحظة لتقرأه هناك أولًا.',
    idle_grace: 'كنت متصلًا من دون نشاط، فوصل بعد لحظة قصيرة.',
    awaiting_acknowledgement: 'كان تطبيقك متصلًا لكنه لم يؤكد أن الرسالة وصلته.',
    re_alert_gap: 'جاء بعد مسافة من الإشعار الذي قبله.',
    quiet_hours: 'انتظر نهاية ساعات الهدوء لديك.',
    do_not_disturb: 'انتظر نهاية الوقت الذي لا تريد فيه الإزعاج.',
    sms_night: 'انتظر الصباح: لا تُرسل رسائل نصية ليلًا.',
    breaker_open: 'لم يمكن إرساله قبل ذلك: الخدمة التي ترسله كانت معطلة.',
    provider_recovering: 'لم يمكن إرساله قبل ذلك: الخدمة التي ترسله كانت معطلة.',
    step_delay: unreadAfter,
    reminder_gap: 'سبق أن أُخبرت به وبقي غير مقروء، فجاء هذا بعد مسافة.',
    urgent_repeat: 'هو عاجل ولم تكن قد قرأته، فوصل مرة أخرى.',
    cap_user: 'وصلك قبله العدد الذي يصل في ساعة أو يوم، فانتظر حتى يتسع المجال.',
    cap_org_sms: 'لم تعد تُرسل رسائل نصية في ذلك اليوم، فانتظر اليوم التالي.',
    next_digest:
      '{frequency, select, hourly {جُمع لرسالة البريد التي تصلك كل ساعة.} daily {جُمع لرسالة البريد التي تصلك كل يوم.} other {جُمع مع غيره في رسالة بريد واحدة.}}',
  },
  unpushed: {
    no_device: 'لم يكن لديك جهاز يمكن إرسال إشعار إليه.',
    device_off: 'كنت قد أوقفت الإشعارات على كل أجهزتك.',
    push_permission_denied: 'لم تكن أجهزتك تسمح بالإشعارات.',
    devices_suspect: 'لم تكن الإشعارات تصل إلى أجهزتك.',
    channel_off: 'كنت قد أوقفت الإشعارات على الأجهزة.',
    channel_off_here: 'كنت قد أوقفت إشعارات هذه المحادثة على الأجهزة.',
    already_announced: 'سبق أن وصلك إشعار به وبقي غير مقروء.',
    breaker_open: 'لم يمكن إرسال إشعارات إلى الأجهزة في ذلك الوقت.',
    provider_recovering: 'لم يمكن إرسال إشعارات إلى الأجهزة في ذلك الوقت.',
    needs_operator: 'لم يمكن إرسال إشعارات إلى الأجهزة في ذلك الوقت.',
    quiet_hours: 'كانت الإشعارات تنتظر نهاية ساعات الهدوء لديك.',
    do_not_disturb: 'كانت الإشعارات تنتظر نهاية الوقت الذي لا تريد فيه الإزعاج.',
  },
  sms: {
    messages: `Homing: ${count}. {link}`,
    messagesSeveral: `Homing: ${count} في ${conversations}. {link}`,
    code: '{code} هو رمز Homing الخاص بك. صالح لمدة {minutes} دقائق.',
  },
};
