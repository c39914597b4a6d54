import type { Reason } from '../../contracts/entities/index.ts';
import type { AttemptRow } from '../../db/queries/attempts.ts';

/** What support is told for each reason. A new reason does not compile until it has its sentence. */
export const sentences: Record<Reason, string> = {
  announced: 'The provider took a notification that tells of this message.',
  due: 'It was due, and was sent.',
  burst_window: 'It waits a moment, so that messages that come together are told together.',
  presence_grace: 'The person is connected and gets a moment to read it first.',
  re_alert_gap: 'A push about this conversation was sent just now; the next keeps its distance.',
  quiet_hours: 'The person’s quiet hours: it waits for their end.',
  do_not_disturb: 'The person does not want to be disturbed until then.',
  sms_night: 'No text is sent by night, by the person’s clock.',
  step_delay: 'This step comes later, if the message is still unread then.',
  reminder_gap: 'It was told on this channel already; the reminder keeps its distance.',
  under_way: 'A step is being tried right now.',
  read_before_send: 'The person read it before this was sent.',
  account_inactive: 'The person’s account is not active.',
  muted_conversation: 'The person has muted the conversation.',
  level_nothing: 'The person wants to be told nothing of this conversation.',
  level_mentions_only: 'The person wants to be told of mentions only, and the message mentions them not.',
  thread_not_followed: 'It is a reply in a thread that the person does not follow, and it mentions them not.',
  blocked_sender: 'The person has blocked the sender.',
  own_message: 'The person wrote it.',
  not_member: 'The person does not belong to the conversation, or joined it after this message.',
  system_message: 'It tells of a change of the conversation; nobody is notified of those.',
  message_deleted: 'The message was deleted.',
  channel_off: 'The person has switched this channel off.',
  no_device: 'The person has no device that can be pushed to.',
  devices_suspect: 'The provider has refused the person’s devices; they count again when the app registers anew.',
  push_permission_denied: 'The person’s devices do not allow notifications.',
  email_missing: 'The person has given no e-mail address.',
  email_unverified: 'The person’s e-mail address was never verified.',
  email_suppressed: 'Nothing is sent to this address: it bounced, or its owner complained.',
  unsubscribed: 'The person has unsubscribed from these mails.',
  phone_missing: 'The person has given no phone number.',
  phone_unverified: 'The person’s phone number was never verified.',
  sms_suppressed: 'Nothing is sent to this number: the provider calls it invalid.',
  sms_opted_out: 'The person has answered STOP to a text.',
  expired: 'It was too late for it to be of use.',
  needs_operator: 'The step failed in a way that an operator must mend; it waits for one.',
  skipped_by_operator: 'An operator has struck this step off.',
  already_announced: 'This channel has told everything that is unread.',
  all_content_gone: 'Nothing was left to tell: what was unread was deleted.',
  every_step_spent: 'Every step was taken or could not be, and it is still unread.',
  closed_by_operator: 'An operator has ended the episode.',
  not_yet_armed:
    'It has only just been sent, and the relay has not looked at it yet. If this stays so, the relay is not running.',
  workflow_lost: 'The workflow was gone; what was unread went on in a new episode.',
};

/** What each state of an attempt means. */
export const attemptSentences: Record<AttemptRow['state'], string> = {
  claimed: 'It is being sent right now.',
  accepted: 'The provider has taken it.',
  failed: 'It could not be sent.',
  unknown: 'The provider was called and nobody knows whether it took it; it is not sent again by itself.',
  dropped: 'It was read before the provider was called.',
};
