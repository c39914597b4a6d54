import type { Words } from './words.ts';

const count = '{count, plural, one {# new message} other {# new messages}}';
const several = `${count} in {conversations, plural, one {# conversation} other {# conversations}}`;

const unreadAfter =
  '{minutes, plural, =0 {You had not read it shortly after it was written.} one {You had not read it a minute after it was written.} other {You had not read it # minutes after it was written.}}';

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
    resetSubject: 'A new password for Homing',
    reset: 'Choose a new password within {minutes} minutes: {link}',
    resetIgnore: 'If you did not ask for it, ignore this mail: your password stays as it is.',
    passwordChangedSubject: 'Your Homing password was changed',
    passwordChanged:
      'Your Homing password was changed. If that was not you, ask for a new one at once where you sign in: that ends every session.',
    haveAccountSubject: 'You already have a Homing account',
    haveAccount:
      'Somebody asked for a code to use this address with another account. It belongs to yours: sign in with it, or ask for a new password where you sign in.',
    haveAccountIgnore:
      'If that was not you, there is nothing to do: nobody can use your address who does not read your mail.',
    signInSubject: 'New sign-in to Homing',
    signIn: 'Somebody signed in to your Homing account on a new device or in a new network: {at}.',
    signInRemedy:
      'If that was you, there is nothing to do. If not, end that session in the app and change your password.',
  },
  account: {
    subject: 'Something changed in how you sign in to Homing',
    ifNotYou: 'If that was not you, sign in now, change your password and end the sessions that you do not know.',
    totp_added: 'An authenticator app was switched on for your Homing account.',
    totp_removed: 'The authenticator app of your Homing account was switched off.',
    passkey_added: 'A passkey was added to your Homing account.',
    passkey_removed: 'A passkey of your Homing account was removed.',
    identity_added: 'An account elsewhere was linked to your Homing account: it can sign in as you.',
    identity_removed: 'An account elsewhere can no longer sign in to your Homing account.',
    recovery_codes_renewed: 'New recovery codes were made for your Homing account. The old ones do not work any more.',
    recovery_code_used:
      'One of your recovery codes was used to sign in to your Homing account, or to prove that it is yours.',
    factors_removed:
      'The second factors of your Homing account were removed by an administrator, and you were signed out everywhere.',
    token_made: 'A token for a program was made for your Homing account, or for a bot of yours.',
    contact_changed: 'An email address or phone number was added to your Homing account, or put in place of another.',
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
  resetPage: {
    explain:
      'At least {min} characters, and not what others would guess first. Every session ends: sign in anew afterwards.',
    password: 'New password',
    save: 'Set the password',
    noScript: 'This page needs JavaScript: without it the secret part of the link does not reach us.',
    done: 'Your new password is set. You can sign in with it now.',
    expired: 'This link has been used or has run out, or is not whole. Ask for a new one where you sign in.',
    weak: 'Choose another one: {min} to {max} characters, and not your name, your address or what is easily guessed.',
    failed: 'That did not work. Try again in a moment.',
  },
  openPage: {
    title: 'You have new messages',
    text: 'Open Homing to read them.',
  },
  signedInPage: {
    title: 'Back to the app',
    text: 'Nothing here takes over your sign-in. Close this page and go back to the app that you came from.',
  },
  why: {
    question: 'Why did I get this?',
    told: 'When it was sent, you had not read {count, plural, =0 {messages that are gone by now.} one {# message:} other {# messages:}}',
    waiting: 'You had not been here for a week. This was waiting for you:',
    inGroup: '{count, plural, one {# message} other {# messages}} in {name}',
    fromPerson: '{count, plural, one {# message} other {# messages}} from {name}',
    elsewhere: '{count, plural, one {# message} other {# messages}} where you do not belong any more',
    written: 'Written: {from}.',
    writtenBetween: 'Written: {from} to {to}.',
    sent: 'Sent: {at}.',
    urgent: 'Something in it is urgent, and what is urgent comes sooner.',
    gone: 'Nothing more is known of it: what was decided is kept for 90 days.',
    fewer: 'To get fewer mails',
  },
  because: {
    due: unreadAfter,
    weekly_summary: 'Once a week a mail says what is waiting, if you have not been here.',
    burst_window: 'It came a moment after it was written, so that what comes together is told together.',
    presence_grace: 'You were active on a device and had a moment to read it there first.',
    focused_grace: 'You had the conversation open and had a moment to read it there first.',
    idle_grace: 'You were connected but not active, so it came after a short moment.',
    awaiting_acknowledgement: 'Your app was connected, but had not said that it has the message.',
    re_alert_gap: 'It kept its distance from the notification before it.',
    quiet_hours: 'It waited for the end of your quiet hours.',
    do_not_disturb: 'It waited for the end of the time in which you did not want to be disturbed.',
    sms_night: 'It waited for the morning: no text is sent at night.',
    breaker_open: 'It could not be sent sooner: the service that sends it was out of order.',
    provider_recovering: 'It could not be sent sooner: the service that sends it was out of order.',
    step_delay: unreadAfter,
    reminder_gap: 'You had been told before and it stayed unread, so this one kept its distance.',
    urgent_repeat: 'It is urgent and you had not read it, so it came once more.',
    cap_user: 'You had been sent as many as come in an hour or a day, so it waited until there was room.',
    cap_org_sms: 'No more texts were sent that day, so it waited for the next.',
    next_digest:
      '{frequency, select, hourly {It was gathered for your hourly mail.} daily {It was gathered for your daily mail.} other {It was gathered with others for one mail.}}',
  },
  unpushed: {
    no_device: 'No device of yours could be pushed to.',
    device_off: 'You had switched notifications off on each of your devices.',
    push_permission_denied: 'Your devices did not allow notifications.',
    devices_suspect: 'Your devices could not be reached by push.',
    channel_off: 'You had switched pushes off.',
    channel_off_here: 'You had switched pushes off for this conversation.',
    already_announced: 'It had been pushed before and was still unread.',
    breaker_open: 'Pushes could not be sent at that time.',
    provider_recovering: 'Pushes could not be sent at that time.',
    needs_operator: 'Pushes could not be sent at that time.',
    quiet_hours: 'Pushes waited for the end of your quiet hours.',
    do_not_disturb: 'Pushes waited for the end of the time in which you did not want to be disturbed.',
  },
  sms: {
    messages: `Homing: ${count}. Open: {link}`,
    messagesSeveral: `Homing: ${several}. Open: {link}`,
    code: '{code} is your Homing code. It is good for {minutes} minutes.',
    reset: 'Homing: choose a new password within {minutes} minutes: {link}',
    passwordChanged:
      'Your Homing password was changed. If that was not you, ask for a new one at once where you sign in.',
    signIn:
      'Somebody signed in to your Homing account on a new device or network. If that was not you, change your password.',
    haveAccount:
      'Somebody asked for a Homing code for this number. It belongs to your account: sign in with it. If that was not you, there is nothing to do.',
    totp_added:
      'An authenticator app was switched on for your Homing account. If it was not you, change your password now.',
    totp_removed:
      'The authenticator app of your Homing account was switched off. If it was not you, change your password now.',
    passkey_added: 'A passkey was added to your Homing account. If it was not you, change your password now.',
    passkey_removed: 'A passkey of your Homing account was removed. If it was not you, change your password now.',
    identity_added:
      'An account elsewhere was linked to your Homing account. If it was not you, change your password now.',
    identity_removed:
      'An account elsewhere was unlinked from your Homing account. If it was not you, change your password now.',
    recovery_codes_renewed:
      'New recovery codes were made for your Homing account. If it was not you, change your password now.',
    recovery_code_used: 'A recovery code of your Homing account was used. If it was not you, change your password now.',
    factors_removed:
      'An administrator removed the second factors of your Homing account. If it was not you who asked, change your password now.',
    token_made:
      'A token for a program was made for your Homing account or a bot of yours. If it was not you, change your password now.',
    contact_changed:
      'An address or number was added to your Homing account, or changed. If it was not you, change your password now.',
  },
};
