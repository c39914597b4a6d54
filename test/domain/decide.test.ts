import assert from 'node:assert/strict';
import fc from 'fast-check';
import { defaultNotificationSettings } from '../../contracts/entities/index.ts';
import { channels } from '../../contracts/workflows/names.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import { type Verdict, decide, operatorPatienceMs } from '../../domain/attention/decide.ts';
import type { Situation } from '../../domain/attention/situation.ts';
import { standardLadder } from '../../platform/config-types.ts';
import {
  after,
  allChannels,
  announced,
  cap,
  dailyMail,
  daysOff,
  farEast,
  gatheredMail,
  gone,
  hour,
  hourlyMail,
  mailed,
  minute,
  on,
  pushed,
  pushedAgain,
  quiet,
  repeated,
  row,
  second,
  situation,
  start,
  struckOff,
  tell,
  toldByMail,
  unannounced,
  undisturbed,
  undisturbedFor,
  urgentRow,
  urgents,
} from '../support/situation.ts';

describe('decide', () => {
  const table: [string, Partial<Situation>, string][] = [
    ['pushes who is away once the burst window is over', {}, 'push c1'],
    ['waits for the burst window', { now: after(second) }, 'wait push 1500 burst_window'],
    ['is due on the very millisecond', { now: after(1_500) }, 'push c1'],
    ['lets who is active elsewhere read first', { presence: [on('active')] }, 'wait push 20000 presence_grace'],
    ['presence delays and never cancels', { presence: [on('active')], now: after(20 * second) }, 'push c1'],
    [
      'for as long as they have chosen',
      { presence: [on('active')], settings: { ...allChannels, graceSeconds: 120 } },
      'wait push 120000 presence_grace',
    ],
    [
      'where they have chosen none it is the burst window',
      { presence: [on('active')], settings: { ...allChannels, graceSeconds: 0 }, now: after(0) },
      'wait push 1500 presence_grace',
    ],
    [
      'lets who looks at the conversation read it, whatever they have chosen for others',
      { presence: [on('idle'), on('active', 'c1')], settings: { ...allChannels, graceSeconds: 0 } },
      'wait push 20000 focused_grace',
    ],
    ['waits hardly for who is idle', { presence: [on('idle'), on('hidden', 'c1')] }, 'wait push 3000 idle_grace'],
    ['and pushes then', { presence: [on('hidden')], now: after(3 * second) }, 'push c1'],
    [
      'L6: takes who does not acknowledge for away, soon',
      { presence: [on('active')], armed: [row({ acknowledged: false })] },
      'wait push 3000 awaiting_acknowledgement',
    ],
    [
      'L6: and pushes then',
      { presence: [on('active', 'c1')], armed: [row({ acknowledged: false })], now: after(3 * second) },
      'push c1',
    ],
    [
      'L6: gives each message its moment, and all of them no more than the grace',
      {
        presence: [on('active')],
        armed: [row({ acknowledged: false, lastAt: after(10 * second) })],
        now: after(11 * second),
      },
      'wait push 13000 awaiting_acknowledgement',
    ],
    [
      'L6: as here',
      {
        presence: [on('active')],
        armed: [row({ acknowledged: false, lastAt: after(19 * second) })],
        now: after(19 * second),
      },
      'wait push 20000 presence_grace',
    ],
    ['takes a presence that nobody knows for away', { presence: 'unknown' }, 'push c1'],
    ['ends when everything was read', { armed: [] }, 'finished read'],
    ['ends for an account that was suspended', { account: 'suspended' }, 'finished nothing-notifiable'],
    [
      'ends when the conversation was muted meanwhile',
      { armed: [row({ muted: true })] },
      'finished nothing-notifiable',
    ],
    [
      'ends when the person wants nothing of this conversation',
      { armed: [row({ level: 'nothing' })] },
      'finished nothing-notifiable',
    ],
    ['ends when an operator has closed it', { closed: true }, 'finished closed-by-operator'],
    [
      'after the push waits for the mail',
      { armed: [row(pushed)], pushHandedOver: true },
      `wait email ${10 * minute} step_delay`,
    ],
    [
      'sends the mail when its time has come',
      { armed: [row(pushed)], pushHandedOver: true, now: after(10 * minute) },
      'email c1',
    ],
    [
      'L1: comes sooner with the mail when no push could be handed over',
      { devices: [] },
      `wait email ${2 * minute} step_delay`,
    ],
    ['and sends it then', { devices: [], now: after(2 * minute) }, 'email c1'],
    ['takes a push that failed for no push', { armed: [row(pushed)] }, `wait email ${2 * minute} step_delay`],
    [
      'after the mail waits for the text',
      { armed: [row(mailed)], pushHandedOver: true, now: after(11 * minute) },
      `wait sms ${30 * minute} step_delay`,
    ],
    [
      'sends the text when its time has come',
      { armed: [row(mailed)], pushHandedOver: true, now: after(30 * minute) },
      'sms c1',
    ],
    [
      'brings the text forward when the mail turns out not to have come',
      { armed: [row(mailed)], pushHandedOver: true, emailFailedAt: after(11 * minute), now: after(12 * minute) },
      `wait sms ${13 * minute} step_delay`,
    ],
    [
      'never puts it off for that',
      { armed: [row(mailed)], pushHandedOver: true, emailFailedAt: after(29 * minute), now: after(30 * minute) },
      'sms c1',
    ],
    [
      'leaves the text its time when the mail had failed before the message came',
      { armed: [row(mailed)], pushHandedOver: true, emailFailedAt: after(-minute), now: after(11 * minute) },
      `wait sms ${30 * minute} step_delay`,
    ],
    [
      'ends when every step is spent',
      { armed: [row({ ...mailed, sms: announced(1, 30 * minute) })], pushHandedOver: true, now: after(31 * minute) },
      'finished every-step-spent',
    ],
    [
      'sends no text to who has not asked for it',
      { settings: defaultNotificationSettings, armed: [row(mailed)], now: after(31 * minute) },
      'finished every-step-spent',
    ],
    [
      'L1: a mail that is skipped makes no text faster',
      { email: 'unverified', armed: [row(pushed)], now: after(11 * minute) },
      `wait sms ${30 * minute} step_delay`,
    ],
    [
      'mails nobody who has unsubscribed',
      { suppressed: { email: 'unsubscribed' }, armed: [row(pushed)], now: after(11 * minute) },
      `wait sms ${30 * minute} step_delay`,
    ],
    [
      'texts nobody who has opted out, urgent or not',
      { suppressed: { sms: 'opted_out' }, armed: [row({ ...mailed, ...repeated })], now: after(31 * minute) },
      'finished every-step-spent',
    ],
    [
      'skips a push to devices that were refused',
      { devices: [{ pushState: 'suspect', pushPermission: 'granted', pushEnabled: true, hasToken: true }] },
      `wait email ${2 * minute} step_delay`,
    ],
    [
      'skips a push that the device does not allow',
      { devices: [{ pushState: 'active', pushPermission: 'denied', pushEnabled: true, hasToken: true }] },
      `wait email ${2 * minute} step_delay`,
    ],
    [
      'skips a push to devices that the person has switched off',
      { devices: [{ pushState: 'active', pushPermission: 'granted', pushEnabled: false, hasToken: true }] },
      `wait email ${2 * minute} step_delay`,
    ],
    [
      'L2: does not push what is a day old',
      { now: after(24 * 60 * minute + second), armed: [row({ email: announced(1, 0), sms: announced(1, 0) })] },
      'finished every-step-spent',
    ],
    [
      'ends for who cannot be reached at all',
      { devices: [], email: 'missing', phone: 'missing' },
      'finished every-step-spent',
    ],
    [
      'announces a later message by a push that keeps its distance',
      {
        armed: [row({ ...pushedAgain, lastSeq: 2, lastAt: after(10 * second) })],
        now: after(12 * second),
        pushHandedOver: true,
      },
      'wait push 32000 re_alert_gap',
    ],
    [
      'and sends it then',
      {
        armed: [row({ ...pushedAgain, lastSeq: 2, lastAt: after(10 * second) })],
        now: after(32 * second),
        pushHandedOver: true,
      },
      'push c1',
    ],
    [
      'L3: a chatty sender does not postpone the mail',
      {
        armed: [row({ push: announced(9, 590 * second), lastSeq: 9, lastAt: after(590 * second) })],
        now: after(10 * minute),
        pushHandedOver: true,
      },
      'email c1',
    ],
    [
      'leaves a step that is under way alone, and waits for the others',
      { underWay: ['push'] },
      `wait email ${10 * minute} step_delay`,
    ],
    [
      'lets what is urgent overtake a push that is under way',
      {
        underWay: ['push'],
        armed: [row(), row({ conversationId: 'c2' as ConversationId, urgents })],
        now: after(2 * second),
      },
      'push c2 urgent',
    ],
    [
      'but not another that is urgent',
      {
        underWay: ['push'],
        urgentUnderWay: ['push'],
        armed: [row(), row({ conversationId: 'c2' as ConversationId, urgents })],
        now: after(2 * second),
      },
      `wait email ${10 * minute} step_delay`,
    ],
    [
      'nor keeps the mail back for a push that is stuck and would be kept back for quiet hours',
      { stuck: ['push'], armed: [row(pushed)], settings: quiet() },
      `wait email ${2 * minute} step_delay`,
    ],
    [
      'lets what is urgent pass a push that is stuck',
      { stuck: ['push'], armed: [row(pushed), row({ conversationId: 'c2' as ConversationId, urgents })] },
      'push c2 urgent',
    ],
    [
      'one at a time',
      {
        ...{ stuck: ['push'], underWay: ['push'], urgentUnderWay: ['push'] },
        armed: [row(pushed), row({ conversationId: 'c2' as ConversationId, urgents })],
      },
      `wait email ${10 * minute} step_delay`,
    ],
    [
      'and once more, as ever',
      { stuck: ['push'], armed: [row({ urgents, push: announced(1, 0) })], pushHandedOver: true },
      `wait push ${5 * minute} urgent_repeat`,
    ],
    [
      'but nothing urgent that is stuck itself',
      {
        ...{ stuck: ['push'], stuckPushes: [{ conversationId: 'c1' as ConversationId, fromSeq: 1, toSeq: 1 }] },
        ...{ armed: [row({ urgents, push: announced(1, 0) })], pushHandedOver: true },
      },
      `wait email ${10 * minute} step_delay`,
    ],
    [
      'nor anything else, nor a mail or text that is stuck',
      {
        ...{ stuck: ['push', 'sms'], settings: { ...allChannels, urgentSms: true }, now: after(6 * minute) },
        armed: [
          row({ urgents, push: announced(1, 0, { repeats: 3, since: after(minute) }), email: announced(1, minute) }),
        ],
      },
      `wait operator ${operatorPatienceMs} needs_operator`,
    ],
    [
      'goes on with what is due while another step is under way',
      { underWay: ['push'], now: after(10 * minute) },
      'email c1',
    ],
    [
      'does not end while a step is under way',
      { underWay: ['push'], email: 'missing', phone: 'missing' },
      `wait push ${2 * second + standardLadder.retry.giveUpMs} under_way`,
    ],
    ...[
      [1, 10 * minute, 'ten minutes after the first'],
      [2, hour, 'an hour after the second'],
      [3, 6 * hour, 'six hours after the third'],
      [4, 24 * hour, 'a day after the fourth'],
      [9, 24 * hour, 'and after each that follows'],
    ].map(([times, gap, when]): [string, Partial<Situation>, string] => [
      `L4: tells by mail again what comes after a mail ${when}`,
      {
        armed: [
          row({ push: announced(2, 0), email: announced(1, 0, { times: times as number, since: after(-8 * minute) }) }),
        ],
        now: after(5 * minute),
        pushHandedOver: true,
        phone: 'missing',
      },
      `wait email ${gap} reminder_gap`,
    ]),
    [
      'L4: but leaves a message its own time',
      {
        armed: [row({ push: announced(2, 0), email: announced(1, 10 * minute, { since: after(20 * minute) }) })],
        now: after(25 * minute),
        pushHandedOver: true,
        phone: 'missing',
      },
      `wait email ${30 * minute} step_delay`,
    ],
    [
      'counts what is too late from the newest message',
      { armed: [row({ lastAt: after(25 * 60 * minute) })], now: after(25 * 60 * minute) },
      'push c1',
    ],
    [
      'ends when nothing of it is left to tell',
      { armed: [row({ push: gone, email: gone, sms: gone })] },
      'finished every-step-spent',
    ],
    [
      'wants nothing of a channel whose level nobody has set to nothing',
      { settings: { ...defaultNotificationSettings, level: 'nothing' }, armed: [row({ kind: 'channel' })] },
      'push c1',
    ],
    [
      'pushes one conversation at a time, the oldest first',
      { armed: [row(), row({ conversationId: 'c2' as ConversationId })] },
      'push c1',
    ],
    [
      'gathers all conversations that are due in one mail',
      {
        armed: [row(pushed), row({ ...pushed, conversationId: 'c2' as ConversationId })],
        now: after(10 * minute),
        pushHandedOver: true,
      },
      'email c1 c2',
    ],
    [
      'goes on without a step that is stuck',
      { stuck: ['push'], armed: [row(pushed)] },
      `wait email ${2 * minute} step_delay`,
    ],
    [
      'waits for a person when nothing but stuck steps are left',
      { stuck: ['push'], armed: [row(mailed)], now: after(31 * minute), phone: 'missing' },
      `wait operator ${operatorPatienceMs} needs_operator`,
    ],
    [
      'but not for ever',
      { stuck: ['push'], armed: [row(mailed)], now: after(operatorPatienceMs), phone: 'missing' },
      'finished expired',
    ],
    [
      'of a weekly summary, seven days from the summary and not from what it tells',
      {
        ...{ stuck: ['email'], phone: 'missing', devices: [], summary: true, armed: [row(mailed)] },
        ...{ openedAt: after(operatorPatienceMs), now: after(operatorPatienceMs + minute) },
      },
      `wait operator ${2 * operatorPatienceMs} needs_operator`,
    ],
    [
      'in quiet hours sends the mail, which is silent, and no push',
      { settings: quiet() },
      `wait email ${10 * minute} step_delay`,
    ],
    [
      'pushes when they are over',
      { settings: quiet(), email: 'missing', phone: 'missing' },
      `wait push ${hour + 1_500} quiet_hours`,
    ],
    [
      'and not before',
      { settings: quiet(), email: 'missing', now: after(hour + 1_499) },
      `wait push ${hour + 1_500} burst_window`,
    ],
    ['and does', { settings: quiet(), email: 'missing', now: after(hour + 1_500) }, 'push c1'],
    [
      'lets the mail wait, too, where it is asked to, and its clock stand still',
      { settings: quiet({}, true), armed: [row(pushed)], pushHandedOver: true, now: after(11 * minute) },
      `wait email ${hour + 10 * minute} quiet_hours`,
    ],
    [
      'lets the clock of a text stand still meanwhile',
      { settings: quiet(), armed: [row(mailed)], now: after(31 * minute) },
      `wait sms ${hour + 30 * minute} quiet_hours`,
    ],
    [
      'keeps the distance between pushes in quiet hours, too',
      {
        settings: quiet(),
        armed: [row({ ...pushedAgain, lastSeq: 2, lastAt: after(10 * second) })],
        now: after(40 * second),
        email: 'missing',
        phone: 'missing',
      },
      `wait push ${hour + 1_500} quiet_hours`,
    ],
    ['pushes in quiet hours of another day', { settings: quiet(), zone: farEast }, 'push c1'],
    [
      'keeps quiet hours of push by the clock of the device',
      { settings: quiet(), zone: farEast, pushZone: 'UTC', email: 'missing', phone: 'missing' },
      `wait push ${hour + 1_500} quiet_hours`,
    ],
    ['as here', { settings: quiet(), pushZone: farEast }, 'push c1'],
    [
      'and those of mail by that of the account',
      {
        settings: quiet({}, true),
        pushZone: farEast,
        armed: [row(pushed)],
        pushHandedOver: true,
        now: after(11 * minute),
      },
      `wait email ${hour + 10 * minute} quiet_hours`,
    ],
    [
      'releases people one after another',
      { settings: quiet(), email: 'missing', phone: 'missing', place: 0.5 },
      `wait push ${hour + minute + 1_500} quiet_hours`,
    ],
    [
      'lets an urgent message of one to one through quiet hours',
      { settings: quiet(), armed: [urgentRow] },
      'push c1 urgent',
    ],
    [
      'lets no urgent message through where nobody’s may',
      { settings: quiet({ urgentThrough: 'nobody' }), armed: [urgentRow], email: 'missing', phone: 'missing' },
      `wait push ${hour + 1_500} quiet_hours`,
    ],
    [
      'lets an urgent message of a group through only where everybody’s may',
      { settings: quiet(), armed: [row({ urgents, kind: 'group' })], email: 'missing', phone: 'missing' },
      `wait push ${hour + 1_500} quiet_hours`,
    ],
    [
      'as here',
      { settings: quiet({ urgentThrough: 'everyone' }), armed: [row({ urgents, kind: 'group' })] },
      'push c1 urgent',
    ],
    [
      'pushes an urgent message to who is present, too',
      { presence: [on('active', 'c1')], armed: [urgentRow] },
      'push c1 urgent',
    ],
    [
      'does not disturb until the moment that the person has named',
      { settings: undisturbed, email: 'missing', phone: 'missing' },
      `wait push ${hour + 1_500} do_not_disturb`,
    ],
    ['and then does', { settings: undisturbed, email: 'missing', now: after(hour + 1_500) }, 'push c1'],
    [
      'keeps a push back for as long as the person wants, though that is longer than it is of use',
      { settings: undisturbedFor(30), now: after(25 * hour), email: 'missing', phone: 'missing' },
      `wait push ${30 * hour + 1_500} do_not_disturb`,
    ],
    [
      'and pushes it then',
      { settings: undisturbedFor(30), now: after(30 * hour + 1_500), email: 'missing', phone: 'missing' },
      'push c1',
    ],
    [
      'which is too late a day after that',
      { settings: undisturbedFor(30), now: after(54 * hour + 1), email: 'missing', phone: 'missing' },
      'finished every-step-spent',
    ],
    [
      'pushes after days of quiet what came in them',
      { settings: daysOff(), now: after(64 * hour + 1_500), email: 'missing', phone: 'missing' },
      'push c1',
    ],
    [
      'counts no quiet hours among those in which a push is of use',
      { settings: quiet(), now: after(24.5 * hour), armed: [row({ push: unannounced(-hour), lastAt: after(-hour) })] },
      'push c1',
    ],
    [
      'mails after days of quiet what came in them, where mail waits for their end',
      {
        settings: daysOff({ channels: { push: false, email: true, sms: false } }),
        now: after(64 * hour + 2 * minute),
        armed: [row({ email: unannounced(-48 * hour), lastAt: after(-48 * hour) })],
      },
      'email c1',
    ],
    [
      'and gathers it then, too',
      {
        settings: daysOff({ channels: { push: false, email: true, sms: false }, emailFrequency: 'hourly' }),
        now: after(64 * hour),
        armed: [row({ email: unannounced(-48 * hour), lastAt: after(-48 * hour) })],
      },
      'email c1',
    ],
    ['pushes what is urgent at once', { now: after(0), armed: [urgentRow] }, 'push c1 urgent'],
    [
      'and what is urgent among other things, at no distance from their push',
      {
        now: after(3 * second),
        armed: [
          row({
            push: announced(1, 2 * second, { since: after(3 * second) }),
            lastSeq: 2,
            urgents: [{ seq: 2, at: after(3 * second) }],
          }),
        ],
      },
      'push c1 urgent',
    ],
    [
      'pushes the same once more five minutes later',
      { now: after(minute), armed: [row({ urgents, push: announced(1, 0) })], pushHandedOver: true },
      `wait push ${5 * minute} urgent_repeat`,
    ],
    [
      'and does',
      { now: after(5 * minute), armed: [row({ urgents, push: announced(1, 0) })], pushHandedOver: true },
      'push c1 repeat',
    ],
    [
      'the third time after a quarter of an hour',
      {
        now: after(11 * minute),
        armed: [row({ urgents, push: announced(1, 10 * minute, { repeats: 2 }), email: announced(1, 10 * minute) })],
      },
      `wait push ${15 * minute} urgent_repeat`,
    ],
    [
      'and no more',
      {
        now: after(16 * minute),
        armed: [row({ ...repeated, email: announced(1, 10 * minute) })],
        settings: defaultNotificationSettings,
      },
      'finished every-step-spent',
    ],
    [
      'lets nobody who writes on put that off',
      {
        now: after(5 * minute),
        armed: [row({ urgents, lastSeq: 9, push: announced(9, 4.4 * minute) })],
        pushHandedOver: true,
      },
      'push c1 repeat',
    ],
    [
      'pushes what was not pushed within the hour as any other message',
      { now: after(hour + second), armed: [row({ urgents, email: announced(1, 0), sms: announced(1, 0) })] },
      'push c1',
    ],
    [
      'pushes nothing again in quiet hours that no urgent message comes through',
      {
        now: after(hour),
        armed: [
          row({
            urgents: [{ seq: 1, at: after(-2 * hour) }],
            push: announced(1, -2 * hour),
            email: announced(1, 0),
            sms: announced(1, 0),
          }),
        ],
        settings: quiet({ urgentThrough: 'nobody' }),
      },
      'finished every-step-spent',
    ],
    [
      'tells what was urgent while they wanted to be left alone as any other afterwards',
      {
        now: after(30 * minute + 2 * second),
        armed: [row({ urgents, email: announced(1, 0), sms: announced(1, 0) })],
        settings: {
          ...allChannels,
          doNotDisturbUntil: after(30 * minute).toISOString(),
          urgentThrough: 'nobody',
        },
      },
      'push c1',
    ],
    [
      'pushes what is urgent and came after quiet hours at once, before others are released',
      {
        now: after(hour + 10 * second),
        place: 0.5,
        armed: [row({ urgents: [{ seq: 1, at: after(hour + 10 * second) }], push: unannounced(hour + 10 * second) })],
        settings: quiet({ urgentThrough: 'nobody' }),
      },
      'push c1 urgent',
    ],
    [
      'and once more five minutes later',
      {
        now: after(hour + 6 * minute),
        place: 0.5,
        armed: [row({ urgents: [{ seq: 1, at: after(hour + 10 * second) }], push: announced(1, hour + 10 * second) })],
        settings: quiet({ urgentThrough: 'nobody' }),
        pushHandedOver: true,
      },
      'push c1 repeat',
    ],
    [
      'releases what was urgent in them with the others',
      {
        now: after(hour + 10 * second),
        place: 0.5,
        armed: [urgentRow],
        settings: quiet({ urgentThrough: 'nobody' }),
        ...{ email: 'missing', phone: 'missing' },
      },
      `wait push ${hour + minute + 1_500} quiet_hours`,
    ],
    [
      'texts what is urgent after five minutes to who wants that, and nothing else',
      {
        now: after(4 * minute),
        settings: { ...defaultNotificationSettings, urgentSms: true },
        armed: [row({ ...repeated })],
        pushHandedOver: true,
      },
      `wait sms ${5 * minute} step_delay`,
    ],
    [
      'and does',
      {
        now: after(5 * minute),
        settings: { ...defaultNotificationSettings, urgentSms: true },
        armed: [row({ ...repeated }), row({ ...pushed, conversationId: 'c2' as ConversationId })],
        pushHandedOver: true,
      },
      'sms c1 urgent',
    ],
    [
      'texts what is urgent after half an hour to who wants texts, but not those',
      { now: after(11 * minute), armed: [row({ ...mailed, ...repeated })], pushHandedOver: true },
      `wait sms ${30 * minute} step_delay`,
    ],
    [
      'texts nobody by night',
      {
        zone: farEast,
        armed: [row(mailed)],
        now: after(31 * minute),
        ladder: { ...standardLadder, smsUntilMs: 24 * hour },
      },
      `wait sms ${6 * hour + 30 * minute} sms_night`,
    ],
    [
      'whose text is then too late',
      { zone: farEast, armed: [row(mailed)], now: after(31 * minute) },
      'finished every-step-spent',
    ],
    [
      'but for what is urgent',
      { zone: farEast, armed: [row({ ...mailed, ...repeated })], now: after(31 * minute) },
      'sms c1',
    ],
    [
      'or where there is no night',
      { zone: farEast, armed: [row(mailed)], now: after(31 * minute), ladder: { ...standardLadder, smsNight: null } },
      'sms c1',
    ],
    ['gathers mail until the next full hour', { settings: hourlyMail }, `wait email ${hour} next_digest`],
    ['and sends it then, with whatever waits', { settings: hourlyMail, now: after(hour) }, 'email c1'],
    [
      'leaves what came on the very hour for the next',
      { settings: hourlyMail, armed: [row({ email: unannounced(hour) })], now: after(hour) },
      `wait email ${2 * hour} next_digest`,
    ],
    [
      'takes what came a millisecond before',
      { settings: hourlyMail, armed: [row({ email: unannounced(hour - 1) })], now: after(hour) },
      'email c1',
    ],
    ['gathers it until the morning', { settings: dailyMail }, `wait email ${20 * hour} next_digest`],
    [
      'releases those who share a morning one after another',
      { settings: dailyMail, place: 0.5 },
      `wait email ${20 * hour + 5 * minute} next_digest`,
    ],
    ['by the person’s own clock', { settings: dailyMail, zone: farEast }, `wait email ${6 * hour} next_digest`],
    [
      'does not put it off for what comes later',
      { settings: hourlyMail, armed: [row({ lastSeq: 9, lastAt: after(hour - 1) })], now: after(hour) },
      'email c1',
    ],
    [
      'after their quiet hours, where mail waits for those',
      {
        settings: gatheredMail('hourly', {
          quietHours: { windows: [{ days: ['tue'], from: '12:30', until: '13:30' }], email: true },
        }),
      },
      `wait email ${1.5 * hour} quiet_hours`,
    ],
    [
      'and in them, where it does not',
      {
        settings: gatheredMail('hourly', {
          quietHours: { windows: [{ days: ['tue'], from: '12:30', until: '13:30' }], email: false },
        }),
      },
      `wait email ${hour} next_digest`,
    ],
    [
      'mails an urgent message by itself where it comes through, gathered or not',
      { settings: dailyMail, armed: [row({ urgents: [{ seq: 1, at: after(0) }] })], now: after(10 * minute) },
      'email c1',
    ],
    [
      'gathers what comes after an urgent message that a mail has told',
      {
        settings: dailyMail,
        armed: [
          row({ urgents, lastSeq: 2, lastAt: after(hour), email: announced(1, 10 * minute, { since: after(hour) }) }),
        ],
        now: after(3 * hour),
      },
      `wait email ${20 * hour} next_digest`,
    ],
    [
      'and gathers it where it does not',
      {
        settings: gatheredMail('daily', { urgentThrough: 'nobody' }),
        armed: [row({ urgents: [{ seq: 1, at: after(0) }] })],
        now: after(10 * minute),
      },
      `wait email ${20 * hour} next_digest`,
    ],
    [
      'tells nothing twice: what a mail has told is in no digest',
      { settings: dailyMail, armed: [row({ email: toldByMail })], now: after(25 * hour) },
      'finished every-step-spent',
    ],
    ['gathers no mail that is too late', { settings: dailyMail, now: after(73 * hour) }, 'finished every-step-spent'],
    [
      'mails never whom it is never to reach',
      { settings: gatheredMail('daily', { emailFrequency: 'off' }), now: after(25 * hour) },
      'finished every-step-spent',
    ],
    [
      'mails nobody of a channel of which they want everything',
      {
        settings: { ...dailyMail, emailFrequency: 'immediate' },
        armed: [row({ kind: 'channel', level: 'all' })],
        now: after(hour),
      },
      'finished every-step-spent',
    ],
    [
      'but gathers it',
      { settings: dailyMail, armed: [row({ kind: 'channel', level: 'all' })], now: after(20 * hour) },
      'email c1',
    ],
    [
      'mails what may have a mail of its own by its own clock, and not by that of what came before it',
      {
        settings: { ...dailyMail, emailFrequency: 'immediate' },
        armed: [
          row({
            ...{ kind: 'channel', level: 'all', lastSeq: 2, lastAt: after(hour) },
            email: { ...unannounced(), calledSince: after(hour) },
          }),
        ],
        now: after(hour + minute),
      },
      `wait email ${hour + 2 * minute} step_delay`,
    ],
    [
      'mails of no conversation for which mail is switched off',
      {
        settings: gatheredMail('hourly', { emailFrequency: 'immediate' }),
        armed: [row({ channels: { email: false } })],
        now: after(hour),
      },
      'finished every-step-spent',
    ],
    [
      'texts of the one conversation for which texts are switched on',
      {
        settings: defaultNotificationSettings,
        armed: [
          row({ ...mailed, channels: { sms: true } }),
          row({ ...mailed, conversationId: 'c2' as ConversationId }),
        ],
        pushHandedOver: true,
        now: after(30 * minute),
      },
      'sms c1',
    ],
    [
      'tells who is away what waits, once a week',
      { settings: { ...dailyMail, emailFrequency: 'immediate' }, summary: true },
      'email c1',
    ],
    [
      'told before or not',
      {
        settings: dailyMail,
        summary: true,
        armed: [row({ email: toldByMail }), row({ conversationId: 'c2' as ConversationId })],
      },
      'email c1 c2',
    ],
    [
      'puts off a mail of which the person has had enough, and says until when',
      { armed: [row(pushed)], pushHandedOver: true, now: after(10 * minute), capped: { email: cap(12 * minute) } },
      `wait email ${12 * minute} cap_user`,
    ],
    [
      'and sends it then',
      { armed: [row(pushed)], pushHandedOver: true, now: after(12 * minute), capped: { email: cap(12 * minute) } },
      'email c1',
    ],
    [
      'puts off a text when the organisation’s are spent',
      {
        armed: [row(mailed)],
        now: after(31 * minute),
        capped: { sms: { reason: 'cap_org_sms', until: after(2 * hour) } },
      },
      `wait sms ${2 * hour} cap_org_sms`,
    ],
    [
      'but not for longer than it is of use',
      { armed: [row(mailed)], now: after(31 * minute), capped: { sms: cap(4 * hour + 1) } },
      'finished every-step-spent',
    ],
    [
      'has a reserve for the text of something urgent',
      { armed: [row({ ...mailed, ...repeated })], now: after(31 * minute), capped: { sms: cap(2 * hour) } },
      'sms c1',
    ],
    [
      'keeps to quiet hours after a cap, too',
      { settings: quiet({}, true), armed: [row(pushed)], now: after(11 * minute), capped: { email: cap(30 * minute) } },
      `wait email ${hour + 10 * minute} quiet_hours`,
    ],
    [
      'repeats nothing urgent that an operator struck off',
      { armed: [row({ urgents, push: announced(1, 0) })], pushHandedOver: true, struckOff: [struckOff('push')] },
      `wait email ${10 * minute} step_delay`,
    ],
    [
      'but what is urgent and came later',
      {
        armed: [row({ urgents: [{ seq: 2, at: after(0) }], push: announced(2, 0) })],
        ...{ pushHandedOver: true, struckOff: [struckOff('push')] },
      },
      `wait push ${5 * minute} urgent_repeat`,
    ],
    [
      'pushes what came after a push that an operator struck off',
      { armed: [row(pushedAgain)], now: after(hour), struckOff: [struckOff('push')] },
      'push c1',
    ],
  ];

  for (const [what, overrides, expected] of table) {
    it(what, () => assert.equal(tell(decide(situation(overrides)).verdict), expected));
  }

  it('says of what a person has struck off that it was, and not that it was told or refused', () => {
    const reasonOf = (overrides: Partial<Situation>) =>
      decide(situation({ armed: [row(mailed)], ...overrides })).steps.map(({ reason }) => reason);
    const all = channels.map((channel) => struckOff(channel));
    assert.deepEqual(reasonOf({ struckOff: all, refused: ['push'] }).slice(0, 2), [
      'skipped_by_operator',
      'skipped_by_operator',
    ]);
    assert.equal(reasonOf({ struckOff: all, settings: dailyMail })[1], 'skipped_by_operator');
    assert.equal(reasonOf({ struckOff: [struckOff('sms')] })[0], 'already_announced');
  });

  it('says when another step falls due while one is tried', () => {
    const untilOf = (overrides: Partial<Situation>) => {
      const { verdict } = decide(situation(overrides));
      return verdict.kind === 'notify' ? verdict.until.getTime() - start : undefined;
    };
    assert.equal(untilOf({}), 10 * minute, 'the mail, at its own time');
    assert.equal(untilOf({ now: after(11 * minute) }), 11 * minute, 'the mail, now');
    assert.equal(untilOf({ email: 'missing', phone: 'missing' }), 2 * second + standardLadder.retry.giveUpMs);
  });

  it('says how urgent it is: what is urgent, what is ordinary, and mail that gathers', () => {
    const urgencyOf = (overrides: Partial<Situation>) => {
      const { verdict } = decide(situation(overrides));
      return verdict.kind === 'notify' ? `${verdict.channel} ${verdict.urgency}` : verdict.kind;
    };
    const noon = { now: after(hour), armed: [row({})] };
    assert.equal(urgencyOf({}), 'push ordinary');
    assert.equal(urgencyOf({ armed: [row({ urgents })] }), 'push urgent');
    assert.equal(urgencyOf({ now: after(11 * minute), armed: [row(pushed)] }), 'email ordinary');
    assert.equal(urgencyOf({ ...noon, settings: hourlyMail }), 'email gathered');
    const besides = [row({}), row({ urgents })];
    assert.equal(urgencyOf({ ...noon, settings: hourlyMail, armed: besides }), 'email ordinary');
    assert.equal(urgencyOf({ now: after(11 * minute), armed: [row(pushed)], summary: true }), 'email gathered');
  });

  it('says who is out of reach: nothing was handed over on any channel, and there was something to tell', () => {
    const reasonFor = (overrides: Partial<Situation>) => {
      const { verdict } = decide(situation({ devices: [], email: 'missing', phone: 'missing', ...overrides }));
      return verdict.kind === 'finished' ? verdict.reason : verdict.kind;
    };
    assert.equal(reasonFor({}), 'unreachable');
    assert.equal(reasonFor({ armed: [row(mailed)] }), 'unreachable', 'what was tried came to nothing');
    assert.equal(reasonFor({ handedOver: true }), 'every_step_spent');
    assert.equal(reasonFor({ armed: [row({ push: gone, email: gone, sms: gone })] }), 'every_step_spent');
    assert.equal(reasonFor({ armed: [] }), 'read_before_send');
  });

  it('gives a reason for every step, also for those that are not taken', () => {
    const { steps } = decide(situation({ devices: [], phone: 'unverified' }));
    assert.deepEqual(
      steps.map(({ channel, outcome, reason }) => `${channel} ${outcome} ${reason}`),
      ['push skipped no_device', 'email deferred step_delay', 'sms skipped phone_unverified'],
    );
  });

  it('names the cap, not the time, where it is the cap that makes a text too late', () => {
    const { steps } = decide(
      situation({ now: after(31 * minute), armed: [row(mailed)], capped: { sms: cap(5 * hour) } }),
    );
    const { outcome, reason } = steps.find(({ channel }) => channel === 'sms') ?? {};
    assert.deepEqual([outcome, reason], ['skipped', 'cap_user']);
  });

  describe('for any situation', () => {
    const times = fc.integer({ min: 0, max: 8 * 24 * 60 * minute });
    const instant = fc.option(times.map(after), { nil: null });
    const progress = fc.record({
      throughSeq: fc.integer({ min: 0, max: 9 }),
      last: instant,
      times: fc.integer({ min: 0, max: 5 }),
      since: instant,
      repeats: fc.integer({ min: 0, max: 4 }),
    });
    const anyRow = fc
      .record({
        fromSeq: fc.integer({ min: 1, max: 5 }),
        more: fc.integer({ min: 0, max: 4 }),
        armed: times,
        later: times,
        muted: fc.boolean(),
        acknowledged: fc.boolean(),
        kind: fc.constantFrom('direct' as const, 'group' as const, 'channel' as const),
        urgents: fc.array(fc.record({ seq: fc.integer({ min: 1, max: 9 }), at: times.map(after) }), { maxLength: 2 }),
        push: progress,
        email: progress,
        sms: progress,
      })
      .map(({ fromSeq, more, armed, later, ...rest }) =>
        row({ fromSeq, lastSeq: fromSeq + more, armedAt: after(armed), lastAt: after(armed + later), ...rest }),
      );
    const anySituation = fc
      .record({
        now: times.map(after),
        presence: fc.oneof(
          fc.constant('unknown' as const),
          fc.array(fc.constantFrom(on('active'), on('active', 'c1'), on('idle'), on('hidden')), { maxLength: 2 }),
        ),
        armed: fc.array(anyRow, { maxLength: 3 }),
        devices: fc.array(
          fc.record({
            pushState: fc.constantFrom('active' as const, 'suspect' as const, 'dead' as const),
            pushPermission: fc.constantFrom('granted', 'denied', 'unknown'),
            pushEnabled: fc.boolean(),
            hasToken: fc.boolean(),
          }),
          { maxLength: 2 },
        ),
        email: fc.constantFrom('verified' as const, 'unverified' as const, 'missing' as const),
        phone: fc.constantFrom('verified' as const, 'unverified' as const, 'missing' as const),
        pushHandedOver: fc.boolean(),
        underWay: fc.subarray([...channels]),
        urgentUnderWay: fc.subarray([...channels]),
        stuck: fc.subarray([...channels]),
        struckOff: fc.subarray(channels.map((channel) => struckOff(channel))),
        settings: fc.constantFrom(
          ...[allChannels, quiet(), quiet({ urgentThrough: 'nobody' }, true), undisturbed, hourlyMail],
          gatheredMail('daily', { quietHours: quiet({}, true).quietHours }),
        ),
        zone: fc.constantFrom('UTC', farEast, 'America/New_York'),
        place: fc.constantFrom(0, 0.5),
        capped: fc.record({
          email: fc.option(times.map(cap), { nil: undefined }),
          sms: fc.option(times.map(cap), { nil: undefined }),
          urgentSms: fc.option(times.map(cap), { nil: undefined }),
        }),
      })
      .map((overrides) =>
        situation({
          ...overrides,
          armed: overrides.armed.map((one, n) => ({ ...one, conversationId: `c${n}` as ConversationId })),
        }),
      );

    it('announces nothing twice on a channel, and nothing on a channel that is out', () => {
      fc.assert(
        fc.property(anySituation, (given) => {
          const { verdict } = decide(given);
          if (verdict.kind !== 'notify') return;
          const passes = verdict.channel === 'push' && verdict.alert && !given.urgentUnderWay.includes('push');
          assert.ok(
            passes || !given.stuck.includes(verdict.channel),
            'nothing but what is urgent passes what is stuck',
          );
          const overtakes =
            verdict.channel === 'push' && verdict.alert === 'urgent' && !given.urgentUnderWay.includes('push');
          assert.ok(
            overtakes || !given.underWay.includes(verdict.channel),
            'at most one a channel, but for what is urgent',
          );
          assert.ok(verdict.conversationIds.length > 0);
          for (const id of verdict.conversationIds) {
            const told = given.armed.find(({ conversationId }) => conversationId === id);
            assert.ok(told && !told.muted);
            const { since, throughSeq, repeats } = told[verdict.channel];
            const untold = since !== null || told.urgents.some(({ seq }) => seq > throughSeq);
            const again =
              verdict.alert === 'repeat' && verdict.channel === 'push' && repeats < standardLadder.urgent.repeats;
            assert.ok(untold || again, 'something that it has not announced, or may announce once more');
            if (again) assert.ok(told.urgents.length > 0);
          }
        }),
        { numRuns: 2_000 },
      );
    });

    it('never waits for what is past: every story goes on or ends', () => {
      fc.assert(
        fc.property(anySituation, (given) => {
          const { verdict } = decide(given);
          if (verdict.kind === 'wait') assert.ok(verdict.until > given.now);
          if (verdict.kind === 'notify') assert.ok(verdict.until >= given.now);
        }),
        { numRuns: 2_000 },
      );
    });

    it('always ends: doing what it says leads to an end', () => {
      fc.assert(
        fc.property(anySituation, (given) => {
          let state: Situation = { ...given, stuck: [], underWay: [], urgentUnderWay: [] };
          for (let step = 0; step < 60; step += 1) {
            const { verdict } = decide(state);
            if (verdict.kind === 'finished') return;
            state = verdict.kind === 'wait' ? { ...state, now: verdict.until } : announce(state, verdict);
          }
          assert.fail('after sixty steps it still goes on');
        }),
        { numRuns: 500 },
      );
    });

    const announce = (
      state: Situation,
      { channel, conversationIds, alert }: Extract<Verdict, { kind: 'notify' }>,
    ): Situation => ({
      ...state,
      armed: state.armed.map((one) =>
        conversationIds.includes(one.conversationId)
          ? {
              ...one,
              [channel]: {
                throughSeq: Math.max(one.lastSeq, ...one.urgents.map(({ seq }) => seq)),
                last: state.now,
                times: one[channel].times + 1,
                since: null,
                repeats: alert === 'repeat' ? one[channel].repeats + 1 : 0,
              },
            }
          : one,
      ),
    });
  });
});
